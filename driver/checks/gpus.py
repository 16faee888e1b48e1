"""Whether GPUs and their driver run what images were built for. Nothing here asks the machine."""

from __future__ import annotations

import re
from dataclasses import dataclass

from driver.checks.check import Answer, Check

QUERY = "--query-gpu=name,compute_cap,driver_version,memory.total"

OLDEST_DRIVERS = {11: "450.80.02", 12: "525.60.13", 13: "580"}
"""For all minor versions of a CUDA on Linux: NVIDIA's CUDA compatibility guide, "Minor Version
Compatibility", and the release notes of the CUDA Toolkit."""

SETS = {
    "12": ("12.4", "5.0 6.0 7.0 7.5 8.0 8.6 9.0"),
    "13": ("13.0", "7.5 8.0 8.6 9.0 10.0 12.0"),
}
"""Of images, by the value of CUDA: the CUDA and compute capabilities that most are built for, as
compose's files have them."""

Labels = dict[str, dict[str, str]]
"""Labels of images, by stage."""


@dataclass(frozen=True)
class Gpu:
    name: str
    capability: str
    driver: str
    memory: str


def parse(table: str) -> list[Gpu]:
    """What nvidia-smi prints with QUERY and --format=csv,noheader."""
    rows = [line.split(", ") for line in table.splitlines()]
    return [Gpu(*row) for row in rows if len(row) == 4]


def runs(capability: str, built_for: str) -> bool:
    """Whether a GPU runs code that was built for these compute capabilities, such as "8.6 9.0".

    Code for 8.6 runs on 8.9 too, but on no earlier minor version and on no other major one.
    """
    own, targets = _numbers(capability), map(_numbers, built_for.split())
    return any(target and target[:1] == own[:1] and target <= own for target in targets)


def driver_suffices(driver: str, cuda: str) -> bool:
    (major, *_) = _numbers(cuda)
    return major in OLDEST_DRIVERS and _numbers(driver) >= _numbers(OLDEST_DRIVERS[major])


def needed(gpus: list[Gpu], chosen: str) -> Check:
    """Which set of images runs on all of these GPUs by their driver, and whether it is chosen.

    Args:
        chosen: a key of `SETS`; empty where no images are used, and any will do.
    """
    able = [
        name
        for name, (_, built_for) in SETS.items()
        if all(runs(gpu.capability, built_for) for gpu in gpus)
    ]
    fit = [name for name in able if driver_suffices(gpus[0].driver, SETS[name][0])]
    if fit:
        found = f"this machine needs {_or(fit)}"
        return Check("CUDA images", chosen in ("", *fit), found, f"set CUDA={fit[0]}")
    if not able:
        found = "no set knows all GPUs of this machine"
        return Check("CUDA images", not chosen, found, "set DEVICE=cpu")
    found = f"this machine needs {_or(able)}, and a later driver"
    return Check("CUDA images", not chosen, found, "update the driver, or set DEVICE=cpu")


def check(nvidia_smi: Answer, images: Labels) -> list[Check]:
    """Every GPU and the driver against the images that are to run on them."""
    gpus = parse(nvidia_smi.text)
    if not nvidia_smi.good or not gpus:
        found = nvidia_smi.text or "nvidia-smi lists none"
        return [Check("GPU", False, found, "install NVIDIA's driver, or set DEVICE=cpu")]
    built_for = {
        stage: labels.get("mimicmill.compute-capabilities", "none")
        for stage, labels in images.items()
    }
    checks = []
    for gpu in gpus:
        others = {
            stage: what for stage, what in built_for.items() if not runs(gpu.capability, what)
        }
        found = f"{gpu.name}, {gpu.memory}, compute capability {gpu.capability}" + _not_for(others)
        remedy = "build images for it (docs/containers.md, GPUs), or set DEVICE=cpu"
        checks.append(Check("GPU", not others, found, remedy))
    return [*checks, _driver(gpus[0].driver, images)]


def _driver(driver: str, images: Labels) -> Check:
    cuda = {stage: labels.get("mimicmill.cuda", "none") for stage, labels in images.items()}
    newer = {
        stage: f"CUDA {version}"
        for stage, version in cuda.items()
        if version != "none" and not driver_suffices(driver, version)
    }
    oldest = ", ".join(f"{oldest} for CUDA {major}" for major, oldest in OLDEST_DRIVERS.items())
    remedy = f"update it (at least {oldest}), or set DEVICE=cpu"
    return Check("driver", not newer, driver + _not_for(newer), remedy)


def _or(sets: list[str]) -> str:
    return " or ".join(f"CUDA={name}" for name in sets)


def _not_for(images: dict[str, str]) -> str:
    """Images by what they were built for, in words."""
    groups: dict[str, list[str]] = {}
    for stage, what in images.items():
        groups.setdefault(what, []).append(stage)
    return "".join(
        f"; not for {', '.join(those)} (built for {what})" for what, those in groups.items()
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))
