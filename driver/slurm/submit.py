"""Submits what a data set lacks as Slurm job arrays: one a stage, one task a shard of videos."""

from __future__ import annotations

import shlex
import subprocess
import time
from pathlib import Path

from driver import processes
from driver.chain import names_file
from driver.commands import stage_command
from driver.files import write_names
from driver.settings import Settings, UsageError
from driver.slurm.shards import split
from driver.slurm.submissions import FOLDER, live, read_tasks, write_jobs, write_shards
from driver.videos import Chosen
from stages.catalogue import Entry

TASK = Path(__file__).with_name("task.sh")


def submit_missing(settings: Settings, stages: list[Entry], chosen: Chosen) -> int:
    """Submits every stage that a video lacks, but of no video that is under way already.

    Returns:
        0, or 1 if a video was refused.

    Raises:
        UsageError: a stage or Slurm refused; what was submitted before goes on.
    """
    waiting = live()
    under_way = {
        v for task in read_tasks(settings.data) if task.name in waiting for v in task.videos
    }
    missing = first_missing(settings, stages, chosen.names)
    now = time.strftime("%Y-%m-%dT%H-%M-%S", time.gmtime())
    if not missing:
        print("all done: nothing to submit")
    for position, stage in enumerate(stages):
        videos = missing.get(stage.name, {})
        new = {video: length for video, length in videos.items() if video not in under_way}
        if len(new) < len(videos):
            print(f"{stage.name}: {len(videos) - len(new)} of {len(videos)} videos are under way")
        if new:
            sets = split(new, settings.shards)
            print(f"from {stage.name} on: {len(new)} of {len(videos)} videos, {len(sets)} tasks")
            folder = settings.data.resolve() / FOLDER / f"{now}-{stage.name}"
            _submit(settings, stages[position:], sets, folder)
    return 1 if chosen.refused else 0


def show_submission(settings: Settings, stages: list[Entry]) -> int:
    """Prints what would be submitted if all were missing, and asks nobody."""
    for stage in stages:
        processes.show(_sbatch(settings, stage, settings.shards, Path(FOLDER, "<time>"), []))
    return 0


def first_missing(
    settings: Settings, stages: list[Entry], names: tuple[str, ...]
) -> dict[str, dict[str, int]]:
    """For each stage the videos that lack it but nothing before it, and their lengths.

    The stages themselves say what they have done; the first one also measures.
    """
    path, rest = names_file(settings), set(names)
    lengths: dict[str, int] = {}
    missing = {}
    for stage in stages:
        if not rest:
            break
        write_names(path, tuple(sorted(rest)))
        rows = _listed(settings, stage, path)
        lengths = lengths or {video: length for video, (length, _) in rows.items()}
        lacking = {video for video in rest if not rows.get(video, (0, False))[1]}
        missing[stage.name] = {video: lengths.get(video, 0) for video in lacking}
        rest -= lacking
    return {stage: videos for stage, videos in missing.items() if videos}


def _listed(settings: Settings, stage: Entry, names: Path) -> dict[str, tuple[int, bool]]:
    """Length of each named video, and whether the stage has done it."""
    command = [*stage_command(settings, stage, names), "--list"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace")
    if done.returncode > 1:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise UsageError(f"{shlex.join(command)}: {said[-1] if said else done.returncode}")
    rows = [line.split("\t") for line in done.stdout.split("\n")]
    return {row[0]: (int(row[1]), row[2] == "done") for row in rows if len(row) > 2}


def _submit(settings: Settings, stages: list[Entry], shards: list[list[str]], folder: Path) -> None:
    """Submits a job array for each stage; a shard's stages follow one another."""
    write_shards(folder, shards)
    jobs: dict[str, str] = {}
    for stage in stages:
        after = [f"--dependency=aftercorr:{job}" for job in list(jobs.values())[-1:]]
        command = _sbatch(settings, stage, len(shards), folder, after)
        processes.show(command)
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            said = " ".join(done.stderr.split())
            rest = "what was submitted before it goes on" if jobs else "nothing was submitted"
            raise UsageError(f"Slurm refused {stage.name} ({said}); {rest}; set SBATCH_ARGS")
        jobs[stage.name] = done.stdout.strip().partition(";")[0]
        write_jobs(folder, jobs)


def _sbatch(
    settings: Settings, stage: Entry, tasks: int, folder: Path, after: list[str]
) -> list[str]:
    log = f"{folder}/{stage.name}".replace("%", "%%")
    asks = (*(settings.sbatch_gpu_args if stage.gpu else ()), *settings.sbatch_args)
    return [
        "sbatch", "--parsable", f"--job-name={stage.name}", f"--array=0-{tasks - 1}",
        *after, "--kill-on-invalid-dep=yes", "--requeue", "--open-mode=append",
        f"--output={log}-%a.log", *asks,
        str(TASK), stage.name, str(folder), *stage_command(settings, stage, None),
    ]  # fmt: skip
