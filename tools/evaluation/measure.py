"""All measures of one video."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from stages.artifacts.errors import ArtifactError
from stages.artifacts.layout import CALIBRATED, PEOPLE_AND_WORLD, DataFolder, find_world_file
from stages.body.model import load_body
from tools.evaluation import people, placement, robot, world
from tools.evaluation.clip import open_clip


def measure(root: Path, video: str, method: str, body_path: Path) -> dict[str, float]:
    """Every measure that the results of a video allow; what is missing is left out and said."""
    data = DataFolder(root)
    clip = open_clip(data, video)
    body = load_body(body_path)
    values: dict[str, float] = {}

    def add(part: Callable[[], dict[str, float]]) -> None:
        try:
            values.update(part())
        except (ArtifactError, FileNotFoundError, ValueError) as error:
            print(f"{video}: {error}")

    for part in (people.detection, people.masks, people.keypoints, people.contacts):
        add(partial(part, clip))
    add(lambda: people.bodies(clip, body))
    reconstruction = find_world_file(root / f"input_{method}", video)
    if reconstruction is None:
        print(f"{video}: no reconstruction in {root / f'input_{method}'}")
        return values
    add(lambda: world.cameras(clip, reconstruction))
    add(lambda: world.depth(clip, reconstruction))
    stem = f"megahunter_{reconstruction.stem}"
    add(lambda: world.scale(clip, root / PEOPLE_AND_WORLD / f"{stem}.h5"))
    folder = root / CALIBRATED / stem
    try:
        aligned = placement.read_placement(clip, folder)
    except (ArtifactError, KeyError) as error:
        print(f"{video}: {error}")
        return values
    add(lambda: placement.people(clip, aligned))
    add(lambda: placement.gravity(aligned))
    add(lambda: placement.mesh(clip, aligned, folder))
    add(lambda: robot.motion(clip, aligned, folder))
    return values
