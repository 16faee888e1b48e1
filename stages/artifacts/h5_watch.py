"""Asks the process that goes through HDF5 files (`h5_probe`) whether a file can be read.

It stays for the next file and runs ahead of what is read here, on another core.
"""

import atexit
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

_SCRIPT = Path(__file__).with_name("h5_probe.py")
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
_lock = threading.RLock()


class Passage:
    """What is known of one file so far."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.passed: set[str] = set()
        self.ended = False
        self.problem = ""

    def wait_for(self, place: str) -> str:
        """Returns what is wrong with the file, once the group `place` was gone through, or all."""
        with _lock:
            while not self.ended and place not in self.passed:
                _probe_of_this_process().hear(self)
        return self.problem


class _Probe:
    def __init__(self) -> None:
        self.owner = os.getpid()
        self.process = subprocess.Popen(
            [sys.executable, "-P", str(_SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **_ONE_THREAD},
            text=True,
        )
        self.current: Passage | None = None

    def hear(self, passage: Passage) -> None:
        """Takes the next line about a file, after all about the one before."""
        if self.current is not passage:
            while self.current is not None:
                self._hear_next(self.current)
            self.current = passage
            self._ask(passage.path)
        self._hear_next(passage)

    def _ask(self, path: Path) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(str(path.absolute())) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:  # It ends between two files only if somebody ended it.
            pass

    def _hear_next(self, passage: Passage) -> None:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if line.startswith("+"):
            passage.passed.add(json.loads(line[1:]))
            return
        passage.ended, self.current = True, None
        if line.startswith("."):
            passage.problem = json.loads(line[1:])
        else:
            passage.problem = "damaged (the HDF5 library crashes or does not come to an end)"
            self.end()

    def end(self) -> None:
        global _running
        if self.owner == os.getpid():
            self.process.kill()
            self.process.wait()
            for pipe in (self.process.stdin, self.process.stdout):
                if pipe is not None:
                    pipe.close()
        _running = None


_running: _Probe | None = None
_known: dict[tuple[int, ...], Passage] = {}


def _begin_anew() -> None:
    """In a forked worker: the pipes are its parent's, and so is whoever holds the lock."""
    global _lock, _running
    _lock, _running = threading.RLock(), None


os.register_at_fork(after_in_child=_begin_anew)


def _probe_of_this_process() -> _Probe:
    global _running
    if _running is None:
        _running = _Probe()
        atexit.register(_running.end)
    return _running


def go_through(path: Path) -> Passage:
    """Begins to go through a file; one that stays as it is, once."""
    status = path.stat()
    key = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    with _lock:
        if key not in _known:
            _known[key] = Passage(path)
        return _known[key]
