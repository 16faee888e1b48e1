"""What is done, running, waiting or failed, and why: by the ledger, the locks and the scheduler."""

from __future__ import annotations

import fcntl
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from driver import ledger
from driver.ledger import Outcome
from driver.settings import Settings
from driver.slurm.submissions import SchedulerError, Task, ending, live, read_tasks
from driver.videos import choose
from stages.artifacts import layout
from stages.artifacts.video_files import printable
from stages.catalogue import Entry

STATES = ("done", "running", "waiting", "failed", "to do")
ADVICE = {
    "TIMEOUT": "more time (SBATCH_ARGS=--time=...) or more SHARDS",
    "OUT_OF_MEMORY": "more memory (SBATCH_ARGS=--mem=...)",
}


def outcomes(data: Path) -> dict[tuple[str, str], Outcome]:
    """What the ledger last said, by stage and video."""
    return {(outcome.stage, outcome.video): outcome for outcome in ledger.read(data)}


def at_work(data: Path, stage: str) -> set[str]:
    """Videos that a run of the stage is working on: it holds their locks."""
    found = set()
    for path in (data / layout.STAMPS / stage).rglob("*.lock"):
        # It may be gone meanwhile, or not to be read; or there are no locks here.
        with suppress(OSError), open(path, "rb") as file:
            try:
                fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except (BlockingIOError, PermissionError):
                found.add(path.name[: -len(".lock")])
    return found


def state(outcome: Outcome | None, is_at_work: bool, task: Task | None) -> str:
    """One of STATES. `task` is the live one of the video, if any."""
    if is_at_work:
        return "running"
    since = task.folder.name[:19] if task else ""
    if outcome is None or outcome.started[:19].replace(":", "-") < since:
        return "waiting" if task else "to do"
    if outcome.outcome in ("done", "skipped", "declined"):
        return "done"
    return "failed" if outcome.outcome == "failed" else "to do"


def ended_badly(task: Task) -> str:
    """Why a task that has ended did not end well; empty if it did or never began."""
    if not task.log.exists():
        return ""
    code = task.exit_code
    if code is None:
        how = ending(task.name) or "ended from outside, such as by its time limit or its machine"
        return f"{how}: {ADVICE.get(how, 'run make dataset again to go on')}"
    if code == 137:
        return f"killed (137), perhaps out of memory: {ADVICE['OUT_OF_MEMORY']}"
    return f"exit code {code}, see its log" if code > 1 else ""


@dataclass(frozen=True)
class Row:
    """A video in a stage."""

    stage: str
    video: str
    state: str
    reason: str
    task: Task | None
    """The last one that was submitted for it."""


def rows(data: Path, stages: list[str], videos: set[str], queue: dict[str, str]) -> list[Row]:
    """All videos in all stages. `queue`: states of the tasks that wait or run."""
    known = outcomes(data)
    tasks = {(task.stage, video): task for task in read_tasks(data) for video in task.videos}
    found: list[Row] = []
    stopped = set()
    for stage in stages:
        busy = at_work(data, stage)
        for video in sorted(videos):
            outcome, task = known.get((stage, video)), tasks.get((stage, video))
            is_live = task is not None and task.name in queue
            now = state(outcome, video in busy, task if is_live else None)
            if now == "waiting" and video in stopped:
                now = "to do"
            if now in ("failed", "to do"):
                stopped.add(video)
            found.append(Row(stage, video, now, outcome.reason if outcome else "", task))
    return found


def table(found: list[Row]) -> list[str]:
    """How many videos of each stage are in each state."""
    counts = Counter((row.stage, row.state) for row in found)
    lines = [f"{'':20}" + "".join(f"{name:>9}" for name in STATES)]
    for stage in dict.fromkeys(row.stage for row in found):
        lines.append(f"{stage:20}" + "".join(f"{counts[stage, name]:9}" for name in STATES))
    return lines


def news_of_tasks(found: list[Row], queue: dict[str, str]) -> list[str]:
    """Tasks that run, or ended badly and why."""
    lines = []
    for task in dict.fromkeys(row.task for row in found if row.task and row.state != "done"):
        now = queue.get(task.name, "").lower()
        if now != "pending" and (what := now or ended_badly(task)):
            name = f"{task.stage} {task.name} ({len(task.videos)} videos)"
            lines.append(f"{name}: {what}; {task.log}")
    return lines


def failures(found: list[Row]) -> list[str]:
    """Why videos failed: of each the first stage that did, for later ones lack its results."""
    first: dict[str, Row] = {}
    for row in found:
        if row.state == "failed":
            first.setdefault(row.video, row)
    return [printable(f"{row.stage} {row.video}: {row.reason}") for row in first.values()]


def status(settings: Settings, stages: list[Entry]) -> int:
    """Prints a table of stages, what tasks of a cluster do, and why videos failed.

    Raises:
        UsageError: there is no data folder, or no video that is asked for.
    """
    chosen = choose(settings)
    names, videos = [stage.name for stage in stages], set(chosen.names)
    try:
        queue = live() if read_tasks(settings.data) else {}
        found = rows(settings.data, names, videos, queue)
        news = news_of_tasks(found, queue)
    except SchedulerError as error:
        print(f"{error}; until then, what waits counts as to do")
        found, news = rows(settings.data, names, videos, {}), []
    refused = [f"{name} is left out: {why}" for name, why in chosen.refused.items()]
    print(
        f"PEOPLE={settings.people}{settings.people_why}; WORLD={settings.world}{settings.world_why}"
    )
    print("\n".join(table(found) + news + failures(found) + refused))
    return 0
