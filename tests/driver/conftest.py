"""Data folders of empty videos, and a chain of stages that compute nothing."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from stages import catalogue
from tests.engines import make, without_variables
from tests.pipeline.commands import REPOSITORY

CHAIN = [stage.name for stage in catalogue.chain(catalogue.OFFICIAL, catalogue.AUTO)]


@dataclass(frozen=True)
class StandIns:
    """`make` and the driver, with stages that compute nothing, on a data folder."""

    data: Path
    bin: Path

    def plan(self, **outcomes: object) -> None:
        """Of stages, such as stage0_sam2: an exit code, `sleep`, or an outcome by video."""
        text = json.dumps({stage.replace("_", "-"): of for stage, of in outcomes.items()})
        (self.data / "plan.json").write_text(text)

    def videos(self, *names: str) -> None:
        (self.data / "videos").mkdir(exist_ok=True)
        for name in names:
            (self.data / "videos" / name).touch()

    def make(self, *arguments: str, **environment: str) -> tuple[int, str]:
        local = ["RUNNER=local", "PEOPLE=official", f"DATA={self.data}", f"BIN={self.bin}"]
        return make(*local, *arguments, **environment)

    def start(self, *verb: str, **environment: str) -> subprocess.Popen:
        """Starts the driver without make, which would end with 2 whatever happens."""
        variables = {"RUNNER": "local", "PEOPLE": "official", "DATA": str(self.data)}
        variables["BIN"] = str(self.bin)
        return subprocess.Popen(
            [sys.executable, "-m", "driver", *verb],
            cwd=REPOSITORY,
            env={**without_variables(), **variables, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def driver(self, *verb: str, **environment: str) -> tuple[int, str]:
        process = self.start(*verb, **environment)
        output, _ = process.communicate(timeout=60)
        return process.returncode, output

    @property
    def calls(self) -> list[dict]:
        """How stages were called: stage, flags, names, environment."""
        path = self.data / "calls.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [json.loads(line) for line in lines]

    @property
    def names(self) -> dict[str, list[str]]:
        """The videos that each stage was given."""
        return {call["stage"]: call["names"] for call in self.calls}


@pytest.fixture
def stand_ins(tmp_path) -> StandIns:
    folder, data = tmp_path / "bin", tmp_path / "data"
    folder.mkdir()
    data.mkdir()
    source = Path(__file__).with_name("stand_in.py").read_text()
    for stage in (entry.name for entry in catalogue.STAGES):
        (folder / stage).write_text(f"#!{sys.executable} -S\n{source}")
        (folder / stage).chmod(0o755)
    return StandIns(data, folder)
