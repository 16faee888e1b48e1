"""Commands: shown as they are run, and ended as their caller is."""

from __future__ import annotations

import shlex
import signal
import subprocess
from collections.abc import Mapping
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def show(command: list[str]) -> None:
    """Prints a command as a shell would take it."""
    print(shlex.join(command), flush=True)


def run(command: list[str], environment: Mapping[str, str] | None = None) -> int:
    """Shows a command, runs it to its end, and returns its exit code.

    That of a signal is 128 and its number, as in a shell. A signal to this process goes to the
    command, but for Ctrl-C, which the terminal sends to both.
    """
    show(command)
    got: list[int] = []
    process: subprocess.Popen[bytes] | None = None

    def pass_on(number: int, _frame: FrameType | None) -> None:
        got.append(number)
        if process is not None and number != signal.SIGINT:
            process.send_signal(number)

    before = {number: signal.signal(number, pass_on) for number in SIGNALS}
    try:
        process = subprocess.Popen(command, env=environment)
        code = process.wait()
    except FileNotFoundError:
        print(f"{command[0]} is not there")
        return 127
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    code = code if code >= 0 else 128 - code
    # What ended well although it was told to stop has stopped all the same.
    return 128 + got[0] if got and code < 2 else code


def meaning(code: int) -> str:
    """What the exit code of a signal means, which few know by heart; empty for others."""
    again = "run again to go on from here"
    if code == 137:
        return f"killed (137), perhaps out of memory; {again}"
    if code in (129, 131, 132, 133) or 134 <= code <= 159:
        return f"ended by a signal ({code}), its last words are above; {again}"
    return ""
