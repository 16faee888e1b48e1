"""The bars that results are held against, and the table that shows both."""

from dataclasses import dataclass

from rich.table import Table

from stages import catalogue
from stages.artifacts.comparison import Compared


@dataclass(frozen=True)
class Bar:
    """One measure: its name here, what it says, and the bar."""

    name: str
    text: str
    bar: float
    at_least: bool = False
    relaxed: bool = True
    """Whether two people who cross may miss it by half."""
    of_blazepose: float | None = None
    """The bar for PEOPLE=blazepose, whose networks never saw rendered people; None: the same."""

    def limit(self, method: str) -> float:
        """The bar for a people method."""
        is_own = method == catalogue.BLAZEPOSE and self.of_blazepose is not None
        return self.of_blazepose if is_own else self.bar  # type: ignore[return-value] # not None


BARS = (
    Bar("people_found", "people found in the frames where they are looked for", 0.98, True, False),
    Bar("false_people", "false people", 0, relaxed=False),
    Bar("mask_iou", "masks, mean IoU", 0.85, True, False, of_blazepose=0.8),
    Bar("keypoint_median", "keypoints, median error / box height", 0.015, of_blazepose=0.03),
    Bar("keypoint_mean", "keypoints, mean error / box height", 0.03, of_blazepose=0.05),
    Bar("pa_mpjpe_mm", "PA-MPJPE, mm", 60, of_blazepose=80),
    Bar("contact_f1", "foot contact, F1", 0.8, True, False, of_blazepose=0.75),
    Bar("camera_path", "camera path error / length", 0.02),
    Bar("depth_error", "depth, median relative error", 0.03),
    Bar("scale_error", "scale error", 0.05),
    Bar("root_cm", "root trajectory, cm", 10, of_blazepose=12),
    Bar("mpjpe_cm", "MPJPE in the world, cm", 9, of_blazepose=13),
    Bar("gravity_deg", "gravity, degrees", 1.5),
    Bar("mesh_f", "mesh F-score at 5 cm", 0.85, True, False),
    Bar("mesh_bias_cm", "mesh height bias, cm", 2),
    Bar("limit_violations", "robot: joint-limit violations", 0, relaxed=False),
    Bar("foot_sliding_cm_s", "robot: sliding in contact, cm/s", 3),
    Bar("below_ground_mean_cm", "robot: feet below ground, mean, cm", 1),
    Bar("below_ground_worst_cm", "robot: feet below ground, worst, cm", 3),
    Bar("link_pose_error_m", "robot: stored link poses, m", 1e-5, relaxed=False),
)
RELAXATION = 1.5
NOT_APPLICABLE = float("-inf")
"""The value of a measure that a clip does not have."""


def passes(bar: Bar, value: float, people: int = 1, method: str = catalogue.OFFICIAL) -> bool:
    """Whether a value meets its bar; two people in view relax the tolerances by half."""
    if value == NOT_APPLICABLE:
        return True
    limit = bar.limit(method) * (RELAXATION if people > 1 and bar.relaxed else 1.0)
    if people > 1 and bar.at_least:
        limit = 1 - (1 - bar.limit(method)) * RELAXATION
    return value >= limit if bar.at_least else abs(value) <= limit


def compare(values: dict[str, float], people: int, method: str) -> dict[str, Compared]:
    """Each measure of a video beside its bar; without those that the video does not have."""
    found = {}
    for bar in BARS:
        value = values.get(bar.name)
        if value != NOT_APPLICABLE:
            limit = f"{'>=' if bar.at_least else '<='} {bar.limit(method):g}"
            is_met = value is not None and passes(bar, value, people, method)
            found[bar.name] = Compared(
                bar.text, None if value is None else float(value), limit, is_met
            )
    return found


def table(
    results: dict[str, dict[str, float]], people: dict[str, int], methods: dict[str, str]
) -> Table:
    """One column a video; values that miss their bar carry an exclamation mark.

    Args:
        people: how many are in each video.
        methods: the people method of each video.
    """
    out = Table(title="Measured against ground truth", title_justify="left")
    out.add_column("measure")
    out.add_column("bar", justify="right")
    for video in results:
        out.add_column(video, justify="right")
    for bar in BARS:
        limits = dict.fromkeys(f"{bar.limit(method):g}" for method in methods.values())
        row = [bar.text, f"{'>=' if bar.at_least else '<='} {' or '.join(limits)}"]
        for video, values in results.items():
            value = values.get(bar.name, float("nan"))
            mark = "" if passes(bar, value, people[video], methods[video]) else " !"
            row.append("-" if value == NOT_APPLICABLE else f"{value:.3g}{mark}")
        out.add_row(*row)
    return out
