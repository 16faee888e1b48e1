"""`slurm/` in the data folder: what was submitted, and what the scheduler says of it.

A submission is a folder: `shard-0.txt` and so on name the videos of each task, `jobs.json` has the
job array of each stage; tasks add `<stage>-<task>.log` and, at their end, `<stage>-<task>.code`.
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from driver.files import write_names, write_text
from driver.settings import UsageError

FOLDER = "slurm"


class SchedulerError(UsageError):
    """Slurm does not answer."""


@dataclass(frozen=True)
class Task:
    """One stage of one shard."""

    folder: Path
    stage: str
    job: str
    shard: int
    videos: tuple[str, ...]

    @property
    def name(self) -> str:
        """What Slurm calls it."""
        return f"{self.job}_{self.shard}"

    @property
    def log(self) -> Path:
        return self.folder / f"{self.stage}-{self.shard}.log"

    @property
    def exit_code(self) -> int | None:
        """None if it has not ended by itself."""
        try:
            return int((self.folder / f"{self.stage}-{self.shard}.code").read_text())
        except (OSError, ValueError):
            return None


def write_shards(folder: Path, shards: list[list[str]]) -> None:
    """Writes the files that tasks read their videos from."""
    for number, videos in enumerate(shards):
        write_names(folder / f"shard-{number}.txt", tuple(videos))


def write_jobs(folder: Path, jobs: dict[str, str]) -> None:
    """Writes the number of each stage's job array."""
    write_text(folder / "jobs.json", json.dumps(jobs, indent=1) + "\n")


def read_tasks(data: Path) -> list[Task]:
    """All tasks ever submitted for a data folder, in the order of their submission."""
    tasks = []
    for path in sorted((data / FOLDER).glob("*/jobs.json")):
        files = [f for f in path.parent.glob("shard-*.txt") if f.stem[6:].isdecimal()]
        try:
            shards = {int(file.stem[6:]): tuple(_lines(file)) for file in files}
            jobs = dict(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, RecursionError):  # Somebody else's, or damaged.
            continue
        for stage, job in jobs.items():
            tasks += [Task(path.parent, stage, job, n, shards[n]) for n in sorted(shards)]
    return tasks


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").split("\n")[:-1]


def live() -> dict[str, str]:
    """State of each of the caller's tasks that waits or runs, such as {"12_3": "RUNNING"}.

    Raises:
        SchedulerError: Slurm does not answer.
    """
    lines = _ask("squeue", "--noheader", "--array", "-u", str(os.getuid()), "-o", "%F_%K %T")
    return dict(line.split() for line in lines)


def ending(task: str) -> str:
    """What Slurm remembers of a task that has ended, such as TIMEOUT; empty if nothing."""
    for command in (
        ("scontrol", "--oneliner", "show", "job", task),
        ("sacct", "--noheader", "--parsable2", "-X", "-j", task, "-o", "State"),
    ):
        try:
            words = " ".join(_ask(*command)).split()
        except SchedulerError:
            continue
        if command[0] == "sacct" and words:
            return words[0]
        for word in words:
            if word.startswith("JobState="):
                return word.partition("=")[2]
    return ""


def _ask(*command: str) -> list[str]:
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        raise SchedulerError(
            f"{command[0]} is not installed here: run this on a login node of the cluster"
        ) from None
    if done.returncode:
        said = done.stderr.strip().rpartition("\n")[2]
        raise SchedulerError(f"Slurm does not answer ({said}): try later")
    return done.stdout.splitlines()
