"""Opening files that anybody may have made: only files, not too large, and one error for all.

Whatever a library raises over the content of a file becomes an `ArtifactError`, which names file,
place and what was expected.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stages.artifacts.errors import ArtifactError

LARGEST_BYTES = 512 * 1024**2
"""Of files that are read at once. The largest of the project's own take a tenth."""
_LONGEST_REASON = 300


def check_is_file(status: os.stat_result, path: Path) -> None:
    """Refuses folders, pipes and devices, which may never end."""
    if stat.S_ISDIR(status.st_mode):
        raise ArtifactError(path, "cannot be read (a folder, expected a file)")
    if not stat.S_ISREG(status.st_mode):
        raise ArtifactError(path, "cannot be read (a pipe or a device, expected a file)")


def status_of_file(path: Path, fix: str) -> os.stat_result:
    """Raises ArtifactError where there is no file that can be read."""
    with reading(path, "a file", fix):
        status = path.stat()
        check_is_file(status, path)
    return status


def read_bytes(path: Path, fix: str, most_bytes: int = LARGEST_BYTES) -> bytes:
    """The content of a file.

    Raises:
        ArtifactError: missing, not to be read, no file or larger than `most_bytes`.
    """
    with reading(path, "a file", fix):
        # A pipe without a writer would be waited for else.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            status = os.fstat(descriptor)
            check_is_file(status, path)
            if status.st_size > most_bytes:
                problem = f"{status.st_size} bytes, expected no more than {most_bytes}"
                raise ArtifactError(path, problem, fix)
            with open(descriptor, "rb", closefd=False) as file:
                return file.read(status.st_size)
        finally:
            os.close(descriptor)


@contextmanager
def reading(path: Path, expected: str, fix: str, found: str = "not") -> Iterator[None]:
    """Whatever the block raises says that `path` is not what was expected; `fix` what to do.

    Around parsing only: a mistake of the program is not the file's.
    """
    try:
        yield
    except ArtifactError:
        raise
    except (FileNotFoundError, NotADirectoryError):
        raise ArtifactError(path, "missing", fix) from None
    except MemoryError:
        raise ArtifactError(path, f"{found} {expected} (too large for the memory)", fix) from None
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            reason = os.strerror(error.errno)
            raise ArtifactError(path, f"cannot be read ({reason})") from None
        raise ArtifactError(path, f"{found} {expected} ({reason_of(error)})", fix) from None


def reason_of(error: BaseException) -> str:
    """An error of a library in a few words."""
    text = " ".join(str(error).split())
    if isinstance(error, KeyError):
        text = f"lacks an entry, {text}"
    if isinstance(error, RecursionError):
        text = "nested too deeply"
    return (text or type(error).__name__)[:_LONGEST_REASON]
