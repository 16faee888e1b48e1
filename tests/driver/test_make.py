"""The Makefile's face: help, hostile values, `make -n`, old Pythons."""

import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from driver.settings import Settings
from tests.driver.conftest import CHAIN
from tests.engines import make, without_variables
from tests.pipeline.commands import REPOSITORY

MAKEFILE = (REPOSITORY / "Makefile").read_text()
HOSTILE = {
    "command substitution": "$(touch {})",
    "backquotes": "`touch {}`",
    "semicolon": "1; touch {}",
    "quote": "1'; touch {}; '",
    "double quote": '1"; touch {}; "',
    "line break": "1\ntouch {}\n",
    "function of make": "$(shell touch {})",
    "doubled dollar": "$$(touch {})",
    "quoted dollar": "'$$(touch {})'",
}


def test_help_lists_every_target_stage_and_variable():
    code, output = make("help")
    assert code == 0
    targets = set(re.findall(r"^\.PHONY: (.*(?:\\\n.*)*)", MAKEFILE, re.MULTILINE)[0].split())
    listed = {line.split()[0] for line in output.splitlines() if line.startswith("  ")}
    assert targets - {"anew", "\\"} <= listed
    assert set(CHAIN) <= listed
    for each in fields(Settings):
        if each.metadata:
            assert f"  {each.name.upper()}={each.metadata['default']}" in output


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("by", ["command line", "environment"])
def test_no_value_is_executed(tmp_path, value, by):
    mark = tmp_path / "executed"
    names = [each.name.upper() for each in fields(Settings) if each.metadata]
    given = {name: value.format(mark) for name in names if name != "PYTHON"}
    for target in (["status"], ["-n", "dataset"], ["-n", "stage0-frames"], ["-n", "evaluate"]):
        if by == "command line":
            make(*target, *(f"{name}={text}" for name, text in given.items()))
        else:
            make(*target, **given)
    assert not mark.exists()


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_neither_the_python_nor_a_target_is_read_by_a_shell(tmp_path, value):
    mark = tmp_path / "executed"
    for goal in (["help"], ["status"], ["-n", "dataset"]):
        make(*goal, "PYTHON=python3 " + value.format(mark))
        make(*goal, PYTHON="python3 " + value.format(mark))
    here = REPOSITORY / "executed"  # A slash would be no part of a stage's name.
    code, output = make(f"stage9{value.format(here.name)}")
    was_made = here.exists()
    here.unlink(missing_ok=True)
    assert code == 2 and not mark.exists() and not was_made, output


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_a_value_arrives_as_it_was_typed(stand_ins, value):
    name = value.format("x")
    odd = stand_ins.data.rename(stand_ins.data.parent / name)
    (odd / "videos").mkdir()
    (odd / "videos" / f"{name.strip()}.mp4").touch()
    code, output = stand_ins.make("stage0-frames", f"DATA={odd}", f"PATTERN={name.strip()}")
    refused = "\n" in name.strip()
    assert code == (2 if refused else 0), output
    assert (odd / "calls.jsonl").exists() != refused


def test_args_are_words_as_of_a_shell_that_executes_nothing(stand_ins):
    stand_ins.videos("video.mp4")
    code, output = stand_ins.make("stage0-frames", "ARGS=--text \"two words\" '$HOME' `ls` $(ls) *")
    assert code == 0, output
    assert stand_ins.calls[0]["flags"][2:] == [
        "--text", "two words", "$HOME", "`ls`", "$(ls)", "*",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("ARGS=it's", "ARGS='it'\"'\"'s' cannot be split into words (No closing quotation)"),
        ("START_IDX=1; x", "START_IDX='1; x' is not a whole number"),
        ("SHARDS=0", "SHARDS=0 is less than 1"),
        ("HEIGHT=tall", "HEIGHT=tall is not a number of metres"),
        ("RUNNER=cloud", "RUNNER=cloud is none of: local docker apptainer slurm"),
        ("GPUS=-1", "GPUS=-1 is neither a number nor: all"),
        ("WORLD=none", "WORLD=none is none of: auto megasam align3r sfm ground"),
    ],
)
def test_a_wrong_value_is_one_line(given, said):
    code, output = make("dataset", given)
    assert code == 2
    first, *rest = output.splitlines()
    assert first.startswith(said) and len(rest) == 1


