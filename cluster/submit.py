"""Submits what a data set lacks as Slurm job arrays: one a stage, one task a shard of videos."""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from cluster.shards import split
from cluster.submissions import (
    FOLDER,
    SchedulerError,
    live,
    read_tasks,
    write_jobs,
    write_shards,
)

TASK = Path(__file__).with_name("task.sh")


class SubmissionError(Exception):
    """Nothing more can be submitted. The message is one line: what is wrong; what to do."""


@dataclass(frozen=True)
class StageCommand:
    """A stage, how its container is started, and what its tasks ask of Slurm."""

    stage: str
    command: list[str]
    sbatch: list[str]


def first_missing(
    stages: list[StageCommand], select: list[str], data: Path
) -> dict[str, dict[str, int]]:
    """For each stage the chosen videos that lack it but nothing before it, and their lengths.

    The stages themselves say what they have done; the first one also chooses and measures.
    """
    first, *_ = stages
    rows = list_videos(first, select)
    if not rows:
        raise SubmissionError(f"{data}: no videos match {shlex.join(select)}; see what lies there")
    lengths = {video: length for video, length, _ in rows}
    missing = {first.stage: {video: length for video, length, done in rows if not done}}
    rest = set(lengths) - set(missing[first.stage])
    chosen = data / FOLDER / f".chosen-{os.getpid()}"
    for stage in stages[1:]:
        if not rest:
            break
        chosen.parent.mkdir(exist_ok=True)
        chosen.write_text("\n".join(sorted(rest)) + "\n", encoding="utf-8")
        try:
            rows = list_videos(stage, ["--names", f"/data/{FOLDER}/{chosen.name}"])
        finally:
            chosen.unlink()
        # A video has several lines where there are several reconstructions of it.
        lacking = rest - {video for video, _, _ in rows} | {v for v, _, done in rows if not done}
        missing[stage.stage] = {video: lengths[video] for video in lacking}
        rest -= lacking
    return {stage: videos for stage, videos in missing.items() if videos}


def list_videos(stage: StageCommand, select: list[str]) -> list[tuple[str, int, bool]]:
    """Name, length and whether it is done, of the videos that a stage would take."""
    command = [*stage.command, *select, "--list"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise SubmissionError(f"{shlex.join(command)}: {said[-1] if said else done.returncode}")
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    return [(row[0], int(row[1]), row[2] == "done") for row in rows]


def submit(stages: list[StageCommand], shards: list[list[str]], folder: Path) -> None:
    """Submits a job array for each stage; a shard's stages follow one another."""
    write_shards(folder, shards)
    jobs: dict[str, str] = {}
    for stage in stages:
        after = [f"--dependency=aftercorr:{job}" for job in list(jobs.values())[-1:]]
        command = [
            "sbatch", "--parsable", f"--job-name={stage.stage}", f"--array=0-{len(shards) - 1}",
            *after, "--kill-on-invalid-dep=yes", "--requeue", "--open-mode=append",
            f"--output={folder}/{stage.stage}-%a.log", *stage.sbatch,
            str(TASK), stage.stage, str(folder), *stage.command,
        ]  # fmt: skip
        print(shlex.join(command), flush=True)
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            said = " ".join(done.stderr.split())
            rest = "what was submitted before it goes on" if jobs else "nothing was submitted"
            raise SubmissionError(f"Slurm refused {stage.stage} ({said}); {rest}; set SBATCH_ARGS")
        jobs[stage.stage] = done.stdout.strip().partition(";")[0]
        write_jobs(folder, jobs)


def submit_missing(stages: list[StageCommand], data: Path, select: list[str], shards: int) -> None:
    """Submits every stage that a video lacks, but of no video that is under way already."""
    waiting = live()
    under_way = {v for task in read_tasks(data) if task.name in waiting for v in task.videos}
    missing = first_missing(stages, select, data)
    now = time.strftime("%Y-%m-%dT%H-%M-%S", time.gmtime())
    if not missing:
        print("all done: nothing to submit")
    for position, stage in enumerate(stages):
        videos = missing.get(stage.stage, {})
        new = {video: length for video, length in videos.items() if video not in under_way}
        if len(new) < len(videos):
            print(f"{stage.stage}: {len(videos) - len(new)} of {len(videos)} videos are under way")
        if new:
            sets = split(new, shards)
            print(f"from {stage.stage} on: {len(new)} of {len(videos)} videos, {len(sets)} tasks")
            submit(stages[position:], sets, data / FOLDER / f"{now}-{stage.stage}")


def main() -> int:
    """Returns 0, or 2 with one line that says why not all was submitted."""
    parser = argparse.ArgumentParser(prog="submit", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the data folder")
    parser.add_argument("--shards", type=int, default=8, help="at most so many tasks a stage")
    parser.add_argument("--select", default="", help="flags that choose videos")
    parser.add_argument(
        "--stage",
        nargs=3,
        action="append",
        required=True,
        metavar=("NAME", "SBATCH_ARGS", "COMMAND"),
        help="a stage, in order; what its tasks ask of Slurm, and the command that runs it",
    )
    given = parser.parse_args()
    stages = [
        StageCommand(name, shlex.split(command), shlex.split(sbatch))
        for name, sbatch, command in given.stage
    ]
    try:
        submit_missing(stages, given.data.resolve(), shlex.split(given.select), given.shards)
    except (SubmissionError, SchedulerError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
