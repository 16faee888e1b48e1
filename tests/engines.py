"""The images that `make images DEVICE=cpu` built, and two data folders of short clips processed by
`make dataset`: by the virtual environment, and in containers as a user who owns nothing."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import NoReturn

import docker
import pytest
from docker.errors import DockerException

from driver.settings import Settings
from stages import catalogue
from tests.pipeline.commands import CHAIN, DEMO_VIDEOS, REPOSITORY, demo_pictures, write_video

STRANGER = 12345
CLIPS = {"first": range(45), "second": range(45)}
"""Frames of each of the demo's videos."""


@dataclass(frozen=True)
class Made:
    """What a run of make left in a data folder, and what it said."""

    data: Path
    exit_code: int
    output: str


def absent(reason: str) -> NoReturn:
    """Skips, or fails where MIMICMILL_ENGINES says that engines and images must be there."""
    if os.environ.get("MIMICMILL_ENGINES") == "required":
        pytest.fail(reason)
    pytest.skip(reason)


def without_variables() -> dict[str, str]:
    """The environment without make's own and without the variables of the Makefile."""
    variables = {each.name.upper() for each in fields(Settings)}
    variables |= {"MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS"}
    return {name: value for name, value in os.environ.items() if name not in variables}


def start(*arguments: str, **environment: str) -> subprocess.Popen:
    """Starts make in the repository, as if no other make had called. With the demo's checkpoints
    the official networks find people in the clips, unless PEOPLE= says otherwise."""
    return subprocess.Popen(
        ["make", "DEVICE=cpu", "PEOPLE=official", f"BIN={sys.prefix}/bin", *arguments],
        cwd=REPOSITORY,
        env={**without_variables(), **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def make(*arguments: str, **environment: str) -> tuple[int, str]:
    """Runs make to its end; exit code and all printed."""
    process = start(*arguments, **environment)
    output, _ = process.communicate()
    return process.returncode, output


def run_image(image: docker.models.images.Image, *flags: str) -> subprocess.CompletedProcess[str]:
    """Runs an image's stage by hand, read-only and without network."""
    return subprocess.run(
        ["docker", "run", "--rm", "--read-only", "--network", "none", *flags, image.tags[0]],
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="session")
def engine() -> Iterator[docker.DockerClient]:
    try:
        client = docker.from_env()
        client.ping()
    except DockerException:
        absent("no Docker engine answers here")
    yield client
    client.close()


@pytest.fixture(scope="session")
def images(engine) -> dict[str, docker.models.images.Image]:
    """By stage or reader."""
    found = {tag: image for image in engine.images.list() for tag in image.tags}
    names = {name: f"mimicmill/{name}:cpu" for name in catalogue.IMAGES}
    if missing := [name for name in names.values() if name not in found]:
        absent(f"images are missing ({missing[0]}): make images DEVICE=cpu")
    return {stage: found[name] for stage, name in names.items()}


@pytest.fixture(scope="session")
def clips(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    for video, (name, frames) in zip(DEMO_VIDEOS, CLIPS.items(), strict=True):
        write_video(folder / f"{name}.mp4", demo_pictures(frames, video))
    return folder


@pytest.fixture(scope="session")
def real_frames(tmp_path_factory) -> Path:
    """A data folder with twelve frames of the real clip: somebody sits there."""
    data = tmp_path_factory.mktemp("real")
    (data / "videos").mkdir()
    clip = REPOSITORY / "data" / "demo_real" / "videos" / "sitting_standing.mp4"
    write_video(data / "videos" / "sits.mp4", demo_pictures(range(100, 112), clip))
    assert make("stage0-frames", "RUNNER=local", f"DATA={data}")[0] == 0
    return data


@pytest.fixture(scope="session")
def cache(tmp_path_factory) -> Path:
    """The cache root of the containers' user; theirs are readable by nobody else."""
    return strangers(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def small_disk(tmp_path_factory) -> Iterator[Path]:
    """A file system of one megabyte; `resize` gives it more."""
    folder = tmp_path_factory.mktemp("small")
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True).returncode:
        absent("only root can mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def resize(disk: Path, size: str) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", str(disk)], check=True)


@pytest.fixture(scope="session")
def contained(images, clips, cache, tmp_path_factory) -> Made:
    """The clips, processed in containers by a user whom neither image nor host knows."""
    data = with_clips(tmp_path_factory.mktemp("contained"), clips)
    strangers(data)
    code, output = make(
        "dataset", "RUNNER=docker", f"DATA={data}", f"RUN_AS={STRANGER}:{STRANGER}",
        MIMICMILL_CACHE=str(cache),
    )  # fmt: skip
    return Made(data, code, output)


@pytest.fixture(scope="session")
def local(images, clips, tmp_path_factory) -> Made:
    """The clips, processed by the virtual environment."""
    data = with_clips(tmp_path_factory.mktemp("local"), clips)
    code, output = make("dataset", "RUNNER=local", f"DATA={data}")
    return Made(data, code, output)


@pytest.fixture(scope="session")
def continued(contained, tmp_path_factory) -> Made:
    """What the containers made up to stage 1, processed on by the virtual environment."""
    return continue_locally(contained.data, tmp_path_factory.mktemp("continued"))


def continue_locally(made: Path, data: Path) -> Made:
    """Processes in `data`, by the virtual environment, what another runner made up to stage 1.

    Structure from motion of clips as short as these differs from run to run by itself.
    """
    for folder in ("videos", *(path.name for path in made.glob("input_*"))):
        shutil.copytree(made / folder, data / folder)
    stages = [stage for stage in CHAIN if stage >= "stage2"]
    done = [make(stage, "RUNNER=local", f"DATA={data}") for stage in stages]
    return Made(data, max(code for code, _ in done), "".join(output for _, output in done))


def with_clips(data: Path, clips: Path) -> Path:
    (data / "videos").mkdir()
    for clip in clips.iterdir():
        (data / "videos" / clip.name).write_bytes(clip.read_bytes())
    return data


def strangers(folder: Path) -> Path:
    """Gives a folder to the containers' user, who must also be able to reach it."""
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, STRANGER, STRANGER)
    for parent in folder.parents:
        if parent.stat().st_uid == os.getuid() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o711)
    return folder
