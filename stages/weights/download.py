"""One file over HTTP: goes on where a broken transfer ended, and takes no page for a file."""

import errno
import http.client
import re
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stages.weights.errors import WeightsError, shown
from stages.weights.looks import is_web_page

ATTEMPTS = 4
"""In a row without a byte more than before."""
PAUSE_S = 1.0
"""After the first of them; twice as long after each further one."""
TIMEOUT_S = 60
CHUNK = 1 << 20

Report = Callable[[int, int], None]
"""Is told how many bytes there are, and how many there will be, 0 if nobody knows."""
_NOTE = ".from"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class DiskError(WeightsError):
    """There is no room for it, wherever it comes from."""


def unheard(done: int, total: int) -> None:
    """A report to nobody."""


class _BrokenError(Exception):
    """A transfer ended early, or the server is busy: worth another attempt."""


def download(url: str, path: Path, size: int = 0, report: Report = unheard) -> None:
    """Brings `path` to hold what `url` is, going on after what it holds from the same address.

    Args:
        size: of the whole in bytes, 0 if nobody knows.

    Raises:
        WeightsError: it is not to be had; what came so far stays, if it can be gone on with.
        DiskError: there is no room for it.
    """
    failures = 0
    while True:
        before = _held(path)
        try:
            _go_on(url, path, size, report)
            return
        except _BrokenError as error:
            failures = 0 if _held(path) > before else failures + 1
            if failures >= ATTEMPTS:
                kept = f"; {size_text(_held(path))} are kept, run again" if _held(path) else ""
                raise WeightsError(f"{_where(url)}: {error}{kept}") from None
            time.sleep(PAUSE_S * 2 ** max(failures - 1, 0))


def forget_empty(folder: Path) -> None:
    """Removes from a folder of downloads what cannot be gone on with."""
    for note in folder.glob(f"*{_NOTE}"):
        begun = note.with_name(note.name.removesuffix(_NOTE))
        if not _held(begun):
            begun.unlink(missing_ok=True)
            note.unlink()


def _held(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _go_on(url: str, path: Path, size: int, report: Report) -> None:
    start, tag = _resumable(url, path)
    if size and start == size:
        return
    headers = {"User-Agent": "mimicmill", "Accept-Encoding": "identity"}
    if start:
        headers |= {"Range": f"bytes={start}-", "If-Range": tag}
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, headers=headers), timeout=TIMEOUT_S
        ) as response:
            _receive(response, url, path, size, report)
    except urllib.error.HTTPError as error:
        _refused(error, url, path)
    except (OSError, http.client.HTTPException) as error:
        if getattr(error, "errno", None) in _FULL:
            raise DiskError(
                f"the disk is full: {shown(path.parent)}; free space and run again,"
                f" {size_text(_held(path))} of {path.name} are kept"
            ) from None
        raise _BrokenError(_reason(error)) from None


def _receive(response: Any, url: str, path: Path, size: int, report: Report) -> None:
    start, total = _extent(response)
    if start != (_held(path) if start else 0):
        path.unlink(missing_ok=True)
        raise _BrokenError("the server went on at another place than asked for")
    if response.headers.get_content_type() == "text/html":
        raise WeightsError(_no_file(url))
    if size and total and total != size:
        raise WeightsError(f"{_where(url)} has {total} bytes, expected {size}")
    free, wanted = shutil.disk_usage(path.parent).free, max(total, size) - start
    if wanted > free:
        raise DiskError(
            f"the disk is too full for {path.name}: it wants {size_text(wanted)}, of"
            f" {size_text(free)} free in {shown(path.parent)}: free space and run again"
        )
    if not start:
        tag = response.headers.get("ETag") or response.headers.get("Last-Modified") or ""
        _note(path).write_text(f"{url}\n{tag}", encoding="utf-8")
    done = _write(response, url, path, start, max(total, size), report)
    if done < max(total, size):
        raise _BrokenError(f"broke off after {size_text(done)} of {size_text(max(total, size))}")


def _write(response: Any, url: str, path: Path, start: int, total: int, report: Report) -> int:
    done = start
    with open(path, "ab" if start else "wb") as file:
        while chunk := response.read(CHUNK):
            if not done and is_web_page(chunk[:512]):
                raise WeightsError(_no_file(url))
            file.write(chunk)
            done += len(chunk)
            report(done, total)
    return done


def _extent(response: Any) -> tuple[int, int]:
    """Where the answer begins in the file, and how long this is as a whole, 0 if unknown."""
    if response.status == http.HTTPStatus.PARTIAL_CONTENT:
        given = response.headers.get("Content-Range", "")
        if found := re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", given):
            return int(found[1]), 0 if found[2] == "*" else int(found[2])
        raise _BrokenError(f"the server answers with the range {given!r}")
    return 0, int(response.headers.get("Content-Length") or 0)


def _refused(error: urllib.error.HTTPError, url: str, path: Path) -> None:
    said = f"{_where(url)}: {error.code} {error.reason}"
    if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        path.unlink(missing_ok=True)
        raise _BrokenError(said)
    if error.code in (401, 403):
        raise WeightsError(f"{said}: it wants a login")
    if error.code == http.HTTPStatus.TOO_MANY_REQUESTS or error.code >= 500:
        raise _BrokenError(f"{error.code} {error.reason}")
    raise WeightsError(said)


def _note(path: Path) -> Path:
    return path.with_name(path.name + _NOTE)


def _resumable(url: str, path: Path) -> tuple[int, str]:
    """How many bytes there are that came from this address, and what marks that version of it."""
    try:
        noted, tag = _note(path).read_text(encoding="utf-8").split("\n", 1)
    except (OSError, ValueError):
        return 0, ""
    # A weak mark, or none, does not say that the bytes are the same.
    is_strong = bool(tag) and not tag.startswith("W/")
    return (_held(path), tag) if noted == url and is_strong else (0, "")


def size_text(count: int) -> str:
    """Bytes, as people say them."""
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= unit:
            return f"{count / unit:.1f} {name}"
    return f"{count} bytes"


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", None) or str(error) or type(error).__name__
    return " ".join(str(reason).split())[:80]


def _no_file(url: str) -> str:
    return f"{_where(url)} is a web page (a login or an error), not the file"


def _where(url: str) -> str:
    """The address, without what may follow it, of a long one the start."""
    short = url.split("?")[0]
    return short if len(short) <= 90 else short[:50] + "…" + short[-39:]
