"""Which people method a data folder gets, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from driver import ledger
from driver.settings import WEIGHTS, Settings
from driver.videos import names_in
from stages import catalogue
from stages.artifacts import layout
from stages.weights.names import FILES, SMPL, missing_official


def decided(settings: Settings, rendered: bool = False) -> Settings:
    """The settings with a people method and the reason for it, and the body that belongs to it.

    The official networks were trained for SMPL's body: with their own checkpoints they get it where
    `make weights` has put it, unless BODY names another.

    Args:
        rendered: every video will have ground truth, once it is there.
    """
    settings = _with_method(settings, rendered)
    folder = settings.weights or WEIGHTS
    is_own = settings.people == catalogue.OFFICIAL and not missing_official(folder)
    if settings.body or not is_own or not (folder / SMPL).exists():
        return settings
    return replace(settings, body=folder / SMPL, body_why=", for its official networks")


def _with_method(settings: Settings, rendered: bool) -> Settings:
    """What PEOPLE says; else the method that found the people of this folder before; else the
    official networks where their checkpoints are, or, with the demo's checkpoints, where every
    video has ground truth, for then it is rendered; else BlazePose.
    """
    videos = names_in(settings.data)
    before = _found_before(settings, videos)
    if settings.people != catalogue.AUTO:
        anew = before not in ("", settings.people)
        return replace(settings, people_why=f", anew, after {before}" if anew else "")
    if before:
        others = " or ".join(method for method in catalogue.PEOPLE_METHODS if method != before)
        why = f", which found the people here before (PEOPLE={others} finds them anew)"
        return replace(settings, people=before, people_why=why)
    folder = settings.weights or WEIGHTS
    missing = missing_official(folder)
    if not missing:
        return _official(settings, f", for its checkpoints are in {folder}")
    truths = settings.data / layout.TRUTH
    if rendered or (videos and all((truths / video).is_dir() for video in videos)):
        return _official(settings, " with the demo's checkpoints, for the videos are rendered")
    lacking = f" of {', '.join(missing)}" if len(missing) < len(FILES) else "s"
    why = f", for {folder} has no official checkpoint{lacking}"
    return replace(settings, people=catalogue.BLAZEPOSE, people_why=why)


def _official(settings: Settings, why: str) -> Settings:
    return replace(settings, people=catalogue.OFFICIAL, people_why=why)


def _found_before(settings: Settings, videos: Iterable[str]) -> str:
    """The method that last found the people of one of these videos; empty if none has."""
    present = set(videos)
    methods = {name: catalogue.entry_of(name).people for name in catalogue.makers(layout.MASKS)}
    for outcome in reversed(ledger.read(settings.data)):
        is_done = outcome.outcome in ("done", "skipped")
        if is_done and outcome.stage in methods and outcome.video in present:
            return methods[outcome.stage]
    return ""
