"""A stage that computes nothing: it notes how it was called, and writes the ledger as stages do.

What becomes of its videos is in `plan.json` of the data folder, by stage: an outcome by video, or
the exit code that it stops with at once.
"""

import json
import os
import sys
import time
from pathlib import Path

NOTED = ("MIMICMILL_", "CUDA_VISIBLE_DEVICES")


def main() -> int:
    stage, data = Path(sys.argv[0]).name, Path(os.environ["MIMICMILL_DATA"])
    names = Path(sys.argv[sys.argv.index("--names") + 1]).read_text(encoding="utf-8")
    call = {
        "stage": stage,
        "flags": sys.argv[1:],
        "names": names.split("\n")[:-1],
        "environment": {name: os.environ[name] for name in os.environ if name.startswith(NOTED)},
    }
    with open(data / "calls.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps(call) + "\n")
    plan = data / "plan.json"
    planned = json.loads(plan.read_text()).get(stage, {}) if plan.exists() else {}
    if planned == "sleep":
        time.sleep(60)
    if isinstance(planned, int):
        return planned
    for video in call["names"]:
        outcome = planned.get(video, "done")
        entry = {"stage": stage, "video": video, "outcome": outcome, "reason": "as planned"}
        with open(data / "runs.jsonl", "a", encoding="utf-8") as file:
            file.write(json.dumps({**entry, "started": "2026-01-01T00:00:00+00:00"}) + "\n")
    return int("failed" in planned.values())


if __name__ == "__main__":
    sys.exit(main())
