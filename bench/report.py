"""Times and sizes of the report's pages."""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from stages.artifacts.layout import IMAGES
from stages.report.command import REPORT
from stages.report.index_page import CLIPS

CORES = 2
LINKED_FROM_BYTES = 100_000


@dataclass(frozen=True)
class Speeds:
    """Of the command as a user runs it, on two cores, the start of Python included."""

    clips: int
    made_s: float
    """Median over the clips, each made alone."""
    one_changed_s: float
    """Of the whole report when a picture of one clip has changed."""
    unchanged_s: float
    largest_mb: float
    """Of the pages' folders."""


def report_speeds(data: Path) -> Speeds:
    """Makes reports in a copy of a data folder, which has nothing but links to large files."""
    with tempfile.TemporaryDirectory(dir=data.parent) as folder:
        copy = Path(folder) / data.name
        shutil.copytree(data, copy, copy_function=_link_or_copy, ignore=_without_report)
        videos = sorted(path.name for path in (copy / IMAGES).iterdir())
        made = [_seconds(copy, "--pattern", video) for video in videos]
        unchanged = _seconds(copy)
        image = next((copy / IMAGES / videos[0]).rglob("*.jpg"))
        content = image.read_bytes()
        image.unlink()  # It may be a link.
        image.write_bytes(content + b" ")
        changed = _seconds(copy)
        sizes = [
            sum(file.stat().st_size for file in page.rglob("*"))
            for page in (copy / REPORT / CLIPS).iterdir()
        ]
    return Speeds(len(videos), statistics.median(made), changed, unchanged, max(sizes) / 1e6)


def _seconds(data: Path, *flags: str) -> float:
    command = [sys.executable, "-m", "stages.report.command", "--data-dir", str(data), *flags]
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, preexec_fn=lambda: _use(CORES))
    return time.perf_counter() - begun


def _use(cores: int) -> None:
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])


def _link_or_copy(source: str, target: str) -> None:
    large = Path(source).stat().st_size > LINKED_FROM_BYTES
    (os.link if large else shutil.copy2)(source, target)


def _without_report(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if name == REPORT]
