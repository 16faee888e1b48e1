"""The heavy landmark network: an explicit choice, which the stage says, records, and needs."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from stages.blazepose.keypoints import POINT_OF
from stages.blazepose.landmarks import HEAVY_FILE
from stages.blazepose.networks import Network
from stages.blazepose.sightings import Estimator
from stages.stage0_blazepose.stage import BlazeposeStage, main
from stages.weights.errors import WeightsError
from stages.weights.locate import fetched
from stages.weights.manifest import read_manifest
from stages.weights.remedy import require_whole
from tests.blazepose.test_landmarks import BODY_KEYPOINTS


def test_a_heavy_network_that_lies_there_is_not_taken_unless_it_is_chosen(tmp_path: Path) -> None:
    stage = BlazeposeStage(heavy_checkpoint=tmp_path)
    assert stage.parameters()["landmarks"] == "full"
    assert tmp_path not in stage.models().values()
    assert "landmarks full" in stage.notice() and str(tmp_path) not in stage.notice()


def test_the_heavy_network_is_said_and_belongs_to_what_results_are_known_by(tmp_path: Path) -> None:
    stage = BlazeposeStage(heavy_checkpoint=tmp_path, landmarks="heavy")
    assert stage.parameters()["landmarks"] == "heavy"
    assert tmp_path in stage.models().values()
    assert "landmarks heavy" in stage.notice() and str(tmp_path) in stage.notice()


def test_a_chosen_heavy_network_that_is_missing_names_what_brings_it(
    weights: Path, tmp_path: Path
) -> None:
    stage = BlazeposeStage(heavy_checkpoint=tmp_path / "blazepose-heavy", landmarks="heavy")
    with pytest.raises(WeightsError, match=r"missing: .*make weights CHECKPOINTS=blazepose-heavy"):
        stage.load()


def test_other_networks_are_refused() -> None:
    said = CliRunner().invoke(main, ["--landmarks", "lite"])
    assert said.exit_code == 2 and "'lite' is not one of" in said.output


def test_the_heavy_network_sees_the_demos_person(detector, stairs) -> None:
    folder = fetched("blazepose-heavy")
    try:
        require_whole(read_manifest()["blazepose-heavy"], folder)
    except WeightsError as error:
        pytest.skip(str(error))
    image = stairs.pictures[0]
    seen = Estimator(Network(folder / HEAVY_FILE, 2)).settle(image, detector.whole(image)[0].crop)
    true = stairs.truth.keypoints_px[0, stairs.numbers[0]][BODY_KEYPOINTS]
    ours = seen.points_px[[POINT_OF[keypoint] for keypoint in BODY_KEYPOINTS], :2]
    errors = np.linalg.norm(ours - true, axis=1) / stairs.height_px(0)
    assert np.median(errors) < 0.03
