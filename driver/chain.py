"""A chain of stages on this machine: one list of videos, one stage after the other."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from pathlib import Path

from driver import ledger, processes
from driver.checks import runners
from driver.commands import VERDICTS, reader_command, seen, stage_command
from driver.files import write_names, write_text
from driver.settings import Settings
from driver.videos import Chosen, listed
from stages.catalogue import Entry

LISTS = Path("logs", "dataset")
"""Where in the data folder the lists of videos lie, one a run, and what was chosen for it."""


def run_chain(settings: Settings, stages: list[Entry], chosen: Chosen) -> int:
    """Runs stages on the chosen videos. One that fails in a stage is left out of the later ones.

    Returns:
        0 if all is done, 1 if a video failed or was refused; else the code that a stage stopped
        with, such as 2 for a wrong flag and 130 for Ctrl-C.
    """
    names, path = chosen.names, names_file(settings)
    all_done = not chosen.refused
    for stage in stages:
        if not names:
            break
        write_names(path, names)
        before = ledger.size(settings.data)
        code = processes.run(stage_command(settings, stage, path))
        if code > 1:
            if said := processes.meaning(code):
                print(f"{stage.name}: {said}", flush=True)
            return code
        if code:
            all_done = False
            failed = failures(settings.data, stage, before)
            names = tuple(name for name in names if name not in failed)
    if len(stages) > 1 and len(names) < len(chosen.names):
        failed_ones = [name for name in chosen.names if name not in names]
        print(f"failed: {listed(failed_ones)}; make status says where and why")
    return 0 if all_done else 1


def judge(settings: Settings, chosen: Chosen) -> None:
    """Says how many results of the chosen videos are to be kept, doubted and rejected."""
    for check in runners.needs(settings, [VERDICTS]):
        if not check.good:
            print(f"verdicts: {check.name} {check.found}: {check.remedy}; then make report")
            return
    path = names_file(settings)
    write_names(path, chosen.names)
    judged = replace(settings, args=())
    processes.run(reader_command(judged, VERDICTS, ["--names", seen(settings, path)]))


def show_chain(settings: Settings, stages: list[Entry]) -> int:
    """Prints the commands that `run_chain` would run, and nothing else happens."""
    path = names_file(settings)
    for stage in stages:
        processes.show(stage_command(settings, stage, path))
    return 0


def names_file(settings: Settings) -> Path:
    """Where the list of videos of this run lies."""
    now = time.strftime("%Y-%m-%dT%H-%M-%S", time.gmtime())
    return settings.data / LISTS / f"{now}-{os.getpid()}.txt"


def write_choice(settings: Settings, stages: list[Entry]) -> None:
    """Notes beside the list of videos which methods and runner a run has, and why."""
    choice = {
        "people": settings.people,
        "people_why": settings.people_why.lstrip(", "),
        "world": settings.world,
        "world_why": settings.world_why.lstrip(", "),
        "runner": settings.runner,
        "stages": [stage.name for stage in stages],
    }
    write_text(names_file(settings).with_suffix(".json"), json.dumps(choice, indent=1) + "\n")


def failures(data: Path, stage: Entry, since: int) -> set[str]:
    """Videos whose last word in a stage, from this byte of the ledger on, is that they failed."""
    last = {
        entry.video: entry.outcome
        for entry in ledger.read(data, since)
        if entry.stage == stage.name
    }
    return {video for video, outcome in last.items() if outcome == "failed"}
