"""Which methods, checkpoints and body the chain would use, and by what it would level and mesh."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from driver.checks import runners
from driver.checks.check import Check, ask
from driver.settings import WEIGHTS, Settings
from stages import catalogue
from stages.catalogue import Entry
from stages.weights.names import (
    BSTRO_DATA,
    FILES,
    OF_STAGE_3,
    SMPL,
    USUAL,
    WORLD_NETWORKS,
    chosen,
)

DEMO = WEIGHTS / "demo"
NAMES = {
    "grounding_dino": "DINO",
    "sam2": "SAM 2",
    "vitpose": "ViTPose",
    "vimo": "VIMO",
    "bstro": "BSTRO",
    "megasam": "MegaSaM",
    "raft": "RAFT",
    "depth_relative": "depth",
    "depth_metric": "its scale",
    "align3r": "Align3R",
}
_ONLY = "the demo's, which knows rendered people only"
_LOOK = (
    "import sys; from importlib.util import find_spec as found;"
    " print(*map(found, sys.argv[1:]), sep='\\n')"
)
STAGE_3 = "stage3-postprocess"
_LABEL = "mimicmill.packages"
PACKAGES = "stages.stage3_postprocess.packages"
_WORK = {"geocalib": "gravity", "nksr": "mesh"}
_ELSE = {"geocalib": "upright edges, people and surfaces", "nksr": "Poisson"}


def models(settings: Settings, stages: list[Entry]) -> Iterator[Check]:
    """A line each; red where a run would end for want of it."""
    if people := {stage.people for stage in stages if stage.people}:
        yield Check("people", True, f"{' or '.join(people)}{settings.people_why}", "")
    if worlds := [stage.world for stage in stages if stage.world]:
        others = "".join(f", and {world} for videos that it declines" for world in worlds[1:])
        yield Check("world", True, worlds[0] + settings.world_why + others, "")
    if catalogue.OFFICIAL in people:
        yield from _networks(settings, FILES)
    for world in worlds:
        yield from _networks(settings, WORLD_NETWORKS.get(world, ()))
    if catalogue.BLAZEPOSE in people and settings.runner != "local":
        yield Check("BlazePose", True, "of the image", "")
    if not settings.body:
        yield _body(settings)
    if any(stage.name == STAGE_3 for stage in stages):
        yield from _stage_3(settings)


def _networks(settings: Settings, networks: Iterable[str]) -> Iterator[Check]:
    for network in networks:
        name = NAMES[network]
        if settings.runner != "local" and not settings.weights:
            yield Check(name, True, f"of the image, {_ONLY}", "")
            continue
        folder = settings.weights or WEIGHTS
        path = chosen(network, folder, None if settings.weights else DEMO)
        is_demo = DEMO.resolve() in path.resolve().parents
        found = f"{path}, {_ONLY}" if is_demo else str(path)
        remedy = f"make weights CHECKPOINTS={USUAL[network]}"
        yield Check(name, path.exists(), found if path.exists() else f"none in {folder}", remedy)
        if network == "bstro" and path.exists() and path.name in FILES[network]:
            yield from _bstros_data(path.parent)


def _bstros_data(folder: Path) -> Iterator[Check]:
    for name in BSTRO_DATA:
        if not (folder / name).exists():
            remedy = "make weights CHECKPOINTS=bstro-data"
            yield Check("BSTRO's data", False, f"no {name} in {folder}", remedy)


def _body(settings: Settings) -> Check:
    is_official = settings.people == catalogue.OFFICIAL and settings.weights
    if is_official and chosen("bstro", settings.weights or WEIGHTS).name in FILES["bstro"]:
        remedy = f"put SMPL's neutral body there as {SMPL}, or set BODY to it"
        return Check("body", False, f"none in {settings.weights}, BSTRO wants SMPL", remedy)
    return Check("body", True, "this project's own, CC0", "")


def _stage_3(settings: Settings) -> Iterator[Check]:
    """By the packages of the stage's environment or image; nothing where it cannot be asked."""
    packages = _packages(settings)
    if packages is None:
        return
    folders = [folder for folder in (settings.weights,) if folder]
    folders += [WEIGHTS] if settings.runner == "local" else []
    for package, file in OF_STAGE_3.items():
        name = _WORK[package]
        if package not in packages:
            found = f"by {_ELSE[package]}, for {package} is not installed"
            yield Check(name, True, found, "")
        elif said := packages[package]:
            yield Check(name, False, said, f"or uninstall {package}")
        else:
            path = next((folder / file for folder in folders if (folder / file).exists()), None)
            found = f"by {package}, {path}" if path else f"{package} is installed, but not {file}"
            yield Check(name, path is not None, found, f"make weights CHECKPOINTS={package}")


def _packages(settings: Settings) -> dict[str, str] | None:
    """Those that are installed, and what is wrong with them; None where nobody can be asked."""
    if settings.runner != "local":
        labels = runners.labels(settings, [STAGE_3]).get(STAGE_3)
        # An image without the import would not have been made.
        return None if labels is None else dict.fromkeys(labels.get(_LABEL, "").split(), "")
    python = str(settings.bin / "python")
    if not os.path.exists(python):
        return None
    answer = ask(python, "-c", _LOOK, *OF_STAGE_3)
    specs = dict(zip(OF_STAGE_3, answer.text.splitlines())) if answer.good else {}
    there = [package for package, spec in specs.items() if spec != "None"]
    imports = {package: ask(python, "-m", PACKAGES, package) for package in there}
    return {package: "" if said.good else said.text for package, said in imports.items()}