def test_a_stage_that_there_is_not_is_one_line():
    code, output = make("stage9-dream")
    assert code == 2 and output.startswith("no stage 'stage9-dream'; there are stage0-frames, ")


def test_settings_of_a_site_are_a_makefile(stand_ins, tmp_path):
    stand_ins.videos("video.mp4")
    (tmp_path / "site.mk").write_text(
        f"HERE = {tmp_path}\nCACHE = $(HERE)/cache\nARGS_stage0_frames := --fps 5\n"
    )
    code, output = stand_ins.make("stage0-frames", f"SITE={tmp_path}/site.mk")
    assert code == 0, output
    (call,) = stand_ins.calls
    assert call["flags"][2:] == ["--fps", "5"]
    assert call["environment"]["MIMICMILL_CACHE"] == f"{tmp_path}/cache"


@pytest.mark.parametrize("runner", ["local", "docker", "apptainer", "slurm"])
def test_make_n_shows_the_commands_and_does_nothing(stand_ins, runner):
    stand_ins.videos("video.mp4")
    before = set(stand_ins.data.rglob("*"))
    code, output = stand_ins.make(
        "-n", "dataset", f"RUNNER={runner}", PATH=path_without_engines(stand_ins.bin)
    )
    assert code == 0, output
    start = {"local": "env ", "docker": "env ", "apptainer": "apptainer ", "slurm": "sbatch "}
    shown = [line for line in output.splitlines() if line.startswith(start[runner])]
    assert len(shown) == len(CHAIN)
    assert all(stage in line for stage, line in zip(CHAIN, shown, strict=True))
    assert set(stand_ins.data.rglob("*")) == before and not stand_ins.calls


def path_without_engines(folder: Path) -> str:
    """Where make, env and Python are found, but nothing that runs containers."""
    programs = folder.parent / "programs"
    programs.mkdir()
    for name in ("make", "env", "sh"):
        (programs / name).symlink_to(shutil.which(name) or name)
    (programs / "python3").symlink_to(sys.executable)
    return str(programs)


def test_without_a_runner_and_images_it_is_local_and_says_so(stand_ins):
    stand_ins.videos("video.mp4")
    code, output = stand_ins.driver("dataset", RUNNER="", PATH="/usr/bin:/bin", DEVICE="gpu")
    assert code == 0
    assert output.startswith("RUNNER=local, for no Docker engine has the images; PEOPLE=official")


def test_variables_reach_the_stages(stand_ins, tmp_path):
    stand_ins.videos("video.mp4")
    for name in ("weights", "robots"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "one").touch()
    (tmp_path / "SMPL.pkl").touch()
    code, output = stand_ins.make(
        "dataset", f"WEIGHTS={tmp_path}/weights", f"BODY={tmp_path}/SMPL.pkl", "GPUS=2",
        f"CACHE={tmp_path}/cache", "WORKERS=3", MIMICMILL_ROBOTS=f"{tmp_path}/robots",
    )  # fmt: skip
    assert code == 0, output
    for call in stand_ins.calls:
        assert (
            call["environment"].items()
            >= {
                "MIMICMILL_DATA": str(stand_ins.data),
                "MIMICMILL_WEIGHTS": f"{tmp_path}/weights",
                "MIMICMILL_BODY": f"{tmp_path}/SMPL.pkl",
                "MIMICMILL_ROBOTS": f"{tmp_path}/robots",
                "MIMICMILL_CACHE": f"{tmp_path}/cache",
                "MIMICMILL_WORKERS": "3",
                "MIMICMILL_GPUS": "2",
            }.items()
        )


@pytest.mark.parametrize("variable", ["WEIGHTS", "BODY", "ROBOTS"])
def test_what_a_variable_names_has_to_be_there(stand_ins, tmp_path, variable):
    stand_ins.videos("video.mp4")
    code, output = stand_ins.driver("dataset", **{variable: f"{tmp_path}/none"})
    assert code == 2
    assert f"set {variable} to" in output.splitlines()[-1] and not stand_ins.calls


