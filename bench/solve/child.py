"""One measurement in a process of its own: times of a stage's solver on the first call and after.

Prints one line of JSON. Started by `python -m bench.solve`.
"""

import json
import time
from collections.abc import Callable
from statistics import median
from types import ModuleType
from typing import Any

import click
import jax

from bench.solve import problems
from bench.solve.recording import Batch, Recording, recorded
from stages.robot.model import load_g1
from stages.running.machine import peak_memory_mb
from stages.solving import use_compilation_cache
from stages.stage2_megahunter import optimisation
from stages.stage4_retarget import retarget

# Runs that are timed take this long together, or LEAST_RUNS.
BUDGET_S = 12.0
LEAST_RUNS, MOST_RUNS = 3, 15


def stage_run(stage: int, number: int, frames: int) -> tuple[ModuleType, Callable[[], Any]]:
    """The module that calls the solver, and the stage's core on a video."""
    if stage == 2:
        seen, picker = problems.measured(number, frames), problems.picker()
        return optimisation, lambda: optimisation.solve_scene(
            seen.cameras, [seen.track], [seen.around], picker
        )
    robot, (person, terrain) = load_g1(), problems.performed(number, frames)
    return retarget, lambda: retarget.retarget(robot, person, terrain)


def timed(run: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds and result."""
    begin = time.perf_counter()
    result = run()
    return time.perf_counter() - begin, result


def several(run: Callable[[], Any], most: int = MOST_RUNS) -> list[tuple[float, Any]]:
    """As many timed runs as the budget allows."""
    runs = [timed(run)]
    while len(runs) < most and (len(runs) < LEAST_RUNS or sum(s for s, _ in runs) < BUDGET_S):
        runs.append(timed(run))
    return runs


def alone(stage: int, frames: int, started: float, runs: int) -> dict[str, Any]:
    """One video: the first run in this process, then the median of up to so many more."""
    build_s, (module, run) = timed(lambda: stage_run(stage, 0, frames))
    first_s, first = timed(lambda: recorded(module, run))
    since_start_s = time.time() - started - build_s
    again = several(lambda: recorded(module, run), runs)
    whole_s = median(seconds for seconds, _ in again)
    last: Recording = again[-1][1]
    end = last.solutions[-1]
    return {
        "start_to_first_result_s": since_start_s,
        "first_s": first_s,
        "compile_s": first_s - whole_s,
        "solve_s": median(sum(recording.seconds) for _, recording in again),
        "whole_s": whole_s,
        "runs": len(again),
        "iterations": [int(solution.iterations) for solution in last.solutions],
        "converged": bool(end.converged),
        "cost": float(end.cost),
        "term_costs": {name: float(cost) for name, cost in end.term_costs.items()},
        "same_cost_as_first": float(first.solutions[-1].cost) == float(end.cost),
    }


def together(stage: int, frames: int, videos: int) -> dict[str, Any]:
    """Videos of one bucket in one solve against one after the other, on the same problems."""
    recordings = []
    for number in range(videos):
        module, run = stage_run(stage, number, frames)
        recorded(module, run)
        recordings.append(recorded(module, run))
    common = min(len(recording.arguments) for recording in recordings)
    together_s = compile_s = 0.0
    for call in range(common):
        batch = Batch.of([recording.arguments[call] for recording in recordings])
        first_s, _ = timed(batch.run)
        warm_s = median(seconds for seconds, _ in several(batch.run))
        compile_s += first_s - warm_s
        together_s += warm_s
    each_s = [sum(recording.seconds[:common]) for recording in recordings]
    alone_s = sum(each_s) / videos
    return {
        "videos": videos,
        "alone_s": alone_s,
        "together_per_video_s": together_s / videos,
        "together_over_alone": together_s / videos / alone_s,
        "batch_compile_s": compile_s,
    }


@click.command()
@click.option("--stage", type=click.Choice(["2", "4"]), required=True)
@click.option("--frames", type=int, required=True)
@click.option("--videos", type=int, default=1)
@click.option("--runs", type=int, default=MOST_RUNS, help="At most; one video only.")
@click.option("--started", type=float, required=True, help="When the process was started, epoch.")
def main(stage: str, frames: int, videos: int, runs: int, started: float) -> None:
    """Measure one case."""
    use_compilation_cache()
    if videos > 1:
        found = together(int(stage), frames, videos)
    else:
        found = alone(int(stage), frames, started, runs)
    device = jax.devices()[0]
    found |= {"peak_memory_mb": peak_memory_mb(), "device": device.device_kind}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
