"""Weights out of a package of Python: its wheel is downloaded by pip, and not installed."""

import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stages.weights.errors import WeightsError
from stages.weights.manifest import sha256_of


def from_wheel(source: Mapping[str, Any], into: Path) -> None:
    """Puts the files of a source of kind `wheel` into a folder.

    It is one and the same wheel on every machine, whatever that one runs.

    Raises:
        WeightsError: pip cannot bring the wheel, it is another one, or a member is not in it.
    """
    wheel = _downloaded(source, into)
    try:
        with zipfile.ZipFile(wheel) as archive:
            for name, member in source["members"].items():
                (into / name).write_bytes(archive.read(member))
    except (KeyError, zipfile.BadZipFile) as error:
        raise WeightsError(f"{wheel.name}: {error.args[0]}") from None
    finally:
        wheel.unlink()


def _downloaded(source: Mapping[str, Any], into: Path) -> Path:
    """The wheel that pip chooses by the tags, if it is the right one."""
    wanted = f"{source['package']}=={source['version']}"
    tags = [
        *("--python-version", source["python"], "--implementation", "cp"),
        *("--abi", source["abi"], "--platform", source["platform"]),
    ]
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
        *("--no-deps", "--only-binary=:all:", *tags, "--dest", str(into), wanted),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = list(into.glob("*.whl"))
    if done.returncode or not wheels:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        reason = (said or done.stderr.splitlines() or ["no word"])[-1].removeprefix("ERROR: ")
        raise WeightsError(f"pip cannot download {wanted}: {reason}")
    (wheel,) = wheels
    if (found := sha256_of(wheel)) != source["sha256"]:
        wheel.unlink()
        raise WeightsError(
            f"{wheel.name} is not the wheel that was meant: its sha256 is {found}, "
            f"not {source['sha256']}"
        )
    return wheel
