"""What is done, running, waiting or failed, and why: by the ledger, the locks and the scheduler."""

from __future__ import annotations

import argparse
import fcntl
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from cluster.submissions import SchedulerError, Task, ending, live, read_tasks
from stages.artifacts import layout

STATES = ("done", "running", "waiting", "failed", "to do")
ADVICE = {
    "TIMEOUT": "more time (SBATCH_ARGS=--time=...) or more SHARDS",
    "OUT_OF_MEMORY": "more memory (SBATCH_ARGS=--mem=...)",
}


@dataclass(frozen=True)
class Outcome:
    """What the ledger last said of a video in a stage."""

    outcome: str
    reason: str
    started: str


def outcomes(data: Path) -> dict[tuple[str, str], Outcome]:
    """By stage and video. Of several reconstructions of a video, one that is not done counts."""
    found: dict[tuple[str, str], Outcome] = {}
    path = data / layout.LEDGER
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            entry = json.loads(line)
        except ValueError:  # Cut short by a killed run.
            continue
        outcome = Outcome(entry["outcome"], entry["reason"], entry["started"])
        found[entry["stage"], entry["video"]] = outcome
    of_videos: dict[tuple[str, str], Outcome] = {}
    for (stage, name), outcome in found.items():
        known = of_videos.get((stage, layout.video_of(name)))
        if known is None or known.outcome in ("done", "skipped"):
            of_videos[stage, layout.video_of(name)] = outcome
    return of_videos


def at_work(data: Path, stage: str) -> set[str]:
    """Videos that a run of the stage is working on: it holds their locks."""
    found = set()
    for path in (data / layout.STAMPS / stage).glob("*.lock"):
        with open(path, "rb") as file:
            try:
                fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                found.add(layout.video_of(path.stem))
    return found


def state(outcome: Outcome | None, is_at_work: bool, task: Task | None) -> str:
    """One of STATES. `task` is the live one of the video, if any."""
    if is_at_work:
        return "running"
    since = task.folder.name[:19] if task else ""
    if outcome is None or outcome.started[:19].replace(":", "-") < since:
        return "waiting" if task else "to do"
    if outcome.outcome in ("done", "skipped"):
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
        return f"killed (137), perhaps for want of memory: {ADVICE['OUT_OF_MEMORY']}"
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
    """Why videos failed."""
    return [f"{row.stage} {row.video}: {row.reason}" for row in found if row.state == "failed"]


def main() -> None:
    parser = argparse.ArgumentParser(prog="status", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the data folder")
    parser.add_argument("stages", nargs="+", help="stages, in order")
    given = parser.parse_args()
    data = given.data.resolve()
    files = (data / "videos").glob("[!.]*")
    videos = {file.stem for file in files if file.suffix != ".json"}
    videos = videos or {video for _, video in outcomes(data)}
    try:
        queue = live() if read_tasks(data) else {}
        found = rows(data, given.stages, videos, queue)
        news = news_of_tasks(found, queue)
    except SchedulerError as error:
        print(f"{error}; until then, what waits counts as to do")
        found, news = rows(data, given.stages, videos, {}), []
    print("\n".join(table(found) + news + failures(found)))


if __name__ == "__main__":
    main()
