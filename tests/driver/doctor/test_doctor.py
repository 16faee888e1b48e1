"""What the doctor says on this machine as it is, and where something is taken away.

No machine with a GPU is needed: where one must answer, a pretended nvidia-smi does, in the words of
the real one.
"""

import json
import os
import pty
import shutil
import subprocess
import sys

import pytest

from driver.checks.check import Answer
from driver.checks.folders import memory
from driver.checks.runners import hands_out_gpus
from stages import catalogue
from stages.weights.names import BSTRO_DATA, DEMO_FILES, FILES
from tests.driver.doctor.conftest import doctor, lines, with_video
from tests.engines import absent, make, without_variables
from tests.pipeline.commands import REPOSITORY

STAGE = "stage4-retarget"
OFFICIAL = ["stage0-sam2", "stage0-vitpose", "stage0-vimo", "stage0-bstro"]


def test_a_machine_that_can_run_stages_is_all_green(data):
    code, output = make("doctor", "RUNNER=local", f"DATA={data}", f"CACHE={data}/cache")
    assert code == 0
    assert {word for word, _ in lines(output).values()} == {"ok"}
    assert list(lines(output)) == [
        "environment", "to look", "memory", "videos", "data folder", "disk", "cache",
        "demo weights", "people", "world",
        "DINO", "SAM 2", "ViTPose", "VIMO", "BSTRO", "body", "gravity", "mesh",
    ]  # fmt: skip


def test_a_red_line_fails(tmp_path):
    code, output = make("doctor", "RUNNER=local", f"DATA={tmp_path}")
    assert code == 2 and "doctor] Error 1" in output
    assert lines(output)["videos"] == (
        "no",
        f"none in {tmp_path}/videos: put videos there, or set DATA to the folder that has videos/",
    )


def test_no_package_needs_to_be_installed(data):
    bare = data.parent / "bare"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    bare.chmod(0o755)
    given = (f"PYTHON={bare}", f"DATA={data}", f"CACHE={data}/cache")
    code, _ = make("doctor", "RUNNER=local", *given)
    assert code == 0


def test_images_that_are_all_there(data, images):
    code, output = make("doctor", "RUNNER=docker", f"DATA={data}")
    assert code == 0, output
    assert list(lines(output))[:3] == ["engine", "compose", "images"]


def test_colours_are_for_terminals_only(tmp_path):
    ours, theirs = pty.openpty()
    subprocess.run(
        [sys.executable, "-m", "driver", "doctor"],
        cwd=REPOSITORY,
        env={**without_variables(), "RUNNER": "local", "DATA": str(tmp_path)},
        stdout=theirs,
    )
    os.close(theirs)
    shown = os.read(ours, 65536).decode()
    assert "\033[31mno\033[0m  videos" in shown and "\033[32mok\033[0m  data folder" in shown
    _, output = make("doctor", "RUNNER=local", f"DATA={tmp_path}")
    assert "no  videos" in output and "\033" not in output


def test_a_missing_environment(data, tmp_path):
    code, said = doctor(data, STAGE, BIN=tmp_path)
    assert code == 1
    assert said["environment"] == ("no", f"{tmp_path}, missing: {STAGE}: make setup")


def test_a_data_folder_that_cannot_be_written(small_disk):
    data = with_video(small_disk / "data")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    code, said = doctor(data, STAGE)
    assert code == 1
    assert said["data folder"][0] == "no" and "cannot be written" in said["data folder"][1]
    assert said["videos"][0] == "ok"


def test_a_small_disk(small_disk):
    code, said = doctor(with_video(small_disk / "data"), STAGE)
    assert code == 1
    assert said["disk"][0] == "no" and "make room for 5 GB" in said["disk"][1]
    assert said["data folder"][0] == "ok"


def test_a_cache_that_cannot_be_made(data):
    (data / "file").touch(mode=0o777)
    code, said = doctor(data, STAGE, CACHE=data / "file" / "cache")
    assert code == 1
    assert said["cache"][0] == "no" and "set CACHE to another folder" in said["cache"][1]


