"""`make bench-stage0`: frames per second of the networks' stages, at their official sizes."""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from statistics import median

import click
import torch
from rich.console import Console
from rich.table import Table

from bench.stage0.cases import CASES, Case
from bench.stage0.clip import RESULTS, VIDEO, write_clip
from stages.running import machine, torch_device

COLUMNS = (
    "stage0-", "frames/s", "network alone", "GPU in use", "operations", "bytes", "one at a time",
    "times", "GPU MB", "host MB", "load s",
)  # fmt: skip

ONE_AT_A_TIME = 40
"""Frames, and windows of VIMO, that are enough to time the originals' schedule."""


def seconds(call: Callable[[], object]) -> float:
    """Of one call, with everything that it left to the GPU."""
    started = time.perf_counter()
    call()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - started


def seconds_each(steps: Iterator[object], most: int) -> float:
    """Of a step, on average of up to `most` after the first."""
    next(steps)
    started, count = time.perf_counter(), 0
    for _ in islice(steps, most):
        count += 1
    return (time.perf_counter() - started) / count


def matrix_rate(dtype: torch.dtype, device: str) -> float:
    """Operations per second of a large matrix product: the floor of what a network takes."""
    side = 8192 if device == "cuda" else 1024
    a = torch.randn(side, side, device=device, dtype=dtype)
    times = [seconds(lambda: a @ a) for _ in range(10)]
    return 2 * side**3 / median(times[3:])


def bandwidth(device: str) -> float:
    """Bytes per second that a large copy reads and writes."""
    source = torch.rand(2**28 if device == "cuda" else 2**22, device=device)
    target = torch.empty_like(source)
    times = [seconds(lambda: target.copy_(source)) for _ in range(10)]
    return 2 * source.nbytes / median(times[3:])


@torch.inference_mode()
def time_case(case: Case, data: Path, frames: int, runs: int, table: Table) -> None:
    """Adds a stage's row."""
    device = torch_device()
    weights = Path(tempfile.mkdtemp(prefix="weights-", dir=data))
    checkpoint = case.write_checkpoint(weights)
    stage = case.stage(data, checkpoint)
    load_s = seconds(stage.load)
    inputs = {each.name: each.path for each in stage.inputs(VIDEO)}
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    machine.reset_peak_memory()

    def process_s() -> float:
        shutil.rmtree(data / RESULTS, ignore_errors=True)
        return seconds(lambda: stage.process(VIDEO, inputs))

    process_s()
    whole_s = median(process_s() for _ in range(runs))
    host_mb = machine.peak_memory_mb()
    device_mb = torch.cuda.max_memory_allocated() / 2**20 if device == "cuda" else 0.0

    half = stage.half_precision or torch.float32
    rate, per_s = matrix_rate(half, device), bandwidth(device)
    alone_s, operations_s, bytes_s = 0.0, 0.0, 0.0
    for part in case.network(stage, data):
        alone_s += median([seconds(part.call) for _ in range(runs + 2)][2:]) / part.frames
        operations_s += part.operations / rate / part.frames
        bytes_s += part.weight_bytes / per_s / part.frames

    single = stage
    if case.exact:
        single = replace(stage, half=False)
        single.load()
    one_s = seconds_each(case.one_at_a_time(single, data), ONE_AT_A_TIME)
    table.add_row(
        case.name,
        f"{frames / whole_s:.3g}",
        f"{1 / alone_s:.3g}",
        f"{100 * alone_s / (whole_s / frames):.0f} %",
        f"{100 * operations_s / alone_s:.2g} %",
        f"{100 * bytes_s / alone_s:.2g} %",
        f"{1 / one_s:.3g}",
        f"{frames / whole_s * one_s:.1f}",
        f"{device_mb:.0f}",
        f"{host_mb:.0f}",
        f"{load_s:.1f}",
    )
    shutil.rmtree(weights)


@click.command()
@click.option("--frames", default=240, show_default=True, help="Length of the clip.")
@click.option("--runs", default=3, show_default=True, help="Timed runs, of which the median.")
@click.argument("names", nargs=-1, type=click.Choice([case.name for case in CASES]))
def main(names: tuple[str, ...], frames: int, runs: int) -> None:
    """Times stages with random weights on a clip of 1920x1080 with one person in it.

    Operations: the share of the network's time that they would take at the rate of a large matrix
    product. Bytes: the share that reading its weights would take at the rate of a large copy. One
    at a time: as the originals feed the same network, in float32 (SAM 2 in bfloat16); VIMO then
    computes each window's 16 frames anew. Loading is apart.
    """
    table = Table(title=f"{frames} frames on {machine.device()}, {machine.cores()} cores")
    for header in COLUMNS:
        table.add_column(header, justify="left" if header == "stage0-" else "right")
    with tempfile.TemporaryDirectory(prefix="mimicmill-bench-") as name:
        write_clip(Path(name), frames)
        for case in CASES:
            if not names or case.name in names:
                time_case(case, Path(name), frames, runs, table)
    Console(width=130).print(table)


if __name__ == "__main__":
    main()
