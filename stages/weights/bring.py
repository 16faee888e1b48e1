"""Brings one checkpoint into a folder of weights: whole and checked, or not at all."""

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stages.weights.download import DiskError, Report, forget_empty, unheard
from stages.weights.errors import WeightsError
from stages.weights.lock import add_pins, lock_path
from stages.weights.manifest import MANIFEST, Checkpoint, read_manifest, sha256_of
from stages.weights.recognise import RECOGNISERS, find
from stages.weights.sources import KINDS, origin

PARTIAL = ".partial"
"""Folder, below the folder of weights, of what has not come whole yet."""


def bring(
    checkpoint: Checkpoint, root: Path, report: Report = unheard, manifest: Path = MANIFEST
) -> bool:
    """Brings a checkpoint's files below `root`. Returns False if they are there and whole already.

    Args:
        report: is told how far a download is.
        manifest: the lock file is beside it.

    Raises:
        WeightsError: no source has them as they should be; says what was wrong with each.
    """
    lock = lock_path(manifest)
    if not fault(checkpoint, root):
        _pin(checkpoint, root, "found in place", lock)
        return False
    if checkpoint.content:
        _by_content(checkpoint, root, manifest)
        return True
    if any(not file.sha256 for file in checkpoint.files):
        _writable(lock)
    try:
        _from_sources(checkpoint, root, report, lock)
    except OSError as error:
        raise WeightsError(f"{checkpoint.key}: {root}: {error.strerror or error}") from None
    return True


def _from_sources(checkpoint: Checkpoint, root: Path, report: Report, lock: Path) -> None:
    """From the first source that has the files as they should be."""
    with _staging(checkpoint, root) as staging:
        reasons = []
        for number, source in enumerate(checkpoint.sources):
            came = staging / str(number)  # What broke off is gone on with from where it came.
            came.mkdir(exist_ok=True)
            try:
                KINDS[source["kind"]](checkpoint, source, came, report)
                _check(checkpoint, came)
            except DiskError:
                raise
            except WeightsError as error:
                reasons.append(str(error))
                continue
            for file in checkpoint.files:
                target = root / checkpoint.folder / file.name
                target.parent.mkdir(parents=True, exist_ok=True)
                _settle(came / file.name, target)
            _pin(checkpoint, root, source, lock)
            shutil.rmtree(staging)
            return
    raise WeightsError(f"{checkpoint.key}: {'; '.join(reasons)}")


def fault(checkpoint: Checkpoint, root: Path) -> str:
    """What is wrong with a checkpoint below `root`: `... is missing` or damaged, or not what its
    name says; empty if all is well."""
    wrong = checkpoint.fault(root / checkpoint.folder)
    if wrong or not checkpoint.content or all(file.sha256 for file in checkpoint.files):
        return wrong
    paths = checkpoint.paths(root).values()
    return next((why for path in paths if (why := RECOGNISERS[checkpoint.content](path))), "")


def _by_content(checkpoint: Checkpoint, root: Path, manifest: Path) -> None:
    """Finds files that people have placed there under another name, or says where to get them."""
    (source,) = checkpoint.sources
    others = read_manifest(manifest).values()
    for file in checkpoint.files:
        target = root / checkpoint.folder / file.name
        if target.exists():
            raise WeightsError(f"{checkpoint.key}: {fault(checkpoint, root)}: put another there")
        known = {path for other in others for path in other.paths(root).values()}
        if find(checkpoint.content, source, target, root, known) is None:
            note = f" ({source['note']})" if "note" in source else ""
            raise WeightsError(
                f"{checkpoint.key}: register at {source['page']}{note}, put the file into"
                f" {root} under any name, and run again"
            )
    _pin(checkpoint, root, source, lock_path(manifest))


def _check(checkpoint: Checkpoint, came: Path) -> None:
    """Whether what came is what was meant; what is not goes, for it cannot be gone on with."""
    for file in checkpoint.files:
        if wrong := file.fault(came / file.name):
            (came / file.name).unlink(missing_ok=True)
            raise WeightsError(f"{file.name} came {wrong}")


def _settle(came: Path, target: Path) -> None:
    """Gives a file its name, once it is on the disk."""
    with open(came, "rb") as written:
        os.fsync(written.fileno())
    os.replace(came, target)


def _pin(checkpoint: Checkpoint, root: Path, source: Mapping[str, Any] | str, lock: Path) -> None:
    """Notes size and checksum of files of which the manifest knows none."""
    pins = {
        checkpoint.place(file.name): {
            "size": (path := root / checkpoint.folder / file.name).stat().st_size,
            "sha256": sha256_of(path),
            "source": source if isinstance(source, str) else origin(source, file.name),
        }
        for file in checkpoint.files
        if not file.sha256
    }
    if pins:
        add_pins(lock, pins)
        read_manifest.cache_clear()


def _writable(lock: Path) -> None:
    """Better before gigabytes have come than after."""
    if not os.access(lock if lock.exists() else lock.parent, os.W_OK):
        raise WeightsError(f"{lock} cannot be written, where checksums are noted: make it so")


@contextmanager
def _staging(checkpoint: Checkpoint, root: Path) -> Iterator[Path]:
    """A folder on the disk of the weights that nobody else writes to; what is left in it stays."""
    folder = root / PARTIAL / checkpoint.key
    folder.mkdir(parents=True, exist_ok=True)
    with open(root / PARTIAL / f"{checkpoint.key}.lock", "w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise WeightsError(f"{checkpoint.key}: somebody else is bringing it here") from None
        except OSError:
            pass  # A file system without locks.
        try:
            yield folder
        finally:
            Path(held.name).unlink(missing_ok=True)
            for part in folder.glob("*"):
                forget_empty(part)
            for left in (*folder.glob("*"), folder, folder.parent):
                if left.is_dir() and not any(left.iterdir()):
                    left.rmdir()
