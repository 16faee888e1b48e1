"""`make bench-solve`: seconds to compile and to solve, by stage and length, on this machine.

Every case runs in processes of its own, one after the other: first with an empty compilation
cache, then again with the cache that this left. Problems come from the demo's truth.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from stages.running.machine import versions

Case = dict[str, Any]
LENGTHS = (100, 300, 1000)


def measure(stage: int, frames: int, cache: Path, *options: str) -> Case:
    """One process that measures one case; raises when it fails."""
    command = [sys.executable, "-m", "bench.solve.child", f"--stage={stage}"]
    command += [f"--frames={frames}", *options, f"--started={time.time()}"]
    done = subprocess.run(
        command,
        env={**os.environ, "MIMICMILL_CACHE": str(cache)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def lengths_table(found: list[Case]) -> Table:
    """A row for each stage and length."""
    table = Table(title="One video; seconds")
    table.add_column("stage, frames")
    headers = ("compile, cold", "solve", "whole core", "first result, warm", "iterations", "cost")
    for header in headers:
        table.add_column(header, justify="right")
    for case in found:
        cold, warm = case["cold"], case["warm"]
        table.add_row(
            f"{case['stage']}, {case['frames']}",
            f"{cold['compile_s']:.1f}",
            f"{warm['solve_s']:.3f}",
            f"{warm['whole_s']:.3f}",
            f"{warm['start_to_first_result_s']:.1f}",
            "+".join(map(str, warm["iterations"])),
            f"{warm['cost']:.6g}",
        )
    return table


def ratios(found: list[Case], batches: list[Case]) -> list[str]:
    """How time grows with length and shrinks with company."""
    said = []
    for stage in sorted({case["stage"] for case in found}):
        warm = {case["frames"]: case["warm"] for case in found if case["stage"] == stage}
        shortest, longest = min(warm), max(warm)
        if longest > shortest:
            times = warm[longest]["solve_s"] / warm[shortest]["solve_s"]
            steps = sum(warm[longest]["iterations"]) / sum(warm[shortest]["iterations"])
            said.append(
                f"stage {stage}: {longest} frames take {times:.1f} times as long as {shortest},"
                f" {times / steps:.1f} times an iteration"
            )
    for case in batches:
        said.append(
            f"stage {case['stage']}: {case['videos']} videos of {case['frames']} frames together"
            f" take {case['together_per_video_s']:.3f} s each, {case['together_over_alone']:.2f}"
            f" of the {case['alone_s']:.3f} s alone"
        )
    return said


def _machine() -> dict[str, Any]:
    return {
        "device": "",
        "cores": len(os.sched_getaffinity(0)),
        "system": platform.platform(),
        "load_1min_at_start": os.getloadavg()[0],
        **versions(),
    }


@click.command()
@click.option("--stage", "stages", type=click.Choice(["2", "4"]), multiple=True, default=["2", "4"])
@click.option("--frames", "lengths", type=int, multiple=True, default=LENGTHS, show_default=True)
@click.option(
    "--batch",
    type=click.IntRange(1),
    default=None,
    help="Videos solved together. Default: 16 with an accelerator, none on a processor.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("bench-solve.json"),
    show_default=True,
    help="JSON with everything measured.",
)
def main(stages: list[str], lengths: list[int], batch: int | None, output: Path) -> None:
    """Measure the solvers of stages 2 and 4 and print a table."""
    console = Console(width=110)
    found: list[Case] = []
    batches: list[Case] = []
    machine = _machine()

    def save() -> None:
        everything = {"machine": machine, "alone": found, "together": batches}
        output.write_text(json.dumps(everything, indent=1) + "\n")

    for stage in map(int, stages):
        with tempfile.TemporaryDirectory(prefix="mimicmill-bench-") as name:
            for frames in lengths:
                console.print(f"stage {stage}, {frames} frames", style="dim")
                cold = measure(stage, frames, Path(name), "--runs=1")
                warm = measure(stage, frames, Path(name))
                found.append({"stage": stage, "frames": frames, "cold": cold, "warm": warm})
                machine["device"] = warm["device"]
                save()
            videos = batch or (1 if machine["device"] == "cpu" else 16)
            if videos > 1:
                console.print(f"stage {stage}, {videos} videos together", style="dim")
                case = measure(stage, min(lengths), Path(name), f"--videos={videos}")
                batches.append({"stage": stage, "frames": min(lengths), **case})
                save()
    console.print(lengths_table(found))
    for line in ratios(found, batches):
        console.print(line, highlight=False)
    console.print(", ".join(f"{key} {value}" for key, value in machine.items()), highlight=False)
    console.print(f"written to {output}")


if __name__ == "__main__":
    main()
