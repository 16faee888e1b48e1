"""`make bench`: seconds and memory of the whole chain on the demo, with cold and warm caches."""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from bench import DEMO
from stages.running import ledger, machine


def run_chain(work: Path, data: str) -> tuple[list[dict], float]:
    """Runs `make dataset` on a copy of the demo videos: the ledger's entries and all seconds."""
    folder = work / data
    shutil.copytree(DEMO / "videos", folder / "videos")
    environment = {**os.environ, "MIMICMILL_CACHE": str(work / "cache")}
    command = ["make", "--no-print-directory", "dataset", f"DATA={folder}", "PATTERN="]
    started = time.monotonic()
    subprocess.run(command, env=environment, check=False)
    return ledger.read(folder), time.monotonic() - started


@click.command()
def main() -> None:
    """Process the demo twice, first with empty compilation caches, and print what it took.

    Of a stage: the slower of the two videos, which go side by side where there is no GPU, and the
    memory of both.
    """
    with tempfile.TemporaryDirectory(prefix="mimicmill-bench-") as name:
        (cold, cold_s), (warm, warm_s) = (run_chain(Path(name), data) for data in ("cold", "warm"))
    table = Table(
        title=f"Seconds for the demo's videos on {machine.device()}, {os.cpu_count()} cores"
    )
    for header in ("stage", "cold s", "warm s", "peaks of both MB"):
        table.add_column(header, justify="left" if header == "stage" else "right")
    stages = list(dict.fromkeys(entry["stage"] for entry in cold))
    for stage in stages:
        seconds = [
            max(entry["seconds"] for entry in entries if entry["stage"] == stage)
            for entries in (cold, warm)
        ]
        peak = max(
            sum(e["peak_memory_mb"] for e in entries if e["stage"] == stage)
            for entries in (cold, warm)
        )
        table.add_row(stage, f"{seconds[0]:.1f}", f"{seconds[1]:.1f}", f"{peak:.0f}")
    table.add_row("make dataset, imports included", f"{cold_s:.1f}", f"{warm_s:.1f}", "")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