def test_a_refused_video_fails_the_run_and_stops_no_other(stand_ins):
    stand_ins.videos("new\nline.mp4", "good.mp4", "notes.txt")
    code, output = stand_ins.driver("dataset")
    assert code == 1
    assert stand_ins.names == {key: ["good"] for key in CHAIN}
    assert output.count("failed: new\\nline.mp4: its name has control characters") == 1
    assert output.count("notes.txt: not a video file") == 1


def test_commands_of_the_environment_do_not_inherit_make(tmp_path):
    (tmp_path / "printenv").symlink_to(shutil.which("printenv") or "printenv")
    done = subprocess.run(
        [sys.executable, "-m", "driver", "venv", "printenv"],
        cwd=REPOSITORY,
        env={**without_variables(), "BIN": str(tmp_path), "DATA": "here"}
        | dict.fromkeys(("MAKEFLAGS", "GNUMAKEFLAGS"), " -- A=b"),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    assert "MIMICMILL_DATA=here" in done.stdout and "MAKEFLAGS" not in done.stdout


def test_the_driver_needs_no_package():
    """-S: no site-packages; -I: nothing of the caller's environment."""
    script = (
        "import pkgutil, importlib, sys; sys.path.insert(0, '.'); import driver\n"
        "names = [m.name for m in pkgutil.walk_packages(driver.__path__, 'driver.')]\n"
        "print(len([importlib.import_module(name) for name in names]))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script], cwd=REPOSITORY, capture_output=True, text=True
    )
    assert int(done.stdout) > 15, done.stderr


def old_python(version: str) -> str:
    """A Python of this version that runs; skips where there is none."""
    pyenv = Path.home() / ".pyenv" / "versions"
    found = [shutil.which(f"python{version}"), *pyenv.glob(f"{version}.*/bin/python")]
    for program in filter(None, found):
        done = subprocess.run([program, "--version"], capture_output=True, text=True)
        if f"Python {version}." in done.stdout + done.stderr:
            return str(program)
    pytest.skip(f"no Python {version} here")


def test_python_3_9_is_enough(stand_ins):
    stand_ins.videos("video.mp4")
    python = f"PYTHON={old_python('3.9')}"
    for verb in (["help"], ["dataset"], ["status"], ["-n", "dataset", "RUNNER=slurm"]):
        code, output = stand_ins.make(*verb, python)
        assert code == 0, output
    code, output = stand_ins.make("doctor", python)
    assert "Traceback" not in output
    assert list(stand_ins.names) == CHAIN


@pytest.mark.parametrize("version", ["3.8", "3.6", "2.7"])
def test_an_older_python_is_one_line(version):
    code, output = make("status", f"PYTHON={old_python(version)}")
    assert code == 2
    assert output.splitlines()[0] == (
        "Python 3.9 or later is wanted: name another, such as PYTHON=python3.11"
    )
    assert len(output.splitlines()) == 2


def test_weights_get_their_variables_and_go_where_stages_look():
    variables = ["CHECKPOINTS=vimo geocalib", "ACCEPT_LICENSES=research-data", "COMMERCIAL=1"]
    more = ["BUNDLE=my weights.tar", "WEIGHTS=/my weights"]
    code, output = make("-n", "weights", *variables, *more)
    (command,) = [line for line in output.splitlines() if "stages.weights.fetch" in line]
    assert code == 0
    assert shlex.split(command)[2:] == [
        *("stages.weights.fetch", "vimo", "geocalib", "--root", "/my weights"),
        *("--accept-licenses", "research-data", "--commercial", "--bundle", "my weights.tar"),
    ]


def test_a_check_of_weights_brings_packs_and_accepts_nothing():
    code, output = make("-n", "weights-check", "ACCEPT_LICENSES=research-data", "BUNDLE=w.tar")
    (command,) = [line for line in output.splitlines() if "stages.weights.fetch" in line]
    assert code == 0
    assert shlex.split(command)[2:] == ["stages.weights.fetch", "--check", "--root", "data/weights"]
