"""What can be told of a clip without ground truth: `MEASURES`, and `measure` that takes them."""

from collections.abc import Callable
from pathlib import Path

from stages.artifacts.errors import ArtifactError
from stages.artifacts.layout import DataFolder
from stages.evaluation.plausibility import body, detection, feet, place, robot, tracking
from stages.evaluation.plausibility.clip import Clip
from stages.evaluation.plausibility.declared import Measure, Values
from stages.running.stage import VideoError

MEASURES: tuple[Measure, ...] = (
    *detection.MEASURES,
    *place.MEASURES,
    *body.MEASURES,
    *feet.MEASURES,
    *robot.MEASURES,
    *tracking.MEASURES,
)

_PARTS: tuple[Callable[[Clip], Values], ...] = (
    detection.compute,
    place.cameras,
    place.camera_path,
    place.gravity,
    body.compute,
    feet.compute,
    robot.compute,
    tracking.compute,
)


def measure(data_folder: Path, video: str) -> Values:
    """Every measure of a video; None where what it needs is missing, or damaged."""
    return measure_clip(Clip(DataFolder(data_folder), video))


def measure_clip(clip: Clip) -> Values:
    """As `measure`, of a clip that is open."""
    values: Values = {each.name: None for each in MEASURES}
    for part in _PARTS:
        try:
            values.update(part(clip))
        except (ArtifactError, VideoError, FileNotFoundError):
            continue  # A measure that is None says so itself.
    return values
