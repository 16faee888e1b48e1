"""All weights in one archive, for a cluster without a network.

It is a plain tar with the places below the folder of weights, and `SHA256SUMS`: where there is no
Python for it, `tar -xf` and `sha256sum -c SHA256SUMS` do the same.
"""

import io
import os
import shutil
import tarfile
from collections.abc import Iterable
from pathlib import Path

from stages.artifacts.atomic import replacing
from stages.weights.errors import WeightsError, shown
from stages.weights.lock import add_pins, lock_path
from stages.weights.manifest import MANIFEST, Checkpoint, read_manifest, sha256_of

SUMS = "SHA256SUMS"


def write_bundle(path: Path, checkpoints: Iterable[Checkpoint], root: Path) -> list[str]:
    """Writes the files of checkpoints, which are there and whole. Returns their places.

    Raises:
        WeightsError: the disk is full or cannot be written to.
    """
    files = {
        checkpoint.place(name): file
        for checkpoint in checkpoints
        for name, file in checkpoint.paths(root).items()
    }
    sums = "".join(f"{sha256_of(file)}  {place}\n" for place, file in files.items()).encode()
    try:
        with replacing(path) as temporary, tarfile.open(temporary, "w") as archive:
            about = tarfile.TarInfo(SUMS)
            about.size = len(sums)
            archive.addfile(about, io.BytesIO(sums))
            for place, file in files.items():
                archive.add(file.resolve(), place, recursive=False)
    except OSError as error:
        raise WeightsError(f"{shown(path)} cannot be written: {error.strerror}") from None
    return list(files)


def read_bundle(path: Path, root: Path, manifest: Path = MANIFEST) -> list[str]:
    """Puts the files of a bundle below `root`, each checked, and notes the checksums of those
    that the manifest knows none of. Returns their places; what is no checkpoint is left out.

    Raises:
        WeightsError: the bundle is damaged, holds another file than the manifest means, or
            nothing that is known.
    """
    known = {
        checkpoint.place(file.name): file
        for checkpoint in read_manifest(manifest).values()
        for file in checkpoint.files
    }
    read, pins = [], {}
    try:
        with tarfile.open(path) as archive:
            sums = _sums(archive, path)
            for member in archive:
                if member.name not in known or not member.isreg():
                    continue
                with replacing(root / member.name) as temporary:
                    inside = archive.extractfile(member)
                    assert inside is not None  # A regular file has content.
                    with open(temporary, "wb") as out:
                        shutil.copyfileobj(inside, out, 1 << 20)
                    if sha256_of(temporary) != sums.get(member.name):
                        raise WeightsError(f"{shown(path)}: {member.name} is damaged: copy it anew")
                    if wrong := known[member.name].fault(temporary):
                        raise WeightsError(f"{shown(path)}: {member.name} is {wrong}")
                read.append(member.name)
                if not known[member.name].sha256:
                    size = os.path.getsize(root / member.name)
                    pins[member.name] = {
                        "size": size, "sha256": sums[member.name], "source": path.name
                    }  # fmt: skip
    except (tarfile.TarError, EOFError) as error:
        raise WeightsError(f"{shown(path)} is damaged ({error}): copy it anew") from None
    except OSError as error:
        raise WeightsError(f"{shown(path)}: {error.strerror or error}") from None
    if not read:
        raise WeightsError(
            f"{shown(path)} holds no checkpoint that is known here: nothing was read"
        )
    if pins:
        add_pins(lock_path(manifest), pins)
        read_manifest.cache_clear()
    return read


def _sums(archive: tarfile.TarFile, path: Path) -> dict[str, str]:
    """Checksums by place; they come first."""
    first = archive.next()
    inside = archive.extractfile(first) if first is not None and first.name == SUMS else None
    if inside is None:
        raise WeightsError(f"{shown(path)} is no bundle of weights: it has no {SUMS}")
    lines = inside.read().decode().splitlines()
    return {place: found for found, _, place in (line.partition("  ") for line in lines)}
