"""How many videos are processed side by side, on which GPU, and with how many threads each."""

import errno
import os
import sys

import pytest
import torch
from rich.console import Console

from stages.running import RunOptions, ledger, machine, run, workers
from stages.running.workers import Workers, plan
from tests.running.copy_stage import copying
from tests.running.runs import outcomes

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="workers are forks, on Linux only")

NEED_MB = 1000.0


@pytest.fixture
def quiet_machine(monkeypatch):
    """Four cores, no GPU and memory for ten workers."""
    monkeypatch.setattr(machine, "gpus", list)
    monkeypatch.setattr(machine, "cores", lambda: 4)
    monkeypatch.setattr(machine, "free_memory_mb", lambda: 10.5 * NEED_MB)
    return monkeypatch


def test_there_is_a_worker_a_core_but_none_without_a_video(quiet_machine):
    assert plan(9, 0, True, "all", NEED_MB) == Workers(4)
    assert plan(2, 0, True, "all", NEED_MB) == Workers(2)


def test_little_memory_means_fewer_workers_but_always_one(quiet_machine):
    quiet_machine.setattr(machine, "free_memory_mb", lambda: 2.5 * NEED_MB)
    assert plan(9, 0, True, "all", NEED_MB) == Workers(2)
    quiet_machine.setattr(machine, "free_memory_mb", lambda: 100.0)
    assert plan(9, 0, True, "all", NEED_MB) == Workers(1)


def test_a_stage_that_uses_gpus_has_a_worker_on_each(quiet_machine):
    quiet_machine.setattr(machine, "gpus", lambda: ["0", "1", "2", "3", "4", "5", "6", "7"])
    assert plan(9, 0, True, "all", NEED_MB) == Workers(8, tuple("01234567"))
    assert plan(9, 0, True, "2", NEED_MB) == Workers(2, ("0", "1"))
    assert plan(3, 0, True, "all", NEED_MB) == Workers(3, ("0", "1", "2"))


def test_more_workers_than_gpus_are_as_many_as_gpus(quiet_machine):
    quiet_machine.setattr(machine, "gpus", lambda: ["0"])
    assert plan(9, 2, True, "all", NEED_MB) == Workers(1, ("0",))


def test_a_stage_without_a_gpu_has_a_worker_a_core_beside_any_gpus(quiet_machine):
    quiet_machine.setattr(machine, "gpus", lambda: ["0"])
    assert plan(9, 0, False, "all", NEED_MB) == Workers(4)
    assert plan(9, 2, False, "all", NEED_MB) == Workers(2)


def test_gpus_are_all_or_a_number(quiet_machine):
    with pytest.raises(ValueError, match="say all, or how many"):
        plan(9, 0, True, "some", NEED_MB)


def test_gpus_that_the_scheduler_did_not_give_are_not_used(monkeypatch, tmp_path):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert machine.gpus() == []


def test_free_memory_is_within_what_the_machine_has():
    total_mb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**20
    assert 0 < machine.free_memory_mb() < total_mb


def test_workers_share_the_cores(quiet_machine):
    before = torch.get_num_threads()
    quiet_machine.setenv("OMP_NUM_THREADS", "4")
    try:
        workers.share_cores(2)
        assert torch.get_num_threads() == 2
        assert os.environ["OMP_NUM_THREADS"] == "2"
    finally:
        torch.set_num_threads(before)


def test_every_worker_sees_its_own_gpu_and_a_killed_one_s_passes_to_the_next():
    def work(video: str, _say) -> str:
        if video == "die":
            os.kill(os.getpid(), 9)
        return (video, os.environ["CUDA_VISIBLE_DEVICES"])

    pool = workers.WorkerPool(work, Workers(2, ("3", "5")))
    found = list(pool.run(["die", "a", "b", "c", "d"]))
    killed = [item for item in found if isinstance(item, workers.KilledWorker)]
    assert [item.video for item in killed] == ["die"]
    assert {gpu for item in found if item not in killed for gpu in [item[1]]} <= {"3", "5"}
    assert {item[0] for item in found if item not in killed} == {"a", "b", "c", "d"}


def fork_at_most(monkeypatch, number: int, error: int) -> None:
    """Lets so many forks pass, then none, as a limit does."""
    forks, forked = os.fork, []

    def fork() -> int:
        if len(forked) == number:
            raise OSError(error, os.strerror(error))
        forked.append(1)
        return forks()

    monkeypatch.setattr(os, "fork", fork)


@pytest.mark.parametrize(
    ("error", "limit"),
    [(errno.EAGAIN, "processes (ulimit -u"), (errno.EMFILE, "open files"), (errno.ENOMEM, "mem")],
)
def test_where_the_system_forks_no_more_those_that_are_there_do_all(monkeypatch, error, limit):
    fork_at_most(monkeypatch, 2, error)
    pool = workers.WorkerPool(lambda video, _say: (video,), Workers(5))
    said, *found = pool.run(list("abcdefg"))
    assert said.startswith(f"2 instead of 5 videos side by side: there are no more {limit}")
    assert sorted(video for (video,) in found) == list("abcdefg")


def test_a_pool_without_any_worker_leaves_the_videos(monkeypatch):
    fork_at_most(monkeypatch, 0, errno.EAGAIN)
    pool = workers.WorkerPool(lambda video, _say: (video,), Workers(5))
    (said,) = pool.run(["a", "b"])
    assert "1 instead of 5" in said and list(pool.left) == ["a", "b"]


def test_a_run_without_any_worker_does_all_by_itself(monkeypatch, data):
    fork_at_most(monkeypatch, 0, errno.EAGAIN)
    assert run(copying(data), RunOptions(workers=3), Console()) == 0
    assert outcomes(ledger.read(data)) == {"a": "done", "b": "done", "c": "done"}


def test_workers_of_a_run_that_breaks_off_end():
    pool = workers.WorkerPool(lambda video, _say: (video,), Workers(2))
    results = pool.run(list("abcdef"))
    next(results)
    there = [worker.process for worker in pool.workers]
    results.close()
    for process in there:
        process.join(10)
        assert process.exitcode is not None