@pytest.mark.parametrize("variable", ["WEIGHTS", "BODY", "ROBOTS"])
@pytest.mark.parametrize("prefix", ["", "MIMICMILL_"])
def test_models_of_ones_own_that_are_not_there(data, tmp_path, variable, prefix):
    code, said = doctor(data, STAGE, **{prefix + variable: tmp_path / "none"})
    assert code == 1
    word, text = said[variable.lower()]
    assert word == "no" and text.startswith((f"none in {tmp_path}", f"{tmp_path}/none cannot"))
    assert f": set {variable} to" in text


def test_models_of_ones_own(data, tmp_path):
    (tmp_path / "SMPL.pkl").touch()
    code, said = doctor(data, STAGE, WEIGHTS=tmp_path, BODY=tmp_path / "SMPL.pkl")
    assert code == 0
    assert said["weights"] == ("ok", str(tmp_path))
    assert said["body"] == ("ok", f"{tmp_path}/SMPL.pkl")


def official(folder, *without):
    """Empty files under the official names."""
    folder.mkdir()
    for network, names in FILES.items():
        if network not in without:
            (folder / names[0]).touch()
    return folder


def test_checkpoints_in_use_are_named_and_those_that_lack_say_what_brings_them(data, tmp_path):
    weights = official(tmp_path / "weights", "sam2", "bstro")
    (weights / DEMO_FILES["bstro"]).parent.mkdir()
    (weights / DEMO_FILES["bstro"]).touch()
    code, said = doctor(data, *OFFICIAL, WEIGHTS=weights, PEOPLE="official")
    assert code == 1
    assert said["ViTPose"] == ("ok", f"{weights}/vitpose_huge_wholebody.pth")
    assert said["BSTRO"] == ("ok", f"{weights}/bstro/bstro.safetensors")
    remedy = "make weights CHECKPOINTS=sam2-large"
    assert said["SAM 2"] == ("no", f"none in {weights}: {remedy}")
    assert said["body"] == ("ok", "this project's own, CC0")


def test_megasam_s_checkpoints_are_named_too(data, tmp_path):
    weights = official(tmp_path / "weights")
    for name in ("megasam_final.pth", "depth-anything-large", "depth-pro"):
        (weights / name).touch()
    _, said = doctor(data, "stage1-megasam", WEIGHTS=weights)
    assert said["MegaSaM"] == ("ok", f"{weights}/megasam_final.pth")
    assert said["its scale"] == ("ok", f"{weights}/depth-pro")
    remedy = "make weights CHECKPOINTS=raft-things"
    assert said["RAFT"] == ("no", f"none in {weights}: {remedy}")


def test_so_are_align3r_s_alone_if_that_is_the_world(data, tmp_path):
    weights = official(tmp_path / "weights")
    (weights / "align3r_depthpro.pth").touch()
    _, said = doctor(data, "stage1-align3r", WEIGHTS=weights)
    assert said["Align3R"] == ("ok", f"{weights}/align3r_depthpro.pth")
    assert said["RAFT"][0] == said["its scale"][0] == "no"
    assert "MegaSaM" not in said and "depth" not in said


def test_bstros_official_network_wants_smpls_body(data, tmp_path):
    weights = official(tmp_path / "weights")
    code, said = doctor(data, *OFFICIAL, WEIGHTS=weights, PEOPLE="official")
    assert code == 1 and said["body"][0] == "no"
    assert "put SMPL's neutral body there as smpl/SMPL_NEUTRAL.pkl" in said["body"][1]


def test_bstros_official_network_wants_its_data_files(data, tmp_path):
    weights = official(tmp_path / "weights")
    (weights / BSTRO_DATA[0]).touch()
    _, said = doctor(data, *OFFICIAL, WEIGHTS=weights, PEOPLE="official")
    assert said["BSTRO"] == ("ok", f"{weights}/{FILES['bstro'][0]}")
    remedy = "make weights CHECKPOINTS=bstro-data"
    assert said["BSTRO's data"] == ("no", f"no {BSTRO_DATA[1]} in {weights}: {remedy}")
    (weights / BSTRO_DATA[1]).touch()
    assert "BSTRO's data" not in doctor(data, *OFFICIAL, WEIGHTS=weights)[1]


