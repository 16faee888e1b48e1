"""The command of a stage is the same for every runner, but for what starts it."""

import itertools
from importlib.metadata import entry_points
from pathlib import Path

import pytest
import yaml

from driver.commands import image, mounts, reader_command, stage_command
from driver.settings import Settings, UsageError, read
from stages import catalogue
from tests.pipeline.commands import REPOSITORY

RUNNERS = ("local", "docker", "apptainer", "slurm")


def settings(runner: str, **variables: str) -> Settings:
    given = {"DATA": "my data", "BIN": "bin", "DEVICE": "cpu", "APPTAINER": "apptainer"}
    return read({**given, "RUNNER": runner, **variables})


def command(runner: str, stage: str, **variables: str) -> list[str]:
    asked = settings(runner, **variables)
    return stage_command(asked, catalogue.entry_of(stage), asked.data / "logs" / "now.txt")


def given(words: list[str], flag: str) -> list[str]:
    """What stands behind each of these flags."""
    return [value for name, value in itertools.pairwise(words) if name == flag]


@pytest.mark.parametrize("stage", [stage.name for stage in catalogue.STAGES])
def test_a_stage_gets_the_same_flags_from_every_runner(stage):
    variables = {"MULTIHUMAN": "1", "TOP_K": "2", "HEIGHT": "1.8", "ARGS": "--vis 'a b'"}
    local, *others = (command(runner, stage, **variables) for runner in RUNNERS)
    flags = local[local.index("--names") :]
    for other in others:
        seen = [word.replace("my data", "/data") for word in flags]
        assert other[other.index("--names") :] == seen


@pytest.mark.parametrize("runner", RUNNERS)
def test_flags_that_a_variable_stands_for(runner):
    data = "my data" if runner == "local" else "/data"
    assert "--gsam2" in command(runner, "stage1-sfm")
    megahunter = command(runner, "stage2-megahunter", HEIGHT="1.8", WORLD="sfm")
    assert given(megahunter, "--world-reconstruction-base-dir") == [f"{data}/input_sfm"]
    assert given(megahunter, "--height") == ["1.8"]
    assert "--height" not in command(runner, "stage2-megahunter")
    for stage in ("stage3-postprocess", "stage4-retarget"):
        assert given(command(runner, stage, WORLD="sfm"), "--world") == ["sfm"]
    assert given(command(runner, "stage0-vimo", MULTIHUMAN="1", TOP_K="3"), "--top-k") == ["3"]
    assert "--multihuman" not in command(runner, "stage0-vimo", TOP_K="3")
    for stage in ("stage0-vimo", "stage1-sfm", "stage1-ground", "stage2-megahunter"):
        assert "--curated" in command(runner, stage, CURATED="1")
        assert "--curated" not in command(runner, stage)
    assert "--curated" not in command(runner, "stage4-retarget", CURATED="1")


def test_a_stage_of_no_automatic_world_has_no_others_to_leave_videos_to():
    assert "--gsam2" in command("local", "stage1-megasam", WORLD="auto")
    assert "--auto" not in command("local", "stage1-megasam", WORLD="auto")


def test_with_auto_both_worlds_are_tried_and_later_stages_take_the_one_that_there_is():
    chain = [stage.name for stage in catalogue.chain(catalogue.OFFICIAL, catalogue.AUTO)]
    assert chain[5:8] == ["stage1-sfm", "stage1-ground", "stage2-megahunter"]
    for stage in chain[5:7]:
        assert "--auto" in command("local", stage, WORLD="auto")
        assert "--auto" not in command("local", stage, WORLD="sfm")
    megahunter = command("local", "stage2-megahunter", WORLD="auto")
    assert "--world-reconstruction-base-dir" not in megahunter
    assert "--world" not in command("local", "stage4-retarget", WORLD="auto")


@pytest.mark.parametrize("stage", [stage.name for stage in catalogue.STAGES])
def test_every_stage_knows_the_flags_that_it_is_given(stage):
    (script,) = entry_points(group="console_scripts", name=stage)
    known = {flag for option in script.load().params for flag in option.opts}
    words = command("local", stage, MULTIHUMAN="1", TOP_K="2", HEIGHT="1.8", CURATED="1")
    assert {word for word in words if word.startswith("--")} <= known


