"""One thing that a run needs, and how programs of the machine are asked."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass

from driver.settings import UsageError

PATIENCE_S = 60


@dataclass(frozen=True)
class Check:
    name: str
    good: bool
    found: str
    remedy: str
    """What to do where it is not good."""

    def line(self, coloured: bool) -> str:
        word, colour = ("ok", 32) if self.good else ("no", 31)
        if coloured:
            word = f"\033[{colour}m{word}\033[0m"
        return f"{word}  {self.name:<12} {self.found}" + ("" if self.good else f": {self.remedy}")


def require(checks: Iterable[Check]) -> None:
    """Raises UsageError at the first check that is not good."""
    for check in checks:
        if not check.good:
            raise UsageError(f"{check.name}: {check.found}: {check.remedy}")


@dataclass(frozen=True)
class Answer:
    good: bool
    text: str
    """What was printed; of an answer that is not good, the last line."""


def ask(*command: str) -> Answer:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
    except OSError as error:
        return Answer(False, f"{command[0]} cannot be run ({error.strerror})")
    except subprocess.TimeoutExpired:
        return Answer(False, f"{command[0]} gave no answer in {PATIENCE_S} s")
    if done.returncode == 0:
        return Answer(True, done.stdout.strip())
    said = (done.stderr.strip() or done.stdout.strip()).splitlines()
    return Answer(False, said[-1] if said else f"{command[0]} ended with {done.returncode}")
