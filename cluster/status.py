"""What is done, running, waiting or failed, and why: by the ledger, the locks and the scheduler."""

from __future__ import annotations

import argparse
import fcntl
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from cluster.submissions import SchedulerError, Task, ending, live, read_tasks
from stages.artifacts.errors import ArtifactError
from stages.artifacts.layout import parse_world_name

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
    path = data / "runs.jsonl"
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            entry = json.loads(line)
        except ValueError:  # Cut short by a killed run.
            continue
        outcome = Outcome(entry["outcome"], entry["reason"], entry["started"])
        found[entry["stage"], entry["video"]] = outcome
    of_videos: dict[tuple[str, str], Outcome] = {}
    for (stage, name), outcome in found.items():
        known = of_videos.get((stage, video_of(name)))
        if known is None or known.outcome in ("done", "skipped"):
            of_videos[stage, video_of(name)] = outcome
    return of_videos


def video_of(name: str) -> str:
    """The video of a reconstruction's name, or the name itself."""
    try:
        return parse_world_name(Path(name)).video
    except ArtifactError:
        return name


def at_work(data: Path, stage: str) -> set[str]:
    """Videos that a run of the stage is working on: it holds their locks."""
    found = set()
    for path in (data / ".done" / stage).glob("*.lock"):
        with open(path, "rb") as file:
            try:
                fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                found.add(video_of(path.stem))
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
    if code > 128:
        return f"killed ({code}), perhaps for want of memory: {ADVICE['OUT_OF_MEMORY']}"
    return f"exit code {code}" if code > 1 else ""


def report(data: Path, stages: list[str], videos: set[str]) -> list[str]:
    """The lines of `make status`."""
    tasks, known = read_tasks(data), outcomes(data)
    now = live() if tasks else {}
    of_video = {(task.stage, video): task for task in tasks for video in task.videos}
    counts = {stage: Counter[str]() for stage in stages}
    reasons, ended, stopped = [], {}, set()
    for stage in stages:
        busy = at_work(data, stage)
        for video in sorted(videos):
            outcome, task = known.get((stage, video)), of_video.get((stage, video))
            is_live = task is not None and task.name in now
            found = state(outcome, video in busy, task if is_live else None)
            if found == "waiting" and video in stopped:
                found = "to do"
            if found in ("failed", "to do"):
                stopped.add(video)
            counts[stage][found] += 1
            if found == "failed" and outcome is not None:
                reasons.append(f"{stage} {video}: {outcome.reason}")
            if found != "done" and task is not None and not is_live:
                ended[task] = True
    lines = [f"{'':20}" + "".join(f"{name:>9}" for name in STATES)]
    lines += [
        f"{stage:20}" + "".join(f"{counts[stage][name]:9}" for name in STATES) for stage in stages
    ]
    for task in tasks:
        if now.get(task.name, "PENDING") != "PENDING":
            lines.append(f"{task.stage} {task.name}: {now[task.name].lower()}; {task.log}")
    for task in ended:
        if why := ended_badly(task):
            lines.append(f"{task.stage} {task.name} ({len(task.videos)} videos): {why}; {task.log}")
    return lines + reasons


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
        print("\n".join(report(data, given.stages, videos)))
    except SchedulerError as error:
        raise SystemExit(f"{error}") from None


if __name__ == "__main__":
    main()
