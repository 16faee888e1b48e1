"""What can be told of a clip without ground truth: `MEASURES`, and `measure` that takes them."""

from collections.abc import Callable

from stages.artifacts.verdicts import Measure, Values
from stages.evaluation.plausibility import body, detection, feet, place, robot, tracking
from stages.evaluation.plausibility.clip import Clip
from stages.evaluation.plausibility.measured import Measured
from stages.running.failures import is_expected

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
    place.gravity,
    body.compute,
    feet.compute,
    robot.compute,
    tracking.compute,
)


def measure(clip: Clip) -> Measured:
    """Every measure of a clip, and why some could not be taken."""
    values: Values = {each.name: None for each in MEASURES}
    problems = []
    for part in _PARTS:
        try:
            values.update(part(clip))
        except Exception as error:  # A damaged result takes its own measures and no others.
            what = str(error) if is_expected(error) else f"{type(error).__name__}: {error}"
            problems.append(" ".join(what.replace(f"{clip.data.root}/", "").split()))
    return Measured(values, tuple(dict.fromkeys(problems)))
