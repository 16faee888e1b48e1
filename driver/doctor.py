"""Whether this machine can run the stages: a line a check, or before a run the first bad one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from driver import setup
from driver.checks import folders, gpus, models, runners
from driver.checks.check import Check, ask, require
from driver.settings import Settings
from stages import catalogue
from stages.catalogue import Entry

MEMINFO = Path("/proc/meminfo")


def doctor(settings: Settings, stages: list[Entry]) -> int:
    """Prints a line for everything that a run needs; 1 if any is red."""
    all_good = True
    for check in _all_checks(settings, stages):
        print(check.line(sys.stdout.isatty()), flush=True)
        all_good = all_good and check.good
    return 0 if all_good else 1


def require_all(settings: Settings, stages: list[Entry]) -> None:
    """Makes sure that a run can begin, in the time that its user will not notice.

    Raises:
        UsageError: something is missing.
    """
    require(runners.needs(settings, [stage.name for stage in stages]))
    require(folders.needs(settings))
    # An engine would make it, and nobody but root could write there.
    if settings.runner != "local" and (settings.cache or settings.runner != "docker"):
        settings.cache_folder.mkdir(parents=True, exist_ok=True)


def _all_checks(settings: Settings, stages: list[Entry]) -> Iterator[Check]:
    names = [stage.name for stage in stages]
    on_gpu = [stage.name for stage in stages if stage.gpu]
    can_run = True
    for check in runners.needs(settings, names):
        can_run = can_run and check.good
        yield check
    if can_run:
        yield from runners.readers(settings)
    if settings.runner == "slurm" and runners.slurm_programs().good:
        yield runners.controller()
    # Jobs of a cluster have other machines' GPUs and memory.
    if settings.runner != "slurm":
        if settings.device == "gpu" and on_gpu:
            yield from _gpu_checks(settings, on_gpu, can_run)
        if MEMINFO.exists():
            worker_mb = max(stage.memory_mb for stage in stages)
            yield folders.memory(MEMINFO.read_text(), worker_mb)
    yield from folders.data(settings.data)
    yield from folders.needs(settings)
    # Images have them inside.
    if settings.runner == "local":
        methods = {stage.people for stage in stages}
        if catalogue.OFFICIAL in methods:
            yield folders.filled("demo weights", folders.DEMO_WEIGHTS, "git checkout data/weights")
        if catalogue.BLAZEPOSE in methods:
            for key in setup.wanted_weights(settings):
                name = "BlazePose" if key == setup.WEIGHTS else "its heavy"
                weights = setup.check_weights(settings, key)
                yield Check(name, weights.good, weights.text, "or make setup")
    yield from models.models(settings, stages)


def _gpu_checks(settings: Settings, stages: list[str], can_run: bool) -> Iterator[Check]:
    if settings.runner == "local" and can_run:
        yield runners.gpu_for_pytorch(settings)
    if settings.runner == "docker" and can_run:
        yield runners.gpus_for_containers()
    table = ask("nvidia-smi", gpus.QUERY, "--format=csv,noheader")
    yield from gpus.check(table, runners.labels(settings, stages))
    if found := gpus.parse(table.text):
        yield gpus.needed(found, "" if settings.runner == "local" else settings.cuda)