def test_docker_gets_paths_and_limits_by_variables_of_compose(tmp_path):
    words = command(
        "docker", "stage0-sam2", WEIGHTS="w", BODY="models/SMPL.pkl", WORKERS="2", GPUS="1",
        CACHE="cache", RUN_AS="7:8", DEVICE="gpu",
    )  # fmt: skip
    here = Path.cwd()
    program = words.index("docker")
    assert set(words[1:program]) == {
        f"MIMICMILL_DATA={here}/my data",
        f"MIMICMILL_WEIGHTS={here}/w",
        f"MIMICMILL_BODY={here}/models/SMPL.pkl",
        "MIMICMILL_BODY_NAME=SMPL.pkl",
        f"MIMICMILL_CACHE={here}/cache",
        "MIMICMILL_USER=7:8",
        "MIMICMILL_WORKERS=2",
        "MIMICMILL_GPUS=1",
    }
    assert words[program : program + 9] == [
        "docker", "compose", "-f", "compose.yaml", "-f", "compose.gpu.yaml", "run", "--rm",
        "stage0-sam2",
    ]  # fmt: skip


@pytest.mark.parametrize("runner", ["apptainer", "slurm"])
def test_apptainer_gets_paths_by_mounts_and_limits_by_the_environment(runner):
    words = command(
        runner, "stage0-sam2", WEIGHTS="w", BODY="models/SMPL.pkl", ROBOTS="r", CACHE="cache",
        WORKERS="2", GPUS="1", SIF="sif", DEVICE="gpu",
    )  # fmt: skip
    here = Path.cwd()
    assert given(words, "--bind") == [
        f"{here}/my data:/data",
        f"{here}/w:/weights:ro",
        f"{here}/models/SMPL.pkl:/body/SMPL.pkl:ro",
        f"{here}/r:/robots:ro",
        f"{here}/cache:/cache",
    ]
    assert set(given(words, "--env")) == {
        "MIMICMILL_WEIGHTS=/weights",
        "MIMICMILL_BODY=/body/SMPL.pkl",
        "MIMICMILL_ROBOTS=/robots",
        "MIMICMILL_WORKERS=2",
        "MIMICMILL_GPUS=1",
    }
    assert f"{here}/sif/stage0-sam2-gpu.sif" in words


@pytest.mark.parametrize("reader", ["report", "exporter", "viewer"])
def test_readers_are_the_same_command_in_their_images_which_need_no_gpu(reader):
    variables = {"DEVICE": "gpu", "BODY": "SMPL.pkl"}
    local, docker, apptainer = (
        reader_command(settings(runner, **variables), reader, ["--pattern", "jump"])
        for runner in ("local", "docker", "apptainer")
    )
    for words in (local, docker, apptainer):
        assert words[-2:] == ["--pattern", "jump"]
    assert "MIMICMILL_DATA=my data" in local and "MIMICMILL_BODY=SMPL.pkl" in local
    assert docker[-3] == reader and ("--service-ports" in docker) == (reader == "viewer")
    assert apptainer[-3].endswith(f"/{reader}-cpu.sif") and "--nv" not in apptainer
    assert image(settings("docker", DEVICE="gpu"), reader) == f"mimicmill/{reader}:cpu"


def test_evaluation_has_no_image_and_says_so():
    with pytest.raises(UsageError, match="evaluation has no image: set RUNNER=local"):
        reader_command(settings("docker"), "evaluation", [])


def test_only_stages_that_use_a_gpu_get_one():
    for stage in catalogue.STAGES:
        words = command("apptainer", stage.name, DEVICE="gpu")
        assert ("--nv" in words) == stage.gpu
        assert "--nv" not in command("apptainer", stage.name, DEVICE="cpu")


@pytest.mark.parametrize(
    ("variables", "asks"),
    [
        ({"DEVICE": "gpu"}, ("--gres=gpu:1",)),
        ({"DEVICE": "gpu", "GPUS": "2"}, ("--gres=gpu:2",)),
        ({"DEVICE": "gpu", "GPUS": "0"}, ()),
        ({"DEVICE": "cpu"}, ()),
        ({}, ("--gres=gpu:1",)),
        ({"SBATCH_GPU_ARGS": "--gres=gpu:a100:1 -p 'x y'"}, ("--gres=gpu:a100:1", "-p", "x y")),
        ({"SBATCH_GPU_ARGS": ""}, ()),
    ],
)
def test_what_slurm_tasks_with_a_gpu_ask_for(variables, asks):
    assert read({"RUNNER": "slurm", **variables}).sbatch_gpu_args == asks


def test_variables_of_make_go_before_those_of_the_environment():
    both = {"BODY": "mine.pkl", "MIMICMILL_BODY": "usual.pkl", "MIMICMILL_WEIGHTS": "usual"}
    found = read(both)
    assert (found.body, found.weights) == (Path("mine.pkl"), Path("usual"))
    assert read({}).data == Path("data/demo") and read({}).body is None