def test_the_methods_are_said_and_why(data, tmp_path):
    weights = official(tmp_path / "weights")
    _, output = make("doctor", "RUNNER=local", "PEOPLE=auto", f"DATA={data}", f"WEIGHTS={weights}")
    said = lines(output)
    assert said["people"] == ("ok", f"official, for its checkpoints are in {weights}")
    assert said["world"] == ("ok", "sfm, and ground for videos that it declines")
    _, output = make("doctor", "RUNNER=local", "PEOPLE=blazepose", "WORLD=ground", f"DATA={data}")
    said = lines(output)
    assert said["people"][1].startswith("blazepose") and said["world"] == ("ok", "ground")


@pytest.mark.parametrize(
    ("packages", "gravity"),
    [
        (" ", ("ok", "by upright edges, people and surfaces, for geocalib is not installed")),
        (
            "geocalib ",
            (
                "no",
                "geocalib is installed, but not geocalib/geocalib-pinhole.tar:"
                " make weights CHECKPOINTS=geocalib",
            ),
        ),
    ],
)
def test_what_the_image_of_stage_3_levels_by_is_said(data, monkeypatch, packages, gravity):
    """The labels are pretended."""
    stage, answer = "stage3-postprocess", {"mimicmill.packages": packages}
    monkeypatch.setattr("driver.checks.runners.labels", lambda *_: {stage: answer})
    _, said = doctor(data, stage, RUNNER="docker")
    assert said["gravity"] == gravity


def test_what_levels_and_meshes_is_said(data, tmp_path):
    package = tmp_path / "geocalib"
    package.mkdir()
    (package / "__init__.py").touch()
    _, said = doctor(data, "stage3-postprocess")
    assert said["gravity"][1].endswith("for geocalib is not installed")
    assert said["mesh"] == ("ok", "by Poisson, for nksr is not installed")
    _, said = doctor(data, "stage3-postprocess", PYTHONPATH=tmp_path)
    remedy = "make weights CHECKPOINTS=geocalib"
    lacks = "geocalib is installed, but not geocalib/geocalib-pinhole.tar"
    assert said["gravity"] == ("no", f"{lacks}: {remedy}")
    (package / "__init__.py").write_text("raise RuntimeError('operator nms does not exist')\n")
    _, said = doctor(data, "stage3-postprocess", PYTHONPATH=tmp_path)
    word, text = said["gravity"]
    assert word == "no" and text.startswith("geocalib cannot be imported (operator nms does not")


def test_weights_of_blazepose_that_are_missing_name_what_brings_them(data, tmp_path):
    (tmp_path / "weights" / "blazepose").mkdir(parents=True)
    (tmp_path / "weights" / "blazepose" / "pose_detection.tflite").touch()
    code, said = doctor(data, "stage0-blazepose", WEIGHTS=tmp_path / "weights")
    assert code == 1
    word, text = said["BlazePose"]
    fault = f"{tmp_path}/weights/blazepose/pose_detection.tflite is damaged: it is empty: "
    assert word == "no" and text.startswith(fault) and text.endswith("`: or make setup")
    assert "demo weights" not in said


def test_blazeposes_heavy_network_has_a_line_where_a_run_would_use_it(data, tmp_path):
    (tmp_path / "weights" / "blazepose-heavy").mkdir(parents=True)
    _, said = doctor(data, "stage0-blazepose", WEIGHTS=tmp_path / "weights")
    assert "its heavy" not in said
    heavy = {"ARGS_stage0_blazepose": "--landmarks heavy"}
    code, said = doctor(data, "stage0-blazepose", WEIGHTS=tmp_path / "weights", **heavy)
    assert code == 1
    word, text = said["its heavy"]
    assert word == "no" and "make weights CHECKPOINTS=blazepose-heavy" in text


