"""`make setup`: real virtual environments of a project that installs nothing."""

import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from tests.engines import without_variables
from tests.pipeline.commands import REPOSITORY
from tests.weights.tiny import CONTENT, MEMBER, sha256, write_wheel

BACKEND = '''
"""Builds the wheel of a package without a file."""
import zipfile

def build_editable(folder, config_settings=None, metadata_directory=None):
    with zipfile.ZipFile(folder + "/tiny-1-py3-none-any.whl", "w") as wheel:
        info = "tiny-1.dist-info/"
        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: tiny\\nVersion: 1\\n"
                       "Provides-Extra: test\\nProvides-Extra: lint\\n")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\n"
                       "Tag: py3-none-any\\n")
        wheel.writestr(info + "RECORD", "")
    return "tiny-1-py3-none-any.whl"
'''
PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "tiny"
version = "1"
requires-python = ">={}"
"""

MANIFEST = """
[blazepose]
title = "A tiny network"
folder = "blazepose"
stage = "stage0-blazepose"
method = "blazepose"
code = "MIT"
weights = "MIT"
files = [{{ name = "network.tflite", size = {size}, sha256 = "{file}" }}]
[[blazepose.sources]]
kind = "wheel"
package = "mimicmill-tiny"
version = "1.0"
python = "3.11"
abi = "cp311"
platform = "manylinux_2_28_x86_64"
sha256 = "{wheel}"
members = {{ "network.tflite" = "{member}" }}
"""

pytestmark = pytest.mark.slow


class Project:
    """The Makefile and the driver in a project of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.venv = folder, folder / "environment"
        shutil.copy(REPOSITORY / "Makefile", folder)
        (folder / "driver").symlink_to(REPOSITORY / "driver")
        for part in ("__init__.py", "catalogue.py", "artifacts"):
            (folder / "stages").mkdir(exist_ok=True)
            (folder / "stages" / part).symlink_to(REPOSITORY / "stages" / part)
        # Of the environment's packages, what fetches weights needs this one.
        (folder / "click").symlink_to(Path(click.__file__).parent)
        self.put_weights_into_a_wheel()
        (folder / "backend.py").write_text(BACKEND)
        (folder / "requirements").mkdir()
        for name in ("constraints.txt", "sam2.txt"):
            (folder / "requirements" / name).touch()
        self.wants("3.11")

    def put_weights_into_a_wheel(self) -> None:
        """They are here as well, as after a first set-up."""
        shutil.copytree(REPOSITORY / "stages" / "weights", self.folder / "stages" / "weights")
        self.wheel = write_wheel(self.folder)
        values = {"file": sha256(CONTENT), "wheel": sha256(self.wheel.read_bytes())}
        (self.folder / "stages" / "weights" / "manifest.toml").write_text(
            MANIFEST.format(size=len(CONTENT), member=MEMBER, **values)
        )
        self.weights = self.folder / "data" / "weights" / "blazepose" / "network.tflite"
        self.weights.parent.mkdir(parents=True)
        self.weights.write_bytes(CONTENT)

    def wants(self, python: str) -> None:
        (self.folder / "pyproject.toml").write_text(PROJECT.format(python))

    def setup(self, *arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            ["make", "setup", f"VENV={self.venv}", f"PYTHON={sys.executable}", *arguments],
            cwd=self.folder,
            env={
                **without_variables(),
                "PIP_NO_INDEX": "1",
                "PIP_FIND_LINKS": str(self.folder),
                "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return done.returncode, done.stdout

    @property
    def is_finished(self) -> bool:
        listed = subprocess.run(
            [self.venv / "bin" / "python", "-m", "pip", "list"], capture_output=True, text=True
        )
        return "tiny" in listed.stdout


@pytest.fixture
def project(tmp_path) -> Project:
    return Project(tmp_path)


def test_it_shows_commands_not_what_pip_says_and_a_second_time_nothing(project):
    code, output = project.setup()
    assert code == 0, output
    assert project.is_finished
    venv, install, sam2 = output.splitlines()
    assert " -m venv " in venv and " pip install " in install and "sam2.txt" in sam2
    assert project.setup() == (0, "")


def test_a_change_of_what_it_is_made_from_is_installed(project):
    project.setup()
    project.wants("3.10")
    code, output = project.setup()
    assert code == 0 and " -m venv " not in output and output.count(" pip install ") == 2


def test_a_python_that_is_too_old_is_one_line(project):
    project.wants("3.99")
    code, output = project.setup()
    assert code == 2
    first, *rest = output.splitlines()
    mine = "{}.{}".format(*sys.version_info)
    assert first == (
        f"Python 3.99 or later is wanted, PYTHON={sys.executable} is {mine}: name another, such as"
        " PYTHON=python3.99"
    )
    assert len(rest) == 1 and not project.venv.exists()


def another_python() -> str:
    """A Python of another version than this one that runs, and takes the project."""
    pyenv = Path.home() / ".pyenv" / "versions"
    for path in sorted(pyenv.glob("3.1[0-9].*/bin/python")):
        done = subprocess.run([path, "-c", "import sys, venv; print(sys.version_info[:2])"],
                              capture_output=True, text=True)  # fmt: skip
        if done.stdout.strip() not in ("", str(sys.version_info[:2])):
            return str(path)
    pytest.skip("there is only one Python here")


def test_half_an_environment_of_another_python_is_made_anew(project):
    project.wants("3.10")
    subprocess.run([another_python(), "-m", "venv", project.venv], check=True)
    code, output = project.setup()
    assert code == 0, output
    assert project.is_finished
    says = [project.venv / "bin" / "python", "-c", "import sys; print(*sys.version_info[:2])"]
    done = subprocess.run(says, capture_output=True, text=True)
    assert tuple(map(int, done.stdout.split())) == sys.version_info[:2]


def test_an_environment_whose_python_or_pip_is_gone_is_made_anew(project):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", project.venv], check=True)
    assert project.setup()[0] == 0 and project.is_finished
    (project.venv / ".ready").unlink()
    (project.venv / "bin" / "python").unlink()
    assert project.setup()[0] == 0 and project.is_finished


def test_a_finished_one_is_kept_whatever_python_make_runs_on(project):
    project.wants("3.10")
    assert project.setup()[0] == 0
    assert project.setup(f"PYTHON={another_python()}") == (0, "")


def test_what_pip_says_is_shown_where_it_fails_with_one_line_at_the_end(project):
    (project.folder / "requirements" / "sam2.txt").write_text("no-such-package==1\n")
    code, output = project.setup()
    assert code == 2
    *said, last, _make = output.splitlines()
    assert any("no-such-package" in line for line in said)
    assert last.startswith("setup failed (1), above is why: ERROR: ")
    (project.folder / "requirements" / "sam2.txt").write_text("")
    assert project.setup()[0] == 0 and project.is_finished


def test_a_folder_of_somebody_else_is_left_alone(project):
    project.venv.mkdir()
    (project.venv / "thesis.tex").write_text("all of it")
    code, output = project.setup()
    assert code == 2
    assert output.startswith(
        f"{project.venv} is no virtual environment: set VENV to another folder"
    )
    assert (project.venv / "thesis.tex").read_text() == "all of it"


def test_make_n_shows_what_it_would_do(project):
    code, output = project.setup("-n")
    assert code == 0 and output.count(" -m pip install ") == 2 and not project.venv.exists()


def test_with_commands_elsewhere_there_is_nothing_to_set_up(project):
    assert project.setup("BIN=/somewhere/bin") == (0, "") and not project.venv.exists()


@pytest.mark.parametrize("damage", ["missing", "damaged"])
def test_weights_that_are_missing_or_damaged_are_brought(project, damage):
    project.setup()
    project.weights.write_bytes(b"a torn network!") if damage == "damaged" else (
        project.weights.unlink()
    )
    code, output = project.setup()
    assert code == 0, output
    (command,) = output.splitlines()
    assert command.endswith(" -m stages.weights.fetch blazepose")
    assert project.weights.read_bytes() == CONTENT
    assert project.setup() == (0, "")


def test_weights_that_are_not_to_be_had_are_said_in_one_line_at_the_end(project):
    project.weights.unlink()
    project.wheel.unlink()
    code, output = project.setup()
    assert code == 2
    *_, last, _make = output.splitlines()
    assert last.startswith("setup failed (1), above is why: not brought: blazepose: pip cannot")