def test_checkpoints_in_the_repository_are_taken_by_every_runner(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data" / "weights" / "demo").mkdir(parents=True)
    assert read({}).weights is None
    (tmp_path / "data" / "weights" / "vitpose_huge_wholebody.pth").touch()
    assert read({}).weights == Path("data/weights")
    assert "MIMICMILL_WEIGHTS=/weights" in command("apptainer", "stage0-vitpose")
    assert read({"WEIGHTS": "other"}).weights == Path("other")


@pytest.mark.parametrize("name", ["geocalib/geocalib-pinhole.tar", "nksr/ks.pth"])
def test_so_are_those_of_stage_3_alone(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    place = tmp_path / "data" / "weights" / name
    place.parent.mkdir(parents=True)
    place.touch()
    assert "MIMICMILL_WEIGHTS=/weights" in command("apptainer", "stage3-postprocess")


@pytest.mark.parametrize("name", ["a:b", "a,b", "a\nb"])
def test_a_path_that_cannot_be_mounted_is_one_line(name):
    with pytest.raises(UsageError, match=r"cannot be mounted, for it has .* set RUNNER=local"):
        command("docker", "stage0-frames", DATA=name)
    assert command("local", "stage0-frames", DATA=name)[1] == f"MIMICMILL_DATA={name}"


def compose(*files: str) -> dict[str, dict]:
    """Services of compose's files, later files over earlier ones."""
    found: dict[str, dict] = {}
    for file in files:
        for name, service in yaml.safe_load((REPOSITORY / file).read_text())["services"].items():
            found[name] = {**found.get(name, {}), **service}
    return found


def test_compose_has_a_service_for_every_stage_of_the_catalogue_and_for_readers_with_an_image():
    readers = {each.name for each in catalogue.READERS if each.has_image}
    names = {stage.name for stage in catalogue.STAGES}
    assert set(compose("compose.yaml")) == names | readers
    assert set(compose("compose.yaml", "compose.gpu.yaml")) == names | readers
    assert set(compose("compose.gpu.yaml")) == names
    for name in readers:
        assert compose("compose.yaml")[name]["image"] == f"mimicmill/{name}:cpu"
        assert compose("compose.yaml")[name]["build"]["args"]["STAGE"] == name
    for name in names:
        assert compose("compose.yaml")[name]["image"] == f"mimicmill/{name}:cpu"
        assert compose("compose.gpu.yaml")[name]["image"] == f"mimicmill/{name}:gpu"
        assert compose("compose.yaml")[name]["build"]["args"]["STAGE"] == name


def test_images_for_the_newest_gpus_are_a_set_of_their_own():
    first, newest = compose("compose.gpu.yaml"), compose("compose.cuda13.yaml")
    assert set(newest) == set(first)
    for name, service in newest.items():
        stage = settings("docker", DEVICE="gpu", CUDA="13")
        assert service["image"] == image(stage, name) == f"mimicmill/{name}:gpu-cuda13"
        extras = service["build"]["args"].get("EXTRAS", "")
        assert extras == first[name]["build"]["args"].get("EXTRAS", "").replace("12", "13")
    words = command("docker", "stage0-sam2", DEVICE="gpu", CUDA="13")
    files = ["compose.yaml", "compose.gpu.yaml", "compose.cuda13.yaml"]
    assert given(words, "-f") == files
    sif = command("slurm", "stage0-sam2", DEVICE="gpu", CUDA="13")[-3]
    assert sif.endswith("/stage0-sam2-gpu-cuda13.sif")
    assert given(command("docker", "stage0-sam2", DEVICE="cpu", CUDA="13"), "-f") == files[:1]


def test_compose_reserves_gpus_for_the_stages_that_use_one():
    services = compose("compose.gpu.yaml")
    assert {name for name, service in services.items() if "deploy" in service} == {
        stage.name for stage in catalogue.STAGES if stage.gpu
    }


def test_compose_mounts_what_apptainer_does():
    """A place for every variable, under the name that the stages are told."""
    everything = {"WEIGHTS": "w", "BODY": "b.npz", "ROBOTS": "r", "CACHE": "c"}
    wanted = mounts(settings("apptainer", **everything))
    for service in compose("compose.yaml").values():
        volumes = [volume.removeprefix("${") for volume in service["volumes"]]
        for mount in wanted:
            inside = mount.inside.replace("b.npz", "${MIMICMILL_BODY_NAME:-body.npz}")
            ending = ":ro" if mount.read_only else ""
            assert any(volume.endswith(f"}}:{inside}{ending}") for volume in volumes)
            if mount.variable:
                told = service["environment"][mount.variable]
                assert told == f"${{{mount.variable}:+{inside}}}"
