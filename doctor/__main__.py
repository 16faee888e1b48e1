"""Says in a line a check what RUNNER and DEVICE need and have here; exit code 1 if any is red."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from doctor import folders, gpus, runners
from doctor.check import Check, ask

RUNNERS = ["local", "docker", "apptainer", "slurm"]
MEMINFO = Path("/proc/meminfo")


def main() -> int:
    parser = argparse.ArgumentParser(prog="doctor", description=__doc__)
    parser.add_argument("stages", nargs="+", help="those that are to run")
    parser.add_argument("--runner", required=True, choices=RUNNERS)
    parser.add_argument("--device", required=True, help="cpu or gpu")
    for folder in ("data", "cache", "venv", "sif"):
        parser.add_argument(f"--{folder}", type=Path, required=True)
    parser.add_argument("--apptainer", default="apptainer", help="or singularity")
    all_good = True
    for check in checks(parser.parse_args()):
        print(check.line(sys.stdout.isatty()), flush=True)
        all_good = all_good and check.good
    return 0 if all_good else 1


def checks(asked: argparse.Namespace) -> Iterator[Check]:
    images: gpus.Labels = {}
    if asked.runner == "local":
        found = runners.local(asked.venv, asked.device)
    elif asked.runner == "docker":
        found, images = runners.docker(asked.device, asked.stages)
    elif asked.runner == "apptainer":
        found, images = runners.apptainer(asked.apptainer, asked.device, asked.sif, asked.stages)
    else:
        found = runners.slurm(asked.apptainer, asked.device, asked.sif, asked.stages)
    yield from found
    # Jobs of a cluster have other machines' GPUs and memory.
    if asked.runner != "slurm":
        if asked.device == "gpu":
            yield from gpus.check(ask("nvidia-smi", gpus.QUERY, "--format=csv,noheader"), images)
        if MEMINFO.exists():
            yield folders.memory(MEMINFO.read_text())
    yield from folders.data(asked.data)
    # Compose keeps the cache in a volume, unless it is told otherwise.
    if asked.runner != "docker" or "MIMICMILL_CACHE" in os.environ:
        yield folders.writable("cache", asked.cache, "CACHE")
    if own := os.environ.get("MIMICMILL_WEIGHTS"):
        yield folders.filled(
            "weights", Path(own), "set MIMICMILL_WEIGHTS to the folder of your checkpoints"
        )
    # Images have them inside.
    if asked.runner == "local":
        yield folders.filled("demo weights", folders.DEMO_WEIGHTS, "git checkout data/weights")


if __name__ == "__main__":
    sys.exit(main())
