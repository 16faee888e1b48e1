"""What can be told of a clip without ground truth: `MEASURES`, and `measure` that takes them."""

from collections.abc import Callable

from stages.artifacts.verdicts import Measure, Values
from stages.evaluation.plausibility import (
    blazepose,
    body,
    detection,
    feet,
    place,
    robot,
    tracking,
)
from stages.evaluation.plausibility.clip import Clip
from stages.evaluation.plausibility.measured import Measured, NotMeasuredError
from stages.running.failures import is_expected

MEASURES: tuple[Measure, ...] = (
    *detection.MEASURES,
    *place.MEASURES,
    *body.MEASURES,
    *feet.MEASURES,
    *robot.MEASURES,
    *tracking.MEASURES,
    *blazepose.MEASURES,
)

_PARTS: tuple[Callable[[Clip], Values], ...] = (
    detection.compute,
    place.cameras,
    place.gravity,
    body.compute,
    feet.compute,
    robot.compute,
    tracking.compute,
    blazepose.keypoints,
    blazepose.body,
)


def measure(clip: Clip) -> Measured:
    """Every measure of a clip, and why some could not be taken or do not apply."""
    values: Values = {each.name: None for each in MEASURES}
    problems, notes = [], []
    for part in _PARTS:
        try:
            values.update(part(clip))
        except NotMeasuredError as reason:
            notes.append(str(reason))
        except Exception as error:  # A damaged result takes its own measures and no others.
            what = str(error) if is_expected(error) else f"{type(error).__name__}: {error}"
            problems.append(" ".join(what.replace(f"{clip.data.root}/", "").split()))
    return Measured(values, *(tuple(dict.fromkeys(said)) for said in (problems, notes)))
