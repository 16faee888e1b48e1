"""`make robustness`: prints the tables of docs/robustness.md, in markdown."""

import re
from collections.abc import Sequence

import click
import numpy as np

from bench.robustness import stage2, stage4
from bench.robustness.scenes import scene
from stages.robot.model import load_g1
from stages.solving import use_compilation_cache

STAGE2 = ("case", "scale error, %", "path error, cm", "joint error, cm", "converged")
STAGE4 = (
    "case",
    "what is said",
    "sliding, cm/s",
    "feet below ground, mean, mm",
    "worst, mm",
    "body below ground, worst, mm",
    "self-collision, mm",
    "steps within joint speed, %",
    "feasible",
)


def stage2_rows() -> list[list[str]]:
    """Median (worst) over the scenes."""
    scenes = [scene(kind, seed) for kind, seed in stage2.SCENES]
    rows = []
    for name, case in stage2.CASES.items():
        found = [case(one) for one in scenes]
        rows.append(
            [
                name,
                _middle([100 * a.scale for a in found]),
                _middle([100 * a.path_m for a in found]),
                _middle([100 * a.mpjpe_m for a in found]),
                f"{sum(a.converged for a in found)} of {len(found)}",
            ]
        )
    return rows


def stage4_rows() -> list[list[str]]:
    """Median (worst) over the clips."""
    robot, rows = load_g1(), []
    for case in stage4.CASES:
        found = [stage4.moved(robot, case, *clip) for clip in stage4.CLIPS]
        quality = [motion.quality for motion in found]
        said = dict.fromkeys(
            re.sub(r"\d+", "n", line) for motion in found for line in motion.found.ignored
        )
        rows.append(
            [
                case,
                "; ".join(said) or "–",
                _middle([100 * q.foot_sliding_m_s for q in quality]),
                _middle([1000 * q.below_ground_mean_m for q in quality]),
                _middle([1000 * q.below_ground_worst_m for q in quality]),
                _middle([1000 * motion.body_below_ground_m for motion in found]),
                _middle([1000 * q.self_collision_m for q in quality]),
                _middle([100 * q.velocity_within_limits for q in quality], worst=min),
                f"{sum(motion.feasible for motion in found)} of {len(found)}",
            ]
        )
    return rows


def _middle(values: Sequence[float], worst=max) -> str:
    return f"{np.median(values):.1f} ({worst(values):.1f})"


def _markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


@click.command()
@click.option("--stage", "stages", type=click.Choice(["2", "4"]), multiple=True, default=["2", "4"])
def main(stages: list[str]) -> None:
    """Disturb good input and print how far the answers are from the truth."""
    use_compilation_cache()
    for stage, header, make_rows in (("2", STAGE2, stage2_rows), ("4", STAGE4, stage4_rows)):
        if stage in stages:
            print(f"Stage {stage}; medians (worst)\n\n{_markdown(header, make_rows())}\n")


if __name__ == "__main__":
    main()
