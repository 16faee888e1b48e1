"""How many videos are processed side by side, and with how many threads each."""

import os
import sys

import pytest
import torch

from stages.running import machine, workers

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="workers are forks, on Linux only")


@pytest.fixture
def quiet_machine(monkeypatch):
    """Four cores, no GPU and memory for ten workers."""
    monkeypatch.setattr(machine, "has_gpu", lambda: False)
    monkeypatch.setattr(machine, "cores", lambda: 4)
    monkeypatch.setattr(machine, "free_memory_mb", lambda: 10.5 * workers.WORKER_MEMORY_MB)
    return monkeypatch


def test_there_is_a_worker_a_core_but_none_without_a_video(quiet_machine):
    assert workers.usual_number(9) == 4
    assert workers.usual_number(2) == 2


def test_little_memory_means_fewer_workers_but_always_one(quiet_machine):
    quiet_machine.setattr(machine, "free_memory_mb", lambda: 2.5 * workers.WORKER_MEMORY_MB)
    assert workers.usual_number(9) == 2
    quiet_machine.setattr(machine, "free_memory_mb", lambda: 100.0)
    assert workers.usual_number(9) == 1


def test_beside_a_gpu_videos_follow_one_another(quiet_machine):
    quiet_machine.setattr(machine, "has_gpu", lambda: True)
    assert workers.usual_number(9) == 1


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
