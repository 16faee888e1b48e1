"""Every variable of `make`, declared once: its default, what it means, how its text is read.

Values come by the environment: no value is ever pasted into a command line for a shell.
"""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from stages import catalogue
from stages.artifacts.video_files import printable
from stages.weights.names import holds_any

NVIDIA_DEVICE = Path("/dev/nvidiactl")
WEIGHTS = Path("data/weights")
"""Taken where they hold an official checkpoint."""
RUNNERS = ("local", "docker", "apptainer", "slurm")


class UsageError(Exception):
    """What was asked for cannot be done. The message is one line: what is wrong; what to do."""

    exit_code = 2


def variable(default: str, help: str, parse: Callable[[str], Any] = str, also: str = "") -> Any:
    """A variable of make; its name is the field's, in capitals.

    Args:
        default: its text where none is given.
        also: an environment variable that is taken where the variable is not set.
    """
    return field(metadata={"default": default, "help": help, "parse": parse, "also": also})


def one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text and text not in choices:
            raise ValueError(f"is none of: {' '.join(choices)}")
        return text

    return parse


def whole_number(least: float = float("-inf")) -> Callable[[str], int]:
    def parse(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise ValueError("is not a whole number") from None
        if number < least:
            raise ValueError(f"is less than {least}")
        return number

    return parse


def metres(text: str) -> str:
    try:
        float(text or 0)
    except ValueError:
        raise ValueError("is not a number of metres") from None
    return text


def number_or_all(text: str) -> str:
    if text != "all" and not text.isdecimal():
        raise ValueError("is neither a number nor: all")
    return text


def words(text: str) -> tuple[str, ...]:
    """Words as a shell splits them, quotes and all; nothing in them is executed."""
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise ValueError(f"cannot be split into words ({error})") from None


def yes(text: str) -> bool:
    return text.lower() not in ("", "0", "no", "false")


def path(text: str) -> Path | None:
    return Path(text).expanduser() if text else None


@dataclass(frozen=True)
class Settings:
    """The variables, read; in the order in which `make help` lists them."""

    data: Path = variable(
        "data/demo", "the data folder: videos/ and all results", path, "MIMICMILL_DATA"
    )
    pattern: str = variable("", "only videos whose name contains this, in any case")
    start_idx: int = variable("0", "begin here in the sorted list of videos", whole_number())
    end_idx: int = variable("-1", "stop before this place in it; -1 for its end", whole_number())
    curated: bool = variable(
        "", "1: do what curation.jsonl decides: leave out videos, trim them, choose a person", yes
    )
    multihuman: bool = variable("", "1: follow several people, not only the largest", yes)
    top_k: int = variable("0", "of several people only the k largest; 0 for all", whole_number(0))
    height: str = variable("", "height in metres of everybody in all videos", metres)
    people: str = variable(
        catalogue.AUTO,
        "people method: official, blazepose, or auto: by what is here",
        one_of(catalogue.AUTO, *catalogue.PEOPLE_METHODS),
    )
    world: str = variable(
        catalogue.AUTO,
        "world method: megasam, align3r, sfm, ground, or auto: megasam with its checkpoints, else"
        " sfm, and ground for videos that it declines",
        one_of(catalogue.AUTO, *catalogue.WORLD_METHODS),
    )
    weights: Path | None = variable(
        "",
        "folder of your own checkpoints; else data/weights where there are some",
        path,
        "MIMICMILL_WEIGHTS",
    )
    checkpoints: tuple[str, ...] = variable(
        "", "weights: only these, by their keys in stages/weights/manifest.toml", words
    )
    accept_licenses: tuple[str, ...] = variable(
        "", "weights: names of non-commercial licences that you accept", words
    )
    commercial: bool = variable("", "weights: 1: only what allows commercial use", yes)
    bundle: Path | None = variable(
        "", "weights: an archive of them for a cluster; read in if it is there", path
    )
    body: Path | None = variable(
        "", "your own body model, such as SMPL_MALE.pkl", path, "MIMICMILL_BODY"
    )
    robots: Path | None = variable(
        "", "folder of your own robots, g1/ in it", path, "MIMICMILL_ROBOTS"
    )
    args: tuple[str, ...] = variable(
        "", "more flags for all stages; ARGS_stage4_retarget= for one", words
    )
    runner: str = variable(
        "",
        "local, docker, apptainer or slurm; else docker if it has the images",
        one_of(*RUNNERS),
    )
    device: str = variable(
        "", "cpu or gpu, of images and runs; else gpu where there is one", one_of("cpu", "gpu")
    )
    cuda: str = variable(
        "12",
        "of images for GPUs: 12, or 13 for compute capability 10 and later; doctor says which",
        one_of("12", "13"),
    )
    gpus: str = variable("all", "GPUs to use: all, or how many", number_or_all, "MIMICMILL_GPUS")
    workers: int = variable(
        "0", "at most so many videos side by side; 0 for no limit", whole_number(0),
        "MIMICMILL_WORKERS",
    )  # fmt: skip
    cache: Path | None = variable(
        "", "folder of what is compiled; else ~/.cache/mimicmill", path, "MIMICMILL_CACHE"
    )
    python: str = variable("python3", "the Python that make and `make setup` use")
    venv: Path = variable(".venv", "the virtual environment that `make setup` makes", path)
    bin: Path = variable("", "folder of the stages' commands; else VENV/bin", path)
    stages: tuple[str, ...] = variable("", "only these, of images and sif", words)
    sif: Path = variable("sif", "folder of the .sif files", path)
    apptainer: str = variable("", "apptainer or singularity; else what is installed")
    run_as: str = variable("", "user and group in Docker's containers; else yours")
    shards: int = variable("8", "slurm: at most so many tasks a stage", whole_number(1))
    sbatch_args: tuple[str, ...] = variable("", "slurm: what every task asks for", words)
    sbatch_gpu_args: tuple[str, ...] = variable(
        "", "slurm: what tasks with a GPU ask for besides; else --gres=gpu:1", words
    )
    format: tuple[str, ...] = variable(
        "",
        "export: trainers, such as mjlab holosoma, or all; retarget: smpl or capture53",
        words,
    )
    motions: tuple[str, ...] = variable("", "retarget: files of people's joints", words)
    mesh: Path | None = variable("", "retarget: the place that these happened on, an OBJ", path)
    robot: str = variable("", "export: the G1's joints: 29, 23 or unitree23")
    seeds: str = variable("", "evaluate: scenes to render and process first, such as 1,2")
    site: str = variable("site.mk", "a makefile with settings that stay")
    stage_args: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """More flags for one stage, by its package: ARGS_stage4_retarget."""
    body_why: str = ""
    """Why it is this body, where BODY does not say it."""
    people_why: str = ""
    """Why it is this people method, as it follows on its name."""
    world_why: str = ""
    """The same of the world method."""
    dry_run: bool = False
    """`make -n`: commands are shown, not run."""

    @property
    def cache_folder(self) -> Path:
        return self.cache or Path("~/.cache/mimicmill").expanduser()

    @property
    def device_asked(self) -> str:
        """The device of images and runs as it is said to make."""
        return f"DEVICE={self.device}" + " CUDA=13" * self.is_cuda_13

    @property
    def is_cuda_13(self) -> bool:
        return self.device == "gpu" and self.cuda == "13"

    @property
    def hides_gpus(self) -> bool:
        """Whether this machine's GPUs are not to be used."""
        return self.device == "cpu" and NVIDIA_DEVICE.exists()


def read(environment: Mapping[str, str]) -> Settings:
    """The settings that an environment holds, such as make's for its commands.

    Raises:
        UsageError: a value is not what its variable wants.
    """
    values: dict[str, Any] = {
        each.name: _value(environment, each.name.upper(), **each.metadata)
        for each in fields(Settings)
        if each.metadata
    }
    # A login node does not know the GPUs of others.
    has_gpu = values["runner"] == "slurm" or NVIDIA_DEVICE.exists()
    values["device"] = values["device"] or ("gpu" if has_gpu else "cpu")
    if holds_any(WEIGHTS):
        values["weights"] = values["weights"] or WEIGHTS
    values["bin"] = values["bin"] or values["venv"] / "bin"
    values["run_as"] = values["run_as"] or f"{os.getuid()}:{os.getgid()}"
    values["apptainer"] = values["apptainer"] or next(
        filter(shutil.which, ("apptainer", "singularity")), "apptainer"
    )
    if "SBATCH_GPU_ARGS" not in environment:
        number = "1" if values["gpus"] == "all" else values["gpus"]
        asks = values["device"] == "gpu" and number != "0"
        values["sbatch_gpu_args"] = (f"--gres=gpu:{number}",) if asks else ()
    stage_args = {
        entry.package: _value(environment, f"ARGS_{entry.package}", "", "", words, "")
        for entry in catalogue.STAGES
    }
    return Settings(
        **values, stage_args=stage_args, dry_run=_only_shows(environment.get("MAKEFLAGS", ""))
    )


def _value(
    environment: Mapping[str, str],
    name: str,
    default: str,
    help: str,
    parse: Callable[[str], Any],
    also: str,
) -> Any:
    text = environment.get(name) or environment.get(also) or default
    try:
        return parse(text)
    except ValueError as error:
        said = name if environment.get(name) else also
        raise UsageError(f"{said}={shlex.quote(printable(text))} {error}") from None


def _only_shows(makeflags: str) -> bool:
    """Whether make was asked to run nothing: -n, -q or -t are among its first word of letters."""
    letters = makeflags.split(" ")[0]
    return not letters.startswith("-") and "=" not in letters and bool(set("nqt") & set(letters))
