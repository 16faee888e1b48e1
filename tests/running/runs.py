"""Runs of the tests' own stage, in this process or in one of their own."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from rich.console import Console

from stages.running import RunOptions, ledger, run
from tests.running.copy_stage import CopyStage, copying

SCRIPT = Path(__file__).parent / "copy_stage.py"
REPOSITORY = Path(__file__).parents[2]


def go(data: Path, stage: CopyStage | None = None, **options) -> tuple[int, list[dict]]:
    """Runs the stage; returns the exit code and the ledger's lines of this run."""
    code, entries, _ = go_and_listen(data, stage, **options)
    return code, entries


def go_and_listen(
    data: Path, stage: CopyStage | None = None, **options
) -> tuple[int, list[dict], str]:
    """The same; also what it prints."""
    before = len(ledger.read(data))
    console = Console(soft_wrap=True, highlight=False, markup=False, record=True, quiet=False)
    with console.capture() as said:
        code = run(stage or copying(data), RunOptions(workers=1, **options), console)
    return code, ledger.read(data)[before:], said.get()


def outcomes(entries: list[dict]) -> dict[str, str]:
    return {entry["video"]: entry["outcome"] for entry in entries}


def reasons(entries: list[dict]) -> dict[str, str]:
    return {entry["video"]: entry["reason"] for entry in entries}


def spawn(data: Path, workers: int = 1, **options) -> subprocess.Popen:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, str(SCRIPT), str(data), str(workers)]
    # A test run in the background of a shell ignores Ctrl-C, and its children would as well.
    options.setdefault("preexec_fn", lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    return subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )


def go_side_by_side(data: Path, workers: int) -> tuple[int, list[dict], str]:
    """The same in a process of its own, which may fork; also what it prints."""
    before = len(ledger.read(data))
    process = spawn(data, workers)
    out, _ = process.communicate(timeout=60)
    return process.returncode, ledger.read(data)[before:], out