@pytest.mark.parametrize(("missing_kb", "good"), [(0, True), (1, False)])
def test_memory_that_the_hungriest_stage_needs(data, missing_kb, good):
    most_mb = max(stage.memory_mb for stage in catalogue.STAGES)
    free_kb = most_mb * 1024 - missing_kb
    table = f"MemTotal: 99999999 kB\nMemFree: 1 kB\nMemAvailable:{free_kb:>9} kB\nCached: 1 kB\n"
    assert memory(table, most_mb).good == good


@pytest.mark.parametrize("runner", ["docker", "slurm"])
def test_programs_that_are_not_installed(data, runner):
    code, said = doctor(data, STAGE, RUNNER=runner, PATH="/nowhere")
    assert code == 1
    assert said[runner][0] == "no"
    assert not {"engine", "compose", "images", "controller"} & said.keys()


def test_an_engine_that_is_down(data, engine):
    code, said = doctor(data, STAGE, RUNNER="docker", DOCKER_HOST="unix:///nowhere")
    assert code == 1
    assert said["engine"][0] == "no" and "unix:///nowhere" in said["engine"][1]
    assert said["compose"][0] == "ok" and "images" not in said


@pytest.mark.parametrize(
    ("runtimes", "devices", "good"),
    [
        ({"runc": {}}, None, False),
        ({"runc": {}, "nvidia": {"path": "nvidia-container-runtime"}}, None, True),
        ({"runc": {}}, [{"Source": "cdi", "ID": "nvidia.com/gpu=0"}], True),
        ({"runc": {}}, [{"Source": "cdi", "ID": "example.com/camera=0"}], False),
    ],
)
def test_how_an_engine_hands_out_gpus(runtimes, devices, good):
    said = json.dumps({"Runtimes": runtimes, "DiscoveredDevices": devices})
    assert hands_out_gpus(Answer(True, said)).good == good


def test_images_that_are_missing(data, engine):
    code, said = doctor(data, "doctor-test-none", RUNNER="docker")
    assert code == 1
    assert said["images"] == (
        "no",
        "for cpu, missing: doctor-test-none: make images DEVICE=cpu",
    )
    assert said["engine"][0] == said["compose"][0] == "ok"


def test_sif_files_that_are_missing(data):
    (data / "sif").mkdir()
    (data / "sif" / "stage0-sam2-cpu.sif").touch()
    code, said = doctor(data, STAGE, "stage0-sam2", RUNNER="apptainer")
    assert code == 1
    word, text = said[".sif files"]
    assert word == "no" and f"missing: {STAGE}: make sif DEVICE=cpu" in text


def test_apptainer_that_is_not_installed(data):
    code, said = doctor(data, STAGE, RUNNER="apptainer", APPTAINER="no-such-program")
    assert code == 1
    assert said["apptainer"][0] == "no" and "set RUNNER=local" in said["apptainer"][1]


def test_a_controller_that_does_not_answer(data, tmp_path):
    if shutil.which("sinfo") is None:
        absent("Slurm is not installed here")
    (tmp_path / "plugstack.conf").touch()
    configuration = tmp_path / "slurm.conf"
    configuration.write_text(
        "ClusterName=none\nSlurmctldHost=localhost(127.0.0.1)\nSlurmctldPort=1\n"
        f"AuthType=auth/munge\nPlugStackConfig={tmp_path}/plugstack.conf\n"
    )
    code, said = doctor(data, STAGE, RUNNER="slurm", SLURM_CONF=configuration)
    assert code == 1
    assert said["slurm"][0] == "ok"
    assert said["controller"][0] == "no" and "Unable to contact" in said["controller"][1]


def test_a_login_node_needs_no_gpu_and_no_engine(data):
    _, said = doctor(data, STAGE, RUNNER="slurm", DEVICE="gpu")
    assert not {"GPU", "driver", "memory", "engine", "environment"} & said.keys()


