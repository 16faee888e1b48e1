"""What each runner needs: the virtual environment, an engine with images, .sif files, Slurm."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from doctor.check import Answer, Check, ask
from doctor.gpus import Labels


def local(venv: Path, device: str) -> list[Check]:
    checks = [Check("environment", os.path.exists(venv / ".ready"), str(venv), "make setup")]
    if device == "gpu" and checks[0].good:
        # A sum on the GPU: where PyTorch has no code for it, that fails as well.
        sums = "import torch; print(torch.ones(2, device='cuda').sum())"
        python = ask(f"{venv}/bin/python", "-c", sums)
        remedy = "install a build of PyTorch for this GPU, or set DEVICE=cpu"
        checks.append(Check("PyTorch", python.good, f"on the GPU: {python.text}", remedy))
    return checks


def docker(device: str, stages: list[str]) -> tuple[list[Check], Labels]:
    """With labels of the images that are there. Without an engine, what needs one is not asked."""
    if shutil.which("docker") is None:
        return [Check("docker", False, "not installed", "install it, or set RUNNER=local")], {}
    info = ask("docker", "info", "--format", "{{json .}}")
    version = ask("docker", "compose", "version", "--short")
    found = version.text if version.good else "docker has no compose v2"
    remedy = "install its plugin (docker-compose-plugin)"
    checks = [engine(info), Check("compose", version.good, found, remedy)]
    if not checks[0].good:
        return checks, {}
    images = {}
    for stage in stages:
        name = f"mimicmill/{stage}:{device}"
        said = ask("docker", "image", "inspect", "--format", "{{json .Config.Labels}}", name)
        if said.good:
            images[stage] = json.loads(said.text) or {}
    missing = [stage for stage in stages if stage not in images]
    found, remedy = _missing(f"for {device}", missing), f"make images DEVICE={device}"
    checks.append(Check("images", not missing, found, remedy))
    if device == "gpu":
        checks.append(gpus_for_containers(info))
    return checks, images


def engine(info: Answer) -> Check:
    """Of `docker info` as JSON, whose exit code is 0 without an engine too."""
    said = json.loads(info.text) if info.good else {"ServerErrors": [info.text]}
    errors = " ".join(said.get("ServerErrors") or [])
    found = f"Docker {said['ServerVersion']}" if not errors else f"none answers ({errors})"
    return Check("engine", not errors, found, "start it, join its group, or set RUNNER=local")


def gpus_for_containers(info: Answer) -> Check:
    said = json.loads(info.text)
    by_runtime = "nvidia" in said["Runtimes"]
    devices = [device["ID"] for device in said.get("DiscoveredDevices") or []]
    by_cdi = any(device.startswith("nvidia.com/gpu=") for device in devices)
    found = "by NVIDIA's runtime" if by_runtime else "by CDI" if by_cdi else "the engine has none"
    remedy = "install NVIDIA's container toolkit, restart the engine"
    return Check("GPUs inside", by_runtime or by_cdi, found, remedy)


def apptainer(
    program: str, device: str, sif: Path, stages: list[str]
) -> tuple[list[Check], Labels]:
    """With labels of the .sif files that are there."""
    checks = [installed(program), sifs(device, sif, stages)]
    images = {}
    for stage in stages:
        said = ask(program, "inspect", "--json", "--labels", f"{sif}/{stage}-{device}.sif")
        if said.good:
            images[stage] = json.loads(said.text)["data"]["attributes"]["labels"]
    return checks, images


def installed(program: str) -> Check:
    version = ask(program, "--version")
    remedy = "install Apptainer, load its module, or set RUNNER=local"
    return Check("apptainer", version.good, version.text, remedy)


def sifs(device: str, folder: Path, stages: list[str]) -> Check:
    missing = [stage for stage in stages if not os.path.isfile(folder / f"{stage}-{device}.sif")]
    remedy = f"make sif DEVICE={device}, or set SIF to the folder of the .sif files"
    return Check(".sif files", not missing, _missing(f"for {device} in {folder}", missing), remedy)


def slurm(program: str, device: str, sif: Path, stages: list[str]) -> list[Check]:
    """Submission asks the stages what they have done, so the login node has to run them too."""
    absent = [program for program in ("sbatch", "squeue") if shutil.which(program) is None]
    remedy = "go to a login node of the cluster, or load its module"
    checks = [Check("slurm", not absent, _missing("sbatch, squeue", absent), remedy)]
    if not absent:
        said = ask("sinfo", "--noheader")
        found = "answers" if said.good else f"does not answer ({said.text})"
        remedy = "set SLURM_CONF, or ask who runs the cluster"
        checks.append(Check("controller", said.good, found, remedy))
    return [*checks, installed(program), sifs(device, sif, stages)]


def _missing(what: str, missing: list[str]) -> str:
    return f"{what}, missing: {', '.join(missing)}" if missing else what
