"""The bars that results are held against, and the table that shows both."""

from dataclasses import dataclass

from rich.table import Table


@dataclass(frozen=True)
class Bar:
    """One measure: its name here, what it says, and the bar."""

    name: str
    text: str
    bar: float
    at_least: bool = False
    relaxed: bool = True
    """Whether two people who cross may miss it by half."""


BARS = (
    Bar("people_found", "people found in the frames where they are looked for", 0.98, True, False),
    Bar("false_people", "false people", 0, relaxed=False),
    Bar("mask_iou", "masks, mean IoU", 0.85, True, False),
    Bar("keypoint_median", "23 keypoints, median error / box height", 0.015),
    Bar("keypoint_mean", "23 keypoints, mean error / box height", 0.03),
    Bar("pa_mpjpe_mm", "VIMO PA-MPJPE, mm", 60),
    Bar("contact_f1", "foot contact, F1", 0.8, True, False),
    Bar("camera_path", "camera path error / length", 0.02),
    Bar("depth_error", "depth, median relative error", 0.03),
    Bar("scale_error", "scale error", 0.05),
    Bar("root_cm", "root trajectory, cm", 10),
    Bar("mpjpe_cm", "MPJPE in the world, cm", 9),
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


def passes(bar: Bar, value: float, people: int = 1) -> bool:
    """Whether a value meets its bar; two people in view relax the tolerances by half."""
    limit = bar.bar * (RELAXATION if people > 1 and bar.relaxed else 1.0)
    if people > 1 and bar.at_least:
        limit = 1 - (1 - bar.bar) * RELAXATION
    return value >= limit if bar.at_least else abs(value) <= limit


def table(results: dict[str, dict[str, float]], people: dict[str, int]) -> Table:
    """One column a video; values that miss their bar carry an exclamation mark."""
    out = Table(title="Measured against ground truth", title_justify="left")
    out.add_column("measure")
    out.add_column("bar", justify="right")
    for video in results:
        out.add_column(video, justify="right")
    for bar in BARS:
        row = [bar.text, f"{'>=' if bar.at_least else '<='} {bar.bar:g}"]
        for video, values in results.items():
            value = values.get(bar.name, float("nan"))
            mark = "" if passes(bar, value, people[video]) else " !"
            row.append(f"{value:.3g}{mark}")
        out.add_row(*row)
    return out
