"""HDF5 files are gone through by a process of its own, in forked workers too."""

import os
import signal
import threading
from pathlib import Path

import h5py

from stages.artifacts import h5_watch


def test_a_worker_that_was_forked_while_a_file_was_read_can_read(tmp_path: Path) -> None:
    path = tmp_path / "numbers.h5"
    with h5py.File(path, "w") as file:
        file["a"] = 1
    held, done = threading.Event(), threading.Event()

    def read() -> None:
        with h5_watch._lock:
            held.set()
            done.wait()

    reader = threading.Thread(target=read)
    reader.start()
    held.wait()
    worker = os.fork()
    if worker == 0:
        signal.alarm(20)
        os._exit(0 if h5_watch.go_through(path).wait_for("") == "" else 1)
    done.set()
    reader.join()
    assert os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]) == 0
