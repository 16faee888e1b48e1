"""Which checkpoints and which body the chain would use, and by what it would level and mesh."""

from __future__ import annotations

import os
from collections.abc import Iterator

from driver.checks.check import Check, ask
from driver.settings import WEIGHTS, Settings
from stages import catalogue
from stages.catalogue import Entry
from stages.weights.names import FILES, OF_STAGE_3, SMPL, USUAL, chosen

DEMO = WEIGHTS / "demo"
NAMES = {
    "grounding_dino": "DINO",
    "sam2": "SAM 2",
    "vitpose": "ViTPose",
    "vimo": "VIMO",
    "bstro": "BSTRO",
}
_ONLY = "the demo's, which knows rendered people only"
_LOOK = (
    "import sys; from importlib.util import find_spec as found;"
    " print(*map(found, sys.argv[1:]), sep='\\n')"
)
PACKAGES = "stages.stage3_postprocess.packages"
_WORK = {"geocalib": "gravity", "nksr": "mesh"}
_ELSE = {"geocalib": "people and the surfaces around them", "nksr": "Poisson"}


def models(settings: Settings, stages: list[Entry]) -> Iterator[Check]:
    """A line each; red where a run would end for want of it."""
    if any(stage.people == catalogue.OFFICIAL for stage in stages):
        yield from _networks(settings)
    if not settings.body:
        yield _body(settings)
    has_python = os.path.exists(settings.bin / "python")
    if settings.runner == "local" and has_python and _levels(stages):
        yield from _stage_3(settings)


def _levels(stages: list[Entry]) -> bool:
    return any(stage.name == "stage3-postprocess" for stage in stages)


def _networks(settings: Settings) -> Iterator[Check]:
    for network, name in NAMES.items():
        if settings.runner != "local" and not settings.weights:
            yield Check(name, True, f"of the image, {_ONLY}", "")
            continue
        folder = settings.weights or WEIGHTS
        path = chosen(network, folder, None if settings.weights else DEMO)
        is_demo = DEMO.resolve() in path.resolve().parents
        found = f"{path}, {_ONLY}" if is_demo else str(path)
        remedy = f"make weights CHECKPOINTS={USUAL[network]}"
        yield Check(name, path.exists(), found if path.exists() else f"none in {folder}", remedy)


def _body(settings: Settings) -> Check:
    is_official = settings.people == catalogue.OFFICIAL and settings.weights
    if is_official and chosen("bstro", settings.weights or WEIGHTS).name in FILES["bstro"]:
        remedy = f"put SMPL's neutral body there as {SMPL}, or set BODY to it"
        return Check("body", False, f"none in {settings.weights}, BSTRO wants SMPL", remedy)
    return Check("body", True, "this project's own, CC0", "")


def _stage_3(settings: Settings) -> Iterator[Check]:
    """Of the packages that the environment of the stages has."""
    answer = ask(str(settings.bin / "python"), "-c", _LOOK, *OF_STAGE_3)
    specs = dict(zip(OF_STAGE_3, answer.text.splitlines())) if answer.good else {}
    for package, file in OF_STAGE_3.items():
        name = _WORK[package]
        if specs.get(package, "None") == "None":
            found = f"by {_ELSE[package]}, for {package} is not installed"
            yield Check(name, True, found, "")
            continue
        imports = ask(str(settings.bin / "python"), "-m", PACKAGES, package)
        if not imports.good:
            yield Check(name, False, imports.text, f"or uninstall {package}")
            continue
        folders = [folder for folder in (settings.weights, WEIGHTS) if folder]
        path = next((folder / file for folder in folders if (folder / file).exists()), None)
        found = f"by {package}, {path}" if path else f"{package} is installed, but not {file}"
        yield Check(name, path is not None, found, f"make weights CHECKPOINTS={package}")
