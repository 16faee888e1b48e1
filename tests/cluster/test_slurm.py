"""`make dataset RUNNER=slurm`: job arrays on one node with pretended GPUs, killed, requeued, rerun.

One story, told once: three videos, one of them no video. A task of stage0-vitpose is killed and one
of stage1-sfm requeued, each in the middle of a video; then everything is submitted again.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from driver.slurm.submit import TASK
from tests.data_sets import assert_people_are_alike, assert_robots_move_alike, results
from tests.engines import continue_locally, make, with_clips
from tests.pipeline.commands import REPOSITORY

pytestmark = pytest.mark.timeout(1800)
SITE = "SBATCH_GPU_ARGS := --gres=gpu:1\nSBATCH_ARGS := --time=20\n"


class Cluster:
    """Submits the data set of a folder and looks at what becomes of it."""

    def __init__(self, data: Path, site: Path, cache: Path) -> None:
        self.data = data
        self.variables = [
            "RUNNER=slurm", f"DATA={data}", f"SITE={site}", f"CACHE={cache}", "SHARDS=2",
        ]  # fmt: skip

    def submit(self, *more: str) -> tuple[int, str]:
        return make("dataset", *self.variables, *more)

    def status(self) -> str:
        code, said = make("status", *self.variables)
        assert code == 0, said
        return said

    def jobs(self, submission: int) -> dict[str, str]:
        """Number of the job array of each stage."""
        paths = sorted(self.data.glob("slurm/*/jobs.json"), key=lambda path: path.stat().st_mtime)
        return json.loads(paths[submission].read_text())

    def wait_for_work(self, stage: str, video: str) -> int:
        """Waits until a task is in the middle of a video; the process that works on it."""
        stamps = self.data / ".done" / stage
        wait(
            lambda: any('"finished": false' in p.read_text() for p in stamps.rglob(f"{video}.json"))
        )
        shards = sorted(self.data.glob("slurm/*/shard-*.txt"))
        number = next(path.stem for path in shards if video in path.read_text().split())
        found = subprocess.run(
            ["pgrep", "-f", f"^[^ ]*python[^ ]* .*{stage} .*{number}.txt"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return int(found.stdout.split()[0])

    def wait_for_the_end(self) -> None:
        wait(lambda: not said_by("squeue", "--noheader"))


def said_by(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def wait(condition: Callable[[], bool], seconds: int = 900) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


@dataclass(frozen=True)
class Story:
    """What was said on the way."""

    cluster: Cluster
    first: str
    under_way: str
    while_running: str
    after_the_kill: str
    second: str
    third: str
    at_the_end: str

    @property
    def data(self) -> Path:
        return self.cluster.data


@pytest.fixture(scope="module")
def story(slurm, clips, tmp_path_factory) -> Story:
    folder = tmp_path_factory.mktemp("slurm")
    (folder / "site.mk").write_text(SITE)
    (folder / "data").mkdir()
    cluster = Cluster(with_clips(folder / "data", clips), folder / "site.mk", folder / "cache")
    (cluster.data / "videos" / "broken.mp4").write_bytes(b"no video")

    code, first = cluster.submit()
    assert code == 0, first
    _, under_way = cluster.submit()
    process = cluster.wait_for_work("stage0-vitpose", "first")
    while_running = cluster.status()
    os.kill(process, signal.SIGKILL)
    cluster.wait_for_work("stage1-sfm", "second")
    shard = next(cluster.data.glob("slurm/*/shard-1.txt")).read_text()
    subprocess.run(
        ["scontrol", "requeue", f"{cluster.jobs(0)['stage1-sfm']}_{int('second' in shard)}"],
        check=True,
    )
    cluster.wait_for_the_end()
    after_the_kill = cluster.status()

    (cluster.data / "videos" / "broken.mp4").unlink()
    _, second = cluster.submit()
    cluster.wait_for_the_end()
    _, third = cluster.submit()
    return Story(
        cluster, first, under_way, while_running, after_the_kill, second, third, cluster.status()
    )


def test_every_stage_is_one_job_array_and_the_exact_commands_are_printed(story):
    submitted = [line for line in story.first.splitlines() if line.startswith("sbatch ")]
    assert list(story.cluster.jobs(0)) == [
        re.search(r"--job-name=(\S+)", line)[1] for line in submitted
    ]
    assert all("--array=0-1 " in line and " --time=20 " in line for line in submitted)
    assert all(" apptainer run --cleanenv --no-home " in line for line in submitted)


def test_stages_follow_one_another_and_only_those_with_a_gpu_ask_for_one(story):
    submitted = [line for line in story.first.splitlines() if line.startswith("sbatch ")]
    jobs = list(story.cluster.jobs(0).values())
    after = [re.findall(r"--dependency=aftercorr:(\d+)", line) for line in submitted]
    assert after == [[], *([job] for job in jobs[:-1])]
    without = [
        re.search(r"--job-name=(\S+)", line)[1] for line in submitted if "--gres=gpu:1" not in line
    ]
    assert without == ["stage0-frames", "stage1-ground"]


def test_a_second_submission_meanwhile_submits_nothing_twice(story):
    assert "stage0-frames: 3 of 3 videos are under way" in story.under_way
    assert "sbatch" not in story.under_way


def test_a_container_sees_the_gpu_that_slurm_chose(slurm, tmp_path):
    sif = REPOSITORY / "sif" / "stage0-frames-cpu.sif"
    subprocess.run(
        ["sbatch", "--wait", "--array=0", "--gres=gpu:2", f"--output={tmp_path}/log",
         TASK, "stage", tmp_path, "apptainer", "exec", "--cleanenv", sif, "sh", "-c",
         "echo GPUs: $CUDA_VISIBLE_DEVICES, job: $SLURM_JOB_ID."],
        check=True,
    )  # fmt: skip
    assert re.search(r"GPUs: \d,\d, job: \.", (tmp_path / "log").read_text())


def test_the_status_says_what_runs(story):
    assert re.search(
        r"stage0-vitpose \d+_\d \(1 videos\): running; .*stage0-vitpose-\d.log", story.while_running
    )
    assert counts(story.while_running, "stage0-vitpose")["running"] >= 1
    assert counts(story.while_running, "stage4-retarget")["waiting"] >= 1


def test_the_status_says_which_task_was_killed_and_which_video_failed(story):
    assert re.search(
        r"stage0-vitpose \d+_\d \(1 videos\): killed \(137\), perhaps out of memory",
        story.after_the_kill,
    )
    assert "stage0-frames broken: /data/videos/broken.mp4 is not a video" in story.after_the_kill
    assert counts(story.after_the_kill, "stage0-frames") == {
        "done": 2, "running": 0, "waiting": 0, "failed": 1, "to do": 0,
    }  # fmt: skip


def test_a_killed_task_does_not_stop_the_other_shard(story):
    assert counts(story.after_the_kill, "stage4-retarget")["done"] == 1


def test_a_requeued_task_goes_on(story):
    (log,) = [
        path
        for path in story.data.glob("slurm/*/stage1-sfm-*.log")
        if "requeued" in path.read_text()
    ]
    assert len(re.findall(r"stage1-sfm \[\d/\d\] second: done in", log.read_text())) == 1


def test_a_rerun_submits_only_what_is_missing(story):
    assert "from stage0-vitpose on: 1 of 1 videos, 1 tasks" in story.second
    assert "stage0-sam2" not in story.second
    assert "all done: nothing to submit" in story.third


def test_it_ends_with_the_data_set_that_the_local_runner_makes(story, local, tmp_path):
    assert results(story.data) == results(local.data)
    assert_people_are_alike(story.data, local.data)
    assert_robots_move_alike(story.data, continue_locally(story.data, tmp_path).data)


def test_in_the_end_all_is_done(story):
    _, *lines = table(story.at_the_end)
    assert len(lines) == len(story.cluster.jobs(0))
    for line in lines:
        assert re.fullmatch(r"stage\d-\w+ +2 +0 +0 +0 +0", line)


def test_one_stage_is_submitted_alone(slurm, clips, tmp_path):
    cluster = Cluster(with_clips(tmp_path, clips), tmp_path / "none.mk", tmp_path / "cache")
    code, said = make("stage0-frames", *cluster.variables)
    assert code == 0, said
    cluster.wait_for_the_end()
    assert list(cluster.jobs(0)) == ["stage0-frames"]
    assert counts(cluster.status(), "stage0-frames")["done"] == 2


def test_what_slurm_refuses_is_one_clear_line(slurm, clips, tmp_path):
    cluster = Cluster(with_clips(tmp_path, clips), tmp_path / "none.mk", tmp_path / "cache")
    code, said = cluster.submit("SBATCH_ARGS=--partition=nowhere")
    assert code == 2
    assert "Slurm refused stage0-frames (sbatch: error: invalid partition" in said
    assert "nothing was submitted; set SBATCH_ARGS" in said


def test_a_pattern_without_a_match_is_one_clear_line(slurm, clips, tmp_path):
    cluster = Cluster(with_clips(tmp_path, clips), tmp_path / "none.mk", tmp_path / "cache")
    code, said = cluster.submit("PATTERN=other")
    assert code == 2
    assert "videos: none of 2 videos matches PATTERN='other'" in said.splitlines()[1]


def test_a_name_with_a_line_break_is_refused_and_the_others_are_submitted(slurm, clips, tmp_path):
    cluster = Cluster(with_clips(tmp_path, clips), tmp_path / "none.mk", tmp_path / "cache")
    (tmp_path / "videos" / "first.mp4").rename(tmp_path / "videos" / "new\nline.mp4")
    code, said = make("stage0-frames", *cluster.variables)
    assert code == 2 and "failed: new\\nline.mp4: its name has control characters" in said
    cluster.wait_for_the_end()
    (shard,) = tmp_path.glob("slurm/*/shard-*.txt")
    assert shard.read_text() == "second\n"
    assert counts(cluster.status(), "stage0-frames")["done"] == 1


def test_the_doctor_finds_all_that_submission_needs(slurm, clips, tmp_path):
    code, said = make("doctor", "RUNNER=slurm", f"DATA={with_clips(tmp_path, clips)}")
    assert code == 0, said
    assert re.search(r"^ok  controller +answers$", said, flags=re.MULTILINE)


def test_without_slurm_one_line_says_where_to_go(clips, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "driver", "dataset"],
        cwd=REPOSITORY, capture_output=True, text=True,
        env={"PATH": "", "RUNNER": "slurm", "DATA": str(with_clips(tmp_path, clips))},
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == (
        "slurm: sbatch, squeue, missing: sbatch, squeue: go to a login node of the cluster, or load"
        " its module\n"
    )


def table(status: str) -> list[str]:
    """The header of the status's table and what follows it, below the choices that it names."""
    lines = status.splitlines()
    return lines[next(n for n, line in enumerate(lines) if line.split()[:1] == ["done"]) :]


def counts(status: str, stage: str) -> dict[str, int]:
    """A line of the status's table."""
    header, *lines = table(status)
    names = header.replace("to do", "to_do").split()
    line = next(line for line in lines if re.match(rf"{stage} +\d+ +\d+ ", line))
    return {name.replace("_", " "): int(n) for name, n in zip(names, line.split()[1:], strict=True)}
