"""What each runner needs: the virtual environment, an engine with images, .sif files, Slurm."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator

from driver import commands
from driver.checks.check import Answer, Check, ask
from driver.checks.gpus import Labels
from driver.settings import Settings
from stages import catalogue


def needs(settings: Settings, stages: list[str]) -> Iterator[Check]:
    """What the runner needs to run these stages; what needs something that is missing is not asked
    for.
    """
    if settings.runner == "local":
        yield environment(settings, stages)
    elif settings.runner == "docker":
        engine_is_good = True
        for check in engine_checks():
            engine_is_good = engine_is_good and check.good
            yield check
        if engine_is_good:
            yield images(settings, stages)
    else:
        if settings.runner == "slurm":
            yield slurm_programs()
        yield installed(settings.apptainer)
        yield sif_files(settings, stages)


def readers(settings: Settings) -> Iterator[Check]:
    """Whether results can be looked at with this runner, too. No run needs it: it is never bad."""
    names = [reader.name for reader in catalogue.READERS if reader.has_image]
    if settings.runner == "local":
        check = environment(settings, names)
    elif settings.runner == "docker":
        check = images(settings, names)
    else:
        check = sif_files(settings, names)
    found = check.found if check.good else f"{check.found}: {check.remedy}"
    yield Check("to look", True, found, "")


def environment(settings: Settings, stages: list[str]) -> Check:
    missing = [stage for stage in stages if not os.path.exists(settings.bin / stage)]
    return Check("environment", not missing, _missing(str(settings.bin), missing), "make setup")


def engine_checks() -> Iterator[Check]:
    """Docker, its engine and compose."""
    if shutil.which("docker") is None:
        yield Check("docker", False, "not installed", "install it, or set RUNNER=local")
        return
    yield engine(ask("docker", "info", "--format", "{{json .}}"))
    version = ask("docker", "compose", "version", "--short")
    found = version.text if version.good else "docker has no compose v2"
    yield Check("compose", version.good, found, "install its plugin (docker-compose-plugin)")


def engine(info: Answer) -> Check:
    """Of `docker info` as JSON, whose exit code is 0 without an engine too."""
    said = json.loads(info.text) if info.good else {"ServerErrors": [info.text]}
    errors = " ".join(said.get("ServerErrors") or [])
    found = f"Docker {said['ServerVersion']}" if not errors else f"none answers ({errors})"
    return Check("engine", not errors, found, "start it, join its group, or set RUNNER=local")


def engine_has() -> set[str]:
    """The images that the engine has, if one answers."""
    said = ask("docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}")
    return set(said.text.split()) if said.good else set()


def images(settings: Settings, stages: list[str]) -> Check:
    there = engine_has()
    missing = [stage for stage in stages if commands.image(settings, stage) not in there]
    found = _missing(f"for {settings.device}", missing)
    return Check("images", not missing, found, f"make images {settings.device_asked}")


def gpus_for_containers() -> Check:
    return hands_out_gpus(ask("docker", "info", "--format", "{{json .}}"))


def hands_out_gpus(info: Answer) -> Check:
    """Of `docker info` as JSON."""
    said = json.loads(info.text)
    by_runtime = "nvidia" in said["Runtimes"]
    devices = [device["ID"] for device in said.get("DiscoveredDevices") or []]
    by_cdi = any(device.startswith("nvidia.com/gpu=") for device in devices)
    found = "by NVIDIA's runtime" if by_runtime else "by CDI" if by_cdi else "the engine has none"
    remedy = "install NVIDIA's container toolkit, restart the engine"
    return Check("GPUs inside", by_runtime or by_cdi, found, remedy)


def gpu_for_pytorch(settings: Settings) -> Check:
    """A sum on the GPU: where PyTorch has no code for it, that fails as well."""
    sums = "import torch; print(torch.ones(2, device='cuda').sum())"
    said = ask(str(settings.bin / "python"), "-c", sums)
    remedy = "install a build of PyTorch for this GPU, or set DEVICE=cpu"
    return Check("PyTorch", said.good, f"on the GPU: {said.text}", remedy)


def installed(apptainer: str) -> Check:
    version = ask(apptainer, "--version")
    remedy = "install Apptainer, load its module, or set RUNNER=local"
    return Check("apptainer", version.good, version.text, remedy)


def sif_files(settings: Settings, stages: list[str]) -> Check:
    files = {stage: commands.sif_file(settings, stage) for stage in stages}
    missing = [stage for stage, file in files.items() if not os.path.isfile(file)]
    found = _missing(f"for {settings.device} in {settings.sif}", missing)
    remedy = f"make sif {settings.device_asked}, or set SIF to the folder of the .sif files"
    return Check(".sif files", not missing, found, remedy)


def slurm_programs() -> Check:
    """Submission asks stages what they have done, so Apptainer is needed on the login node too."""
    absent = [program for program in ("sbatch", "squeue") if shutil.which(program) is None]
    remedy = "go to a login node of the cluster, or load its module"
    return Check("slurm", not absent, _missing("sbatch, squeue", absent), remedy)


def controller() -> Check:
    said = ask("sinfo", "--noheader")
    found = "answers" if said.good else f"does not answer ({said.text})"
    return Check("controller", said.good, found, "set SLURM_CONF, or ask who runs the cluster")


def labels(settings: Settings, stages: list[str]) -> Labels:
    """Labels of the images or .sif files that are there."""
    found = {}
    for stage in stages:
        if settings.runner == "docker":
            name = commands.image(settings, stage)
            said = ask("docker", "image", "inspect", "--format", "{{json .Config.Labels}}", name)
            if said.good:
                found[stage] = json.loads(said.text) or {}
        elif settings.runner in ("apptainer", "slurm"):
            file = str(commands.sif_file(settings, stage))
            said = ask(settings.apptainer, "inspect", "--json", "--labels", file)
            if said.good:
                found[stage] = json.loads(said.text)["data"]["attributes"]["labels"]
    return found


def _missing(what: str, missing: list[str]) -> str:
    return f"{what}, missing: {', '.join(missing)}" if missing else what
