"""`importer`: somebody's motion, as joints in space, into a data folder for stage 4."""

from pathlib import Path

import click
import numpy as np

from stages.artifacts.errors import ArtifactError
from stages.artifacts.meshes import read_mesh
from stages.motions_in.capture import at_rate, scaled
from stages.motions_in.data_folder import write_clip
from stages.motions_in.sources import SOURCES
from stages.running.flags import data_folder

AROUND_M = 2.0
"""The floor that is laid reaches so far beyond the joints."""


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--format",
    "kind",
    required=True,
    type=click.Choice(list(SOURCES)),
    help="; ".join(f"{name}: {source.help}" for name, source in SOURCES.items()) + ".",
)
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=data_folder,
    show_default="$MIMICMILL_DATA",
    help="The data folder, made where it is not there.",
)
@click.option(
    "--mesh",
    type=click.Path(path_type=Path),
    default=None,
    help="The place as OBJ, z up, in the axes of the joints.",
)
@click.option(
    "--floor/--no-floor",
    default=True,
    show_default=True,
    help="Lay a floor at height 0 under the motion.",
)
@click.option(
    "--scale",
    type=click.FloatRange(0.05, 20),
    default=1.0,
    show_default=True,
    help="Make person and place so much larger.",
)
@click.option(
    "--file-fps",
    type=click.FloatRange(1, 10_000),
    default=None,
    show_default="30; of capture53 120",
    help="Frames a second of files that do not say.",
)
@click.option(
    "--fps",
    type=click.FloatRange(1, 240),
    default=30.0,
    show_default=True,
    help="Frames a second of the result.",
)
def main(
    files: tuple[Path, ...],
    kind: str,
    data_dir: Path,
    mesh: Path | None,
    floor: bool,
    scale: float,
    file_fps: float | None,
    fps: float,
) -> None:
    """Take motions of people into a data folder; `make stage4` makes them the robot's.

    Axes are z up, lengths metres. Exit code 1 if a file fails; the others go on.
    """
    source, failed = SOURCES[kind], False
    for path in files:
        try:
            capture = at_rate(scaled(source.read(path, file_fps or source.fps), scale), fps)
            vertices, faces = (np.zeros((0, 3)), np.zeros((0, 3), int))
            if mesh is not None:
                vertices, faces = read_mesh(mesh)
            joints = np.stack(list(capture.joints.values()), axis=1)
            place = vertices * scale, faces
            write_clip(
                data_dir, path.stem, capture, with_floor(*place, joints) if floor else place, path
            )
        except (ArtifactError, ValueError) as error:
            print(f"failed: {path}: {error}", flush=True)
            failed = True
            continue
        assumed = f"; assumed: {', '.join(capture.assumed)}" * bool(capture.assumed)
        print(f"{path.stem}: {len(capture)} frames at {fps:g} a second{assumed}", flush=True)
    raise SystemExit(1 if failed else 0)


def with_floor(
    vertices: np.ndarray, faces: np.ndarray, joints: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """A mesh, and a level square at height 0 under all joints of a motion."""
    (x0, y0), (x1, y1) = (
        joints[..., :2].min((0, 1)) - AROUND_M,
        joints[..., :2].max((0, 1)) + AROUND_M,
    )
    corners = np.array([[x0, y0, 0], [x1, y0, 0], [x1, y1, 0], [x0, y1, 0]])
    first = len(vertices)
    square = np.array([[0, 1, 2], [0, 2, 3]]) + first
    return np.concatenate([vertices, corners]), np.concatenate([faces, square])


if __name__ == "__main__":
    main()
