"""Mutated files through every reader: `python -m tests.hostile.fuzz --count 3000 --seed 0`.

Each worker is a process of its own, watched from outside: what ends it, or keeps it longer than
`SLOWEST_S`, costs one mutation, is counted, and another worker goes on with the next.
"""

import argparse
import json
import os
import random
import resource
import select
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

SLOWEST_S = 10.0
MOST_MEMORY_MB = 2000


def work(numbers: list[int], seed: int, folder: Path, pipe: int, only: str) -> None:
    """Reads mutated files, and says before each which it is, and what came of it after."""
    from stages.artifacts.errors import ArtifactError
    from tests.hostile import mutations
    from tests.hostile.readers import READERS

    readers = [each for each in READERS if only in each.name]
    good = {}
    for place, reader in enumerate(readers):
        home = folder / str(place)
        home.mkdir(parents=True, exist_ok=True)
        path = reader.make(home)
        good[place] = path, path.read_bytes()

    def say(number: int, outcome: str, detail: str = "") -> None:
        os.write(pipe, (json.dumps([number, outcome, detail[:300]]) + "\n").encode())

    for number in numbers:
        place = number % len(readers)
        reader, (path, content) = readers[place], good[place]
        mutations.mutate(path, content, random.Random(f"{seed} {number}"))
        say(number, "begun", reader.name)
        began = time.monotonic()
        try:
            reader.read(path)
            outcome, detail = "accepted", ""
        except ArtifactError as error:
            line = str(error)
            named = path.name in line or path.parent.name in line
            outcome, detail = ("refused", "") if named and "\n" not in line else ("unclear", line)
        except AssertionError as error:
            outcome, detail = "nonsense accepted", repr(error)
        except BaseException as error:
            outcome, detail = "wrong exception", repr(error)
        memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        if memory_mb > MOST_MEMORY_MB:
            outcome, detail = "over memory", f"{memory_mb} MB"
        if time.monotonic() - began > SLOWEST_S:
            outcome, detail = "hang", f"{time.monotonic() - began:.0f} s"
        say(number, outcome, detail)
        if outcome == "over memory":
            os._exit(3)


def fuzz(count: int, seed: int, workers: int = 2, only: str = "") -> tuple[Counter, list[str]]:
    """Counts of outcomes, and lines about the bad ones."""
    from tests.hostile.readers import READERS

    names = [each.name for each in READERS if only in each.name]
    counts: Counter = Counter()
    lines: list[str] = []
    with tempfile.TemporaryDirectory() as scratch:
        left = [list(range(first, count, workers)) for first in range(workers)]
        live: dict[int, dict] = {}

        def start(numbers: list[int]) -> None:
            if not numbers:
                return
            receive, send = os.pipe()
            folder = Path(tempfile.mkdtemp(dir=scratch))
            pid = os.fork()
            if pid == 0:
                os.close(receive)
                quiet = os.open(os.devnull, os.O_WRONLY)
                os.dup2(quiet, 1)
                os.dup2(quiet, 2)
                try:
                    work(numbers, seed, folder, send, only)
                except BaseException as error:  # A mistake of the test, which must be heard of.
                    os.write(
                        send, (json.dumps([numbers[0], "test failed", repr(error)]) + "\n").encode()
                    )
                finally:
                    os._exit(0)
            os.close(send)
            live[receive] = {
                "pid": pid, "numbers": numbers, "text": b"", "since": time.monotonic(), "at": None,
            }  # fmt: skip

        def bad(number: int, outcome: str, detail: str) -> None:
            counts[outcome] += 1
            lines.append(f"{number} {names[number % len(names)]}: {outcome} {detail}")

        def end(receive: int, outcome: str) -> None:
            worker = live.pop(receive)
            os.close(receive)
            if outcome:
                os.kill(worker["pid"], 9)
            _, status = os.waitpid(worker["pid"], 0)
            if worker["at"] is not None:
                bad(worker["at"], outcome or "kill", f"status {status}")
                worker["numbers"] = [n for n in worker["numbers"] if n > worker["at"]]
            elif status:
                worker["numbers"] = [n for n in worker["numbers"] if n > worker.get("last", -1)]
            else:
                return
            start(worker["numbers"])

        for numbers in left:
            start(numbers)
        while live:
            ready, _, _ = select.select(list(live), [], [], 0.5)
            for receive in list(live):
                worker = live[receive]
                if receive in ready:
                    text = os.read(receive, 65536)
                    if not text:
                        end(receive, "")
                        continue
                    worker["since"] = time.monotonic()
                    *whole, worker["text"] = (worker["text"] + text).split(b"\n")
                    for line in whole:
                        number, outcome, detail = json.loads(line)
                        worker["at"] = number if outcome == "begun" else None
                        if outcome in ("accepted", "refused"):
                            counts[outcome] += 1
                        elif outcome != "begun":
                            bad(number, outcome, detail)
                        worker["last"] = number
                elif (
                    worker["at"] is not None and time.monotonic() - worker["since"] > SLOWEST_S + 2
                ):
                    end(receive, "hang")
    return counts, lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    began = time.monotonic()
    counts, lines = fuzz(given.count, given.seed, only=given.only)
    print("\n".join(lines))
    print(json.dumps({**counts, "seconds": round(time.monotonic() - began, 1)}))
    sys.exit(1 if lines else 0)


if __name__ == "__main__":
    main()
