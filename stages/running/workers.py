"""Videos side by side: forks of a run share its videos out, one a GPU or one a few cores.

Two cores do more for two videos than for one, because much of a stage runs on one core only. Forks
share what has been imported; each loads models for itself.
"""

import errno
import os
import signal
import sys
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from stages.running import machine

Say = Callable[[str], None]

_LIMITS = {
    errno.EMFILE: "open files (ulimit -n)",
    errno.ENFILE: "open files of the whole machine",
    errno.EAGAIN: "processes (ulimit -u, or the container's limit)",
    errno.ENOMEM: "memory",
}


@dataclass(frozen=True)
class Workers:
    """number: how many side by side. gpus: the one of each worker; empty without any."""

    number: int
    gpus: tuple[str, ...] = ()


def plan(
    videos: int, asked: int, uses_gpu: bool, gpus_asked: str, worker_memory_mb: float
) -> Workers:
    """One worker a GPU, of a stage that uses one; else one a core as far as memory goes.

    Args:
        asked: at most so many; 0 for no limit.
        gpus_asked: `all`, or at most so many.
        worker_memory_mb: what a worker needs, models included.

    Raises:
        ValueError: gpus_asked is neither.
    """
    most = min(videos, asked or videos)
    gpus = machine.gpus() if uses_gpu else []
    if gpus_asked != "all":
        if not gpus_asked.isdecimal():
            raise ValueError(f"--gpus {gpus_asked}: say all, or how many")
        gpus = gpus[: int(gpus_asked)]
    if gpus:
        used = tuple(gpus[: max(1, most)])
        return Workers(len(used), used)
    if asked:
        return Workers(max(1, most))
    if sys.platform != "linux":
        return Workers(1)
    by_memory = int(machine.free_memory_mb() // worker_memory_mb)
    return Workers(max(1, min(most, machine.cores(), by_memory)))


@dataclass(frozen=True)
class KilledWorker:
    """A video whose worker ended without a result."""

    video: str
    cause: str
    """The signal that killed the worker, or its exit code."""


@dataclass
class _Worker:
    process: BaseProcess
    line: Connection
    gpu: str
    video: str
    """What it works on; empty once it was told to go."""


class WorkerPool:
    """Workers that take the next video whenever they are free.

    work: processes one video in a worker, where it may say something; both come back to the parent,
    so the result has to pickle.
    """

    def __init__(self, work: Callable[[str, Say], Any], workers: Workers) -> None:
        self.work, self.plan, self.most = work, workers, workers.number
        self.workers: list[_Worker] = []
        self.left: deque[str] = deque()
        self.interrupted = False

    def run(self, videos: list[str]) -> Iterator[Any]:
        """Results, and what is said (str), as they come; a `KilledWorker` where one was killed.

        A killed worker is replaced by a new one. Where the system gives no more of them there are
        as many as it gave; if that is none, `left` has the videos that nobody took.
        """
        self.left = deque(videos)
        try:
            while self.workers or (self.left and not self.interrupted):
                while self.left and len(self.workers) < self.most and not self.interrupted:
                    try:
                        self._start(self.left[0])
                        self.left.popleft()
                    except OSError as error:
                        self.most = len(self.workers)
                        limit = _LIMITS.get(error.errno or 0, str(error))
                        number = f"{max(1, self.most)} instead of {self.plan.number}"
                        yield f"{number} videos side by side: there are no more {limit}"
                if not self.workers:
                    return
                yield from self._news(self.left)
        finally:  # Whoever waits for a video ends without its line.
            for worker in self.workers:
                worker.line.close()
                worker.process.terminate()

    def interrupt(self, _signal: int = 0, _frame: object = None) -> None:
        """Ends everybody politely; `run` still yields what they have to say. Handles signals."""
        self.interrupted = True
        for worker in self.workers:
            worker.process.terminate()

    def _start(self, video: str) -> None:
        fork = get_context("fork")
        ours, theirs = fork.Pipe()
        not_theirs = [ours, *(worker.line for worker in self.workers)]
        taken = {worker.gpu for worker in self.workers}
        gpu = next((gpu for gpu in self.plan.gpus if gpu not in taken), "")
        process = fork.Process(target=self._serve, args=(theirs, not_theirs, gpu), daemon=True)
        try:
            with warnings.catch_warnings():
                # JAX fears for its threads; they start with its first computation, in the workers.
                warnings.filterwarnings("ignore", r"os\.fork\(\) was called", RuntimeWarning)
                process.start()
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        with suppress(OSError):  # What died since is news of the next round.
            ours.send(video)
        self.workers.append(_Worker(process, ours, gpu, video))
        if self.interrupted:
            process.terminate()

    def _news(self, waiting: deque[str]) -> Iterator[Any]:
        ready = wait([worker.line for worker in self.workers])
        for worker in [worker for worker in self.workers if worker.line in ready]:
            try:
                item = worker.line.recv()
            except (EOFError, OSError):
                self.workers.remove(worker)
                worker.process.join()
                if worker.video and not self.interrupted:
                    yield KilledWorker(worker.video, _cause(worker.process.exitcode))
                continue
            yield item
            if not isinstance(item, str):
                worker.video = waiting.popleft() if waiting and not self.interrupted else ""
                with suppress(OSError):
                    worker.line.send(worker.video)

    def _serve(self, line: Connection, not_theirs: list[Connection], gpu: str) -> None:
        for other in not_theirs:
            other.close()
        # Ctrl-C reaches the whole group; the parent passes it on, once, as SIGTERM.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        # A progress bar that took the streams over is the parent's.
        sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
        if gpu:
            os.environ["CUDA_VISIBLE_DEVICES"] = gpu
        share_cores(self.plan.number)
        try:
            while video := line.recv():
                line.send(self.work(video, line.send))
        except (EOFError, OSError):  # The parent is gone.
            return


def share_cores(workers: int) -> None:
    """Leaves libraries that compute on all cores this process's share of them."""
    threads = max(1, machine.cores() // workers)
    os.environ["OMP_NUM_THREADS"] = str(threads)
    if (torch := sys.modules.get("torch")) is not None:
        torch.set_num_threads(threads)


def _cause(exit_code: int | None) -> str:
    if exit_code is None or exit_code >= 0:
        return f"exit code {exit_code}"
    return signal.Signals(-exit_code).name
