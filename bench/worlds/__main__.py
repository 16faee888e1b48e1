"""`python -m bench.worlds`: prints the table of what MegaSaM's tracking survives, in markdown."""

import sys
from collections.abc import Sequence

import click
import numpy as np

from bench.worlds.measure import Errors, errors, tracked
from bench.worlds.places import SCENES, place
from bench.worlds.true_flow import Disturbance

CASES = {
    "exact flow, focal 10 % off": Disturbance(),
    "noise of 1 px": Disturbance(noise_px=1),
    "noise of 3 px": Disturbance(noise_px=3),
    "1 px, outliers of 5 px": Disturbance(noise_px=1, outlier_px=5),
    "3 px, outliers of 15 px": Disturbance(noise_px=3, outlier_px=15),
    "1 px, outliers of 60 px": Disturbance(noise_px=1, outlier_px=60),
    "depth 10 % off": Disturbance(depth=0.1),
    "depth 30 % off": Disturbance(depth=0.3),
    "3 px, outliers of 15 px, depth 30 % off": Disturbance(noise_px=3, outlier_px=15, depth=0.3),
    "a tenth of people's cells trusted": Disturbance(missed=0.1),
}
HEADER = (
    "case",
    "path, % of its length",
    "focal while walking, %",
    "rotation on the spot, deg",
    "drift on the spot, cm",
)


def row(case: str, found: Sequence[Errors]) -> list[str]:
    """Of the table: medians, the worst in brackets."""
    walking = [each for each in found if not np.isnan(each.path_percent)]
    staying = [each for each in found if np.isnan(each.path_percent)]
    return [
        case,
        _middle([each.path_percent for each in walking]),
        _middle([each.focal_percent for each in walking]),
        _middle([each.rotation_deg for each in staying]),
        _middle([each.drift_cm for each in staying]),
    ]


def _middle(values: Sequence[float]) -> str:
    return f"{np.median(values):.2f} ({max(values):.2f})" if values else "–"


@click.command()
@click.option("--case", "cases", type=click.Choice(list(CASES)), multiple=True, default=list(CASES))
@click.option("--scene", "scenes", type=int, multiple=True, default=range(len(SCENES)))
@click.option("--frames", default=24, show_default=True)
@click.option("--fps", default=6.0, show_default=True)
@click.option("--cell-px", default=16, show_default=True, help="8 as the network has; or coarser.")
def main(
    cases: Sequence[str], scenes: Sequence[int], frames: int, fps: float, cell_px: int
) -> None:
    """Track rendered scenes by their own flow, disturbed, and print how far off cameras are."""
    places = [place(*SCENES[scene], frames, fps, cell_px) for scene in scenes]
    print("| " + " | ".join(HEADER) + " |\n" + "| --- " * len(HEADER) + "|")
    for case in cases:
        found = []
        for each in places:
            found.append(errors(each, tracked(each, CASES[case], cell_px).scene))
            print(f"{case}: {each.name}: {found[-1]}", file=sys.stderr, flush=True)
        print("| " + " | ".join(row(case, found)) + " |", flush=True)


if __name__ == "__main__":
    main()
