"""Locks that end with their process, however it ends, so that none is ever left behind.

They hold between processes, containers of one machine and clients of one NFS server.
"""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_NO_LOCKS_HERE = {errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS}


class LockedError(Exception):
    """Another process holds the lock; the message says who."""


def lock(descriptor: int, wait: bool = True) -> None:
    """Locks an open file until this process closes it; does nothing where there are no locks.

    Raises:
        BlockingIOError, PermissionError: another process has it, and `wait` is false.
    """
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError as error:
        if error.errno not in _NO_LOCKS_HERE:
            raise


@contextmanager
def held(path: Path, owner: str) -> Iterator[None]:
    """Holds the lock of a file, in which others can read who has it.

    The file stays, empty: somebody else may have it open already, to lock it next.

    Raises:
        LockedError: another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+b", buffering=0) as file:
        try:
            lock(file.fileno(), wait=False)
        except (BlockingIOError, PermissionError) as error:
            file.seek(0)
            raise LockedError(file.read().decode() or "another process") from error
        with suppress(OSError):  # On a full disk the lock holds without its text.
            file.truncate(0)
            file.write(owner.encode())
            os.fsync(file.fileno())  # For readers on other machines.
        try:
            yield
        finally:
            with suppress(OSError):
                file.truncate(0)
