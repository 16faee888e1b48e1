"""How long 16 videos take a networks' stage by one GPU, and by all of this machine.

python -m bench.stage0.gpus sam2: official sizes and random weights; each run is a process of its
own, as the stage's command is, with start and loading in it.
"""

import shutil
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import click

from bench.stage0.clip import RESULTS, VIDEO, write_clip
from stages.artifacts import layout
from stages.running import machine


def write_videos(data: Path, videos: int, frames: int) -> None:
    """So many copies of the clip, which lies on disk once."""
    write_clip(data, frames)
    for kind in (layout.IMAGES, layout.MASKS):
        for number in range(1, videos):
            (data / kind / f"{VIDEO}{number:02d}").symlink_to(data / kind / VIDEO)


def in_a_process(call: Callable[..., Any], *arguments: Any) -> Any:
    """A call's result, from a process that has computed nothing before: a run forks."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(call, *arguments).result()


def write_checkpoint(name: str, folder: Path) -> Path:
    from bench.stage0.cases import CASES

    (case,) = (case for case in CASES if case.name == name)
    return case.write_checkpoint(folder)


def run_stage(name: str, data: Path, checkpoint: Path, gpus: str) -> int:
    """The exit code of the stage over all videos."""
    from bench.stage0.cases import CASES
    from stages.running.options import RunOptions
    from stages.running.run import run

    (case,) = (case for case in CASES if case.name == name)
    return run(case.stage(data, checkpoint), RunOptions(gpus=gpus))


def time_stage(name: str, videos: int, frames: int) -> dict[str, float]:
    """Seconds by `--gpus 1` and `--gpus all`."""
    found = {}
    with tempfile.TemporaryDirectory(prefix="mimicmill-bench-") as folder:
        data, weights = Path(folder) / "data", Path(folder) / "weights"
        weights.mkdir()
        write_videos(data, videos, frames)
        checkpoint = in_a_process(write_checkpoint, name, weights)
        for gpus in ("1", "all"):
            shutil.rmtree(data / RESULTS, ignore_errors=True)
            started = time.perf_counter()
            if code := in_a_process(run_stage, name, data, checkpoint, gpus):
                raise click.ClickException(f"stage0-{name} ended with exit code {code}")
            found[gpus] = time.perf_counter() - started
    return found


@click.command()
@click.option("--videos", default=16, show_default=True, help="How many.")
@click.option("--frames", default=400, show_default=True, help="Length of each.")
@click.argument("names", nargs=-1, required=True)
def main(names: tuple[str, ...], videos: int, frames: int) -> None:
    """Times stages (sam2, vitpose, vimo, bstro) by one GPU and by all."""
    for name in names:
        found = time_stage(name, videos, frames)
        print(
            f"stage0-{name}: {videos} videos of {frames} frames: {found['1']:.1f} s by one GPU, "
            f"{found['all']:.1f} s by {len(machine.gpus())}: {found['all'] / found['1']:.2f} of it",
            flush=True,
        )


if __name__ == "__main__":
    main()
