"""Turns what went wrong into one line that says what happened and what to do."""

import errno

from stages.artifacts.errors import ArtifactError
from stages.running.stage import VideoError
from stages.weights.errors import WeightsError

_FIXES = {
    errno.EFBIG: "the file is too large for the disk or quota; free space and run again",
    errno.ENOSPC: "the disk is full; free space and run again, finished videos are kept",
    errno.EDQUOT: "the disk quota is used up; free space and run again, finished videos are kept",
    errno.EACCES: "no permission; make it writable for this user or choose another folder",
    errno.EPERM: "no permission; make it writable for this user or choose another folder",
    errno.EEXIST: "a file is where a folder should be; move it or choose another folder",
    errno.ENOTDIR: "a file is where a folder should be; move it or choose another folder",
    errno.EISDIR: "a folder is where a file should be; move it or choose another folder",
    errno.ENAMETOOLONG: "a name that is too long; give the video a shorter one",
    errno.EROFS: "the folder is read-only; mount it writable or choose another folder",
}


def is_expected(error: BaseException) -> bool:
    """Whether the message alone says enough: its traceback is not worth a look."""
    return isinstance(error, VideoError | ArtifactError | WeightsError)


def one_line(error: BaseException) -> str:
    """The reason for a failure in one line."""
    if is_expected(error):
        text = str(error)
    elif isinstance(error, MemoryError):
        text = "out of memory; use a machine with more, or a shorter video"
    elif isinstance(error, OSError) and error.errno in _FIXES:
        where = f"{error.filename}: " if error.filename else ""
        text = where + _FIXES[error.errno]
    elif "out of memory" in str(error).lower():
        text = f"{type(error).__name__}: out of memory on the device; use a larger one"
    else:
        text = f"{type(error).__name__}: {error}; the log has the traceback"
    return shown(" ".join(text.split()))


def shown(text: str) -> str:
    """Text as terminals can be given it: what would steer them is spelt out."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )
