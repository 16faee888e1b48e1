"""`make warm-cache`: compile the solvers of stages 2 and 4 for all usual lengths, ahead of use.

Solves a problem of every length, made from the demo's truth; what is compiled already costs its
solving only. Programs land in the cache that the stages use (`MIMICMILL_CACHE`).
"""

import time

import click
from rich.console import Console

from bench.solve import problems
from stages.robot.model import load_g1
from stages.solving import use_compilation_cache
from stages.stage2_megahunter.optimisation import solve_scene
from stages.stage4_retarget.retarget import retarget

LENGTHS = (100, 200, 300)
PEOPLE = (1, 2)


def warm_people(frames: int, people: int) -> None:
    """Stage 2 with that many people."""
    seen = problems.measured(0, frames)
    solve_scene(seen.cameras, [seen.track] * people, [seen.around] * people, problems.picker())


def warm_robot(frames: int) -> None:
    """Stage 4, which takes people one by one."""
    retarget(load_g1(), *problems.performed(0, frames))


@click.command()
@click.option("--frames", "lengths", type=int, multiple=True, default=LENGTHS, show_default=True)
@click.option("--people", type=int, multiple=True, default=PEOPLE, show_default=True)
def main(lengths: tuple[int, ...], people: tuple[int, ...]) -> None:
    """Fill the compilation cache for videos of these lengths (multiples of 100) and people."""
    console = Console()
    folder = use_compilation_cache()
    if folder is None:
        raise click.ClickException("no private cache folder: set MIMICMILL_CACHE to one of yours")
    for frames in lengths:
        for count in people:
            begin = time.perf_counter()
            warm_people(frames, count)
            console.print(
                f"stage 2, {frames} frames, {count} people: {time.perf_counter() - begin:.0f} s"
            )
        begin = time.perf_counter()
        warm_robot(frames)
        console.print(f"stage 4, {frames} frames: {time.perf_counter() - begin:.0f} s")
    console.print(f"compiled programs are in {folder}", highlight=False)


if __name__ == "__main__":
    main()
