"""All measures of one video."""

from collections.abc import Callable
from functools import partial

from stages.artifacts.errors import ArtifactError
from stages.artifacts.layout import CALIBRATED, PEOPLE_AND_WORLD, world_folder
from stages.body.model import DEMO_BODY, load_body
from stages.evaluation import people, placement, robot, world
from stages.evaluation.clip import EvaluatedClip
from stages.running.reconstructions import current, world_folders


def measure(clip: EvaluatedClip, method: str = "") -> dict[str, float]:
    """Every measure that the results of a video allow; what is missing is left out and said.

    Args:
        method: the world method; empty for the preferred one of those that there are.
    """
    root, video = clip.data.root, clip.video
    body = load_body(DEMO_BODY)
    values: dict[str, float] = {}

    def add(part: Callable[[], dict[str, float]]) -> None:
        try:
            values.update(part())
        except (ArtifactError, FileNotFoundError, ValueError) as error:
            print(f"{video}: {error}")

    for part in (people.detection, people.masks, people.keypoints, people.contacts):
        add(partial(part, clip))
    add(lambda: people.bodies(clip, body))
    name = current(root, world_folders(root), video, method)
    if name is None:
        print(f"{video}: no reconstruction in {root}")
        return values
    reconstruction = root / world_folder(name.method) / f"{name.stem}.h5"
    add(lambda: world.cameras(clip, reconstruction))
    add(lambda: world.depth(clip, reconstruction))
    add(lambda: world.scale(clip, root / PEOPLE_AND_WORLD / f"{name.megahunter_stem}.h5"))
    folder = root / CALIBRATED / name.megahunter_stem
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
