"""Every image, of stages and readers, holds what its stage needs, and no more."""

import json
import os
import shutil
import subprocess

import pytest

from stages import catalogue
from tests.engines import STRANGER, make, run_image, strangers, with_clips
from tests.pipeline.commands import REPOSITORY

STAGES = list(catalogue.IMAGES)


@pytest.mark.parametrize("stage", STAGES)
def test_an_image_says_what_it_is(images, stage):
    labels = images[stage].labels
    assert labels["mimicmill.stage"] == stage
    assert labels["org.opencontainers.image.version"]
    assert labels["org.opencontainers.image.revision"]
    assert labels["mimicmill.cuda"] == "none"


@pytest.mark.parametrize("stage", STAGES)
def test_an_image_runs_its_stage(engine, images, stage):
    said = engine.containers.run(
        images[stage].id, ["--help"], remove=True, read_only=True, network_mode="none",
        user=f"{STRANGER}:{STRANGER}", tmpfs={"/cache": "mode=1777", "/data": "mode=1777"},
    )  # fmt: skip
    assert f"Usage: {stage} " in said.decode()


@pytest.mark.parametrize("stage", STAGES)
def test_an_image_has_no_compilers(engine, images, stage):
    script = "for tool in gcc cc g++ make nvcc; do command -v $tool; done; true"
    said = engine.containers.run(
        images[stage].id, ["-c", script], entrypoint="sh", remove=True, network_mode="none"
    )
    assert said.decode() == ""


def test_people_are_found_without_network_by_weights_inside_the_image(
    images, real_frames, tmp_path
):
    data, cache = tmp_path / "data", tmp_path / "cache"
    shutil.copytree(real_frames, data)
    cache.mkdir()
    strangers(tmp_path)
    code, output = make(
        "stage0-blazepose", "RUNNER=docker", f"DATA={data}", f"RUN_AS={STRANGER}:{STRANGER}",
        MIMICMILL_CACHE=str(cache),
    )  # fmt: skip
    assert code == 0, output
    assert "weights /opt/mimicmill/data/weights/blazepose" in output
    assert "1 people, somebody in 12 of 12 frames" in output


def test_only_the_image_that_needs_them_has_weights_out_of_packages(engine, images):
    for stage in ("stage0-frames", "stage0-blazepose"):
        said = engine.containers.run(
            images[stage].id, ["-c", "ls /opt/mimicmill/data/weights"], entrypoint="sh", remove=True
        )
        assert ("blazepose" in said.decode().split()) == (stage == "stage0-blazepose")


@pytest.mark.parametrize("files", [["compose.yaml"], ["compose.yaml", "compose.gpu.yaml"]])
def test_networks_of_stage_3_are_requirements_that_its_build_gets(engine, files):
    address = "geocalib @ https://example.org/some (1).zip"
    said = subprocess.run(
        ["docker", "compose", *(f"--file={file}" for file in files), "config", "--format", "json"],
        cwd=REPOSITORY,
        env={**os.environ, "MIMICMILL_DATA": "/data", "MIMICMILL_GEOCALIB": address},
        capture_output=True,
        check=True,
    )
    services = json.loads(said.stdout)["services"]
    arguments = services["stage3-postprocess"]["build"]["args"]
    assert arguments["GEOCALIB"] == address and arguments["NKSR"] == ""


def test_a_cache_that_cannot_be_written_is_one_clear_line(images, tmp_path):
    user = f"{STRANGER}:{STRANGER}"
    done = run_image(images["stage0-frames"], "--user", user, "--volume", f"{tmp_path}:/cache")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "user 12345 cannot write to /cache: mount" in done.stderr


def test_data_of_somebody_else_is_one_clear_line(images, tmp_path, cache):
    folders = ["--volume", f"{cache}:/cache", "--volume", f"{tmp_path}:/data"]
    done = run_image(images["stage0-frames"], "--user", f"{STRANGER}:{STRANGER}", *folders)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"cannot write to /data, which belongs to user {os.getuid()}" in done.stderr


def test_a_missing_image_is_one_clear_line(engine, clips, tmp_path):
    if engine.images.list("mimicmill/stage0-frames:gpu"):
        pytest.skip("there are images for GPUs here")
    data = with_clips(tmp_path, clips)
    code, output = make("stage0-frames", "RUNNER=docker", "DEVICE=gpu", f"DATA={data}")
    assert code == 2
    assert output.splitlines()[1] == (
        "images: for gpu, missing: stage0-frames: make images DEVICE=gpu"
    )


def test_an_engine_that_is_down_is_one_clear_line(engine, clips, tmp_path):
    data = with_clips(tmp_path, clips)
    code, output = make(
        "stage0-frames", "RUNNER=docker", f"DATA={data}", DOCKER_HOST=f"unix://{tmp_path}/none"
    )
    assert code == 2
    assert output.splitlines()[1].startswith("engine: none answers (")
