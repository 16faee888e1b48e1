"""Random checkpoints in official layouts, put into `WEIGHTS=` by hand: every runner takes them
without a flag, finds nobody, and says so in one line."""

from pathlib import Path
from typing import Any

import pytest

from tests.cluster.test_slurm import Cluster
from tests.engines import Made, make
from tests.pipeline.commands import demo_pictures, write_video
from tests.weights import placed

REASON = (
    "waves has no people; if some are to be seen, run stage0-sam2 with another --text or other"
    " weights"
)
NEEDS = {"local": [], "docker": ["images"], "apptainer": ["sifs"], "slurm": ["slurm"]}


@pytest.fixture(scope="module")
def weights(goldens: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return placed.place(tmp_path_factory.mktemp("placed") / "weights", goldens)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data" / "videos").mkdir(parents=True)
    write_video(tmp_path / "data" / "videos" / "waves.mp4", demo_pictures(range(5)))
    return tmp_path / "data"


def variables(data: Path, weights: Path) -> list[str]:
    return ["PEOPLE=auto", f"DATA={data}", f"WEIGHTS={weights}", f"CACHE={data.parent}/cache"]


def run(runner: str, data: Path, weights: Path) -> Made:
    code, output = make("dataset", f"RUNNER={runner}", *variables(data, weights))
    return Made(data, code, output)


def assert_it_is_said_once(made: Made) -> None:
    lines = made.output.splitlines()
    assert sum(REASON in line for line in lines) == 1, made.output
    assert "Traceback" not in made.output and not list(made.data.glob("logs/*/waves.log"))


@pytest.mark.parametrize("runner", ["local", "docker", "apptainer"])
def test_the_chain_takes_them_and_says_that_it_found_nobody(
    runner: str, data: Path, weights: Path, request: pytest.FixtureRequest
) -> None:
    for need in NEEDS[runner]:
        request.getfixturevalue(need)
    made = run(runner, data, weights)
    assert made.exit_code == 2, "make's, where a video failed"
    assert "PEOPLE=official, for its checkpoints are in" in made.output.splitlines()[0]
    assert f"BODY={weights}/smpl/SMPL_NEUTRAL.pkl" in made.output.splitlines()[0]
    folder = weights if runner == "local" else Path("/weights")
    assert f"Grounding DINO {folder / placed.DINO}, SAM 2 {folder / placed.SAM2}" in made.output
    assert "0 people, somebody in 0 of 5 frames" in made.output
    assert "failed: waves; make status says where and why" in made.output
    assert_it_is_said_once(made)


def test_a_cluster_takes_them_and_says_that_it_found_nobody(
    slurm: None, data: Path, weights: Path, tmp_path: Path
) -> None:
    (tmp_path / "site.mk").write_text("SBATCH_ARGS := --time=20\n")
    cluster = Cluster(data, tmp_path / "site.mk", tmp_path / "cache")
    code, output = cluster.submit(*variables(data, weights))
    assert code == 0, output
    cluster.wait_for_the_end()
    _, said = make("status", *cluster.variables, *variables(data, weights))
    assert_it_is_said_once(Made(data, 0, said))


def test_the_doctor_names_them_all(data: Path, weights: Path) -> None:
    code, said = make("doctor", "RUNNER=local", *variables(data, weights))
    assert code == 0, said
    for name in (placed.DINO, placed.SAM2, placed.VITPOSE, placed.VIMO, placed.BSTRO):
        assert f" {weights / name}\n" in said
    assert f"{weights}/smpl/SMPL_NEUTRAL.pkl" in said
