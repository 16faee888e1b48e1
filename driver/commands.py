"""The command of each stage, as a list, for each runner.

A variable means the same everywhere: the virtual environment gets it by its environment, containers
as a mounted path and by theirs.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from driver.settings import Settings, UsageError
from stages import catalogue
from stages.artifacts import layout
from stages.artifacts.video_files import printable
from stages.catalogue import Entry

DATA, CACHE = "/data", "/cache"
"""Where images expect them."""
VERDICTS = "verdicts"
"""The reader that judges what a chain has made."""


@dataclass(frozen=True)
class Mount:
    """A path of the host in a container."""

    host: Path
    inside: str
    variable: str
    """Of the stages, which names the path to them; empty where the image has it so already."""
    read_only: bool = True


def stage_command(settings: Settings, stage: Entry, names: Path | None) -> list[str]:
    """The command that runs a stage.

    Args:
        names: the file in the data folder that names the videos; None if they are named later.
    """
    if settings.runner == "local":
        start = [*_env(environment(settings)), str(settings.bin / stage.name)]
    elif settings.runner == "docker":
        start = _docker(settings, stage.name)
    else:
        start = _apptainer(settings, stage.name, stage.gpu)
    chosen = [] if names is None else ["--names", seen(settings, names)]
    more = (*settings.args, *settings.stage_args[stage.package])
    return [*start, *chosen, *flags(settings, stage), *more]


def reader_command(settings: Settings, name: str, more: list[str]) -> list[str]:
    """The command of a reader, by the virtual environment or in its image.

    Raises:
        UsageError: it has no image, or a path has a character that mounts cannot have.
    """
    given = [*more, *settings.args]
    if settings.runner in ("", "local"):
        return [*_env(environment(settings)), str(settings.bin / name), *given]
    if name not in catalogue.IMAGES:
        raise UsageError(f"{name} has no image: set RUNNER=local")
    if settings.runner == "docker":
        return [*_docker(settings, name), *given]
    return [*_apptainer(settings, name, uses_gpu=False), *given]


def flags(settings: Settings, stage: Entry) -> list[str]:
    """What the variables mean for a stage."""
    found = []
    is_auto = settings.world == catalogue.AUTO
    if stage.world:
        found += ["--gsam2", *["--auto"] * (is_auto and stage.world in catalogue.AUTO_WORLDS)]
    if stage.name == "stage2-megahunter":
        worlds = settings.data / layout.world_folder(settings.world)
        found += [] if is_auto else ["--world-reconstruction-base-dir", seen(settings, worlds)]
        found += ["--height", settings.height] if settings.height else []
    if stage.name in ("stage3-postprocess", "stage4-retarget"):
        found += [] if is_auto else ["--world", settings.world]
    if settings.curated and stage.curated:
        found.append("--curated")
    if settings.multihuman and stage.follows_people:
        found += ["--multihuman", "--top-k", str(settings.top_k)]
    return found


def seen(settings: Settings, path: Path) -> str:
    """A path in the data folder as stages see it."""
    if settings.runner == "local":
        return str(path)
    return f"{DATA}/{path.relative_to(settings.data).as_posix()}"


def mounts(settings: Settings) -> list[Mount]:
    """What containers see of the host.

    Raises:
        UsageError: a path has a character that mounts cannot have.
    """
    found = [Mount(settings.data, DATA, "", read_only=False)]
    if settings.weights:
        found.append(Mount(settings.weights, "/weights", "MIMICMILL_WEIGHTS"))
    if settings.body:
        found.append(Mount(settings.body, f"/body/{settings.body.name}", "MIMICMILL_BODY"))
    if settings.robots:
        found.append(Mount(settings.robots, "/robots", "MIMICMILL_ROBOTS"))
    cache = settings.cache if settings.runner == "docker" else settings.cache_folder
    if cache:
        found.append(Mount(cache, CACHE, "", read_only=False))
    for mount in found:
        if bad := set(",:\n") & set(os.path.abspath(mount.host)):
            raise UsageError(
                f"{printable(str(mount.host))} cannot be mounted, for it has {sorted(bad)!r} in"
                " its name: rename it, or set RUNNER=local"
            )
    return found


def limits(settings: Settings) -> dict[str, str]:
    """How much of a machine stages may use."""
    found = {}
    if settings.workers:
        found["MIMICMILL_WORKERS"] = str(settings.workers)
    if settings.gpus != "all":
        found["MIMICMILL_GPUS"] = settings.gpus
    return found


def compose(settings: Settings) -> list[str]:
    """Docker compose on the project's files."""
    gpu = ["-f", "compose.gpu.yaml"] if settings.device == "gpu" else []
    newest = ["-f", "compose.cuda13.yaml"] if settings.is_cuda_13 else []
    return ["docker", "compose", "-f", "compose.yaml", *gpu, *newest]


def environment(settings: Settings) -> dict[str, str]:
    """What the commands of the virtual environment are told."""
    found = {"MIMICMILL_DATA": str(settings.data)}
    for name in ("weights", "body", "robots", "cache"):
        if value := getattr(settings, name):
            found[f"MIMICMILL_{name.upper()}"] = str(value)
    if settings.hides_gpus:
        found["CUDA_VISIBLE_DEVICES"] = ""
    return {**found, **limits(settings)}


def _docker(settings: Settings, name: str) -> list[str]:
    """Compose's files have the mounts, and take the paths from these variables."""
    variables = {DATA: "MIMICMILL_DATA", CACHE: "MIMICMILL_CACHE"}
    paths = {
        variables.get(mount.inside, mount.variable): os.path.abspath(mount.host)
        for mount in mounts(settings)
    }
    if settings.body:
        paths["MIMICMILL_BODY_NAME"] = settings.body.name
    told = {**paths, "MIMICMILL_USER": settings.run_as, **limits(settings)}
    ports = ["--service-ports"] if name == "viewer" else []
    return [*_env(told), *compose(settings), "run", "--rm", *ports, name]


def _apptainer(settings: Settings, name: str, uses_gpu: bool) -> list[str]:
    command = [settings.apptainer, "run", "--cleanenv", "--no-home", "--pwd", DATA]
    if settings.device == "gpu" and uses_gpu:
        command.append("--nv")
    told = limits(settings)
    for mount in mounts(settings):
        read_only = ":ro" if mount.read_only else ""
        command += ["--bind", f"{os.path.abspath(mount.host)}:{mount.inside}{read_only}"]
        if mount.variable:
            told[mount.variable] = mount.inside
    for variable, value in told.items():
        command += ["--env", f"{variable}={value}"]
    return [*command, os.path.abspath(sif_file(settings, name))]


def sif_file(settings: Settings, name: str) -> Path:
    return settings.sif / f"{name}-{device_of(settings, name)}.sif"


def image(settings: Settings, name: str) -> str:
    return f"mimicmill/{name}:{device_of(settings, name)}"


def device_of(settings: Settings, name: str) -> str:
    """What the image of a stage or reader is for; readers have one for all devices."""
    is_reader = name in (reader.name for reader in catalogue.READERS)
    if is_reader:
        return "cpu"
    return "gpu-cuda13" if settings.is_cuda_13 else settings.device


def _env(variables: dict[str, str]) -> list[str]:
    return ["env", *(f"{name}={value}" for name, value in variables.items())]