@pytest.mark.skipif(os.path.exists("/dev/nvidiactl"), reason="this machine has a GPU")
def test_no_gpu(data):
    code, said = doctor(data, STAGE, DEVICE="gpu")
    assert code == 1
    assert said["GPU"][0] == said["PyTorch"][0] == "no"
    assert all("set DEVICE=cpu" in said[name][1] for name in ("GPU", "PyTorch"))


@pytest.mark.skipif(os.path.exists("/dev/nvidiactl"), reason="this machine has a GPU")
def test_an_engine_that_hands_out_no_gpus(data, gpu_image):
    code, said = doctor(data, gpu_image, RUNNER="docker", DEVICE="gpu")
    assert code == 1
    assert said["images"][0] == "ok"
    assert said["GPUs inside"][0] == "no" and "container toolkit" in said["GPUs inside"][1]


def test_a_gpu_that_an_image_was_built_for(data, gpu_image, nvidia_smi):
    """The GPU is pretended, the image is not."""
    nvidia_smi("NVIDIA GeForce RTX 4090, 8.9, 550.54.14, 24564 MiB")
    _, said = doctor(data, gpu_image, RUNNER="docker", DEVICE="gpu")
    assert said["GPU"][0] == said["driver"][0] == "ok"


def test_a_gpu_and_a_driver_that_an_image_was_not_built_for(data, gpu_image, nvidia_smi):
    """The GPU is pretended, the image is not."""
    nvidia_smi("NVIDIA GeForce RTX 5090, 12.0, 470.256.02, 32607 MiB")
    code, said = doctor(data, gpu_image, RUNNER="docker", DEVICE="gpu")
    assert code == 1
    word, text = said["GPU"]
    assert word == "no"
    assert f"12.0; not for {gpu_image} (built for 5.0 6.0 7.0 7.5 8.0 8.6 9.0): build" in text
    word, text = said["driver"]
    assert word == "no" and f"470.256.02; not for {gpu_image} (built for CUDA 12.4): update" in text


@pytest.mark.parametrize(
    ("row", "cuda", "good", "text"),
    [
        ("NVIDIA H200, 9.0, 580.159.04, 143771 MiB", "13", True, "needs CUDA=12 or CUDA=13"),
        ("NVIDIA H200, 9.0, 550.54.14, 143771 MiB", "13", False, "needs CUDA=12: set CUDA=12"),
        ("NVIDIA B200, 10.0, 580.65.06, 183359 MiB", "13", True, "needs CUDA=13"),
        ("NVIDIA B200, 10.0, 580.65.06, 183359 MiB", "12", False, "needs CUDA=13: set CUDA=13"),
    ],
)
def test_which_images_a_machine_needs_is_said_before_any_are_built(
    data, nvidia_smi, row, cuda, good, text
):
    """The GPU is pretended."""
    nvidia_smi(row)
    _, said = doctor(data, STAGE, RUNNER="docker", DEVICE="gpu", CUDA=cuda)
    word, found = said["CUDA images"]
    assert (word == "ok") == good and found == f"this machine {text}"


def test_images_for_the_newest_gpus_are_asked_for_by_cuda(data, engine):
    _, said = doctor(data, "doctor-test-none", RUNNER="docker", DEVICE="gpu", CUDA="13")
    assert said["images"][1].endswith("missing: doctor-test-none: make images DEVICE=gpu CUDA=13")


def test_a_gpu_that_a_sif_file_was_not_made_for(data, gpu_image, gpu_sif, nvidia_smi):
    """The GPU is pretended, the .sif file is not."""
    nvidia_smi("NVIDIA GeForce RTX 5090, 12.0, 570.86.16, 32607 MiB")
    code, said = doctor(data, gpu_image, RUNNER="apptainer", DEVICE="gpu", SIF=gpu_sif)
    assert code == 1
    assert said[".sif files"][0] == said["driver"][0] == "ok"
    assert said["GPU"][0] == "no" and f"not for {gpu_image}" in said["GPU"][1]
