"""What is submitted, with a scheduler and an engine that only note how they were called."""

import json
import os
import sys
from pathlib import Path

import pytest

from driver.settings import read
from driver.slurm.submit import submit_missing
from driver.videos import choose
from stages import catalogue

LIST = """
import os, sys
names = sys.argv[sys.argv.index("--names") + 1].replace("/data", os.environ["DATA"], 1)
for name in open(names).read().split():
    print(name, 100, "missing", "", sep="\\t")
"""
SBATCH = """
import json, os, sys
with open(os.environ["DATA"] + "/sbatch.jsonl", "a") as file:
    file.write(json.dumps(sys.argv[1:]) + "\\n")
print(7)
"""


@pytest.fixture
def data(tmp_path, monkeypatch) -> Path:
    for name, source in {"apptainer": LIST, "sbatch": SBATCH, "squeue": ""}.items():
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!{sys.executable} -S\n{source}")
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    folder = tmp_path / "data"
    (folder / "videos").mkdir(parents=True)
    monkeypatch.setenv("DATA", str(folder))
    for name in ("jump", "sit", "walk"):
        (folder / "videos" / f"{name}.mp4").touch()
    return folder


def submitted(data: Path, **variables: str) -> tuple[list[str], list[list[str]]]:
    """The videos of all shards, and the calls of sbatch."""
    settings = read({"DATA": str(data), "RUNNER": "slurm", "WORLD": "auto", **variables})
    stages = list(catalogue.chain(catalogue.OFFICIAL, catalogue.AUTO))
    assert submit_missing(settings, stages, choose(settings)) == 0
    shards = (data / "slurm").glob("*/shard-*.txt")
    calls = [json.loads(line) for line in (data / "sbatch.jsonl").read_text().splitlines()]
    return sorted(name for shard in shards for name in shard.read_text().split()), calls


def test_decisions_are_honoured_where_that_is_asked_for(data):
    (data / "curation.jsonl").write_text('{"video": "sit", "verdict": "reject"}\n')
    videos, calls = submitted(data, CURATED="1")
    assert videos == ["jump", "walk"]
    told = {next(w for w in call if w.startswith("--job-name=")): call for call in calls}
    curated = {name.partition("=")[2] for name, call in told.items() if "--curated" in call}
    other_methods = {"stage0-blazepose", "stage1-megasam", "stage1-align3r"}
    assert curated == {entry.name for entry in catalogue.STAGES if entry.curated} - other_methods


def test_without_being_asked_for_they_are_not(data):
    (data / "curation.jsonl").write_text('{"video": "sit", "verdict": "reject"}\n')
    videos, calls = submitted(data)
    assert videos == ["jump", "sit", "walk"]
    assert not any("--curated" in call for call in calls)
