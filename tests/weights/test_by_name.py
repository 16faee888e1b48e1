"""Files under the official names in a folder of weights are taken without a flag.

The numbers in them are made up, so nobody is found, and every stage says so in one line.
"""

import shutil
from pathlib import Path

import numpy as np
import pytest
from click import Command
from click.testing import CliRunner, Result

from stages.artifacts.images import write_image
from stages.artifacts.masks import read_summary
from stages.stage0_sam2.stage import main as sam2
from stages.stage0_vitpose.stage import main as vitpose
from stages.weights.locate import demo_checkpoint
from stages.weights.sam2 import OFFICIAL_CONFIGS
from stages.weights.strict import shapes_of
from stages.weights.vitpose import official_layout
from tests.weights.official import write, zeros

SAM2 = "sam2.1_hiera_tiny.pt"


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from sam2.build_sam import build_sam2_video_predictor

    folder = tmp_path_factory.mktemp("weights")
    shutil.copytree(demo_checkpoint("grounding_dino"), folder / "grounding-dino-tiny")
    model = build_sam2_video_predictor(OFFICIAL_CONFIGS[SAM2], None, device="cpu")
    write(folder / SAM2, {"model": zeros(shapes_of(model.state_dict()))})
    state = zeros(official_layout(384))
    write(folder / "vitpose_small_wholebody.pth", {"state_dict": state}, is_archive=False)
    return folder


def run(command: Command, data: Path, weights: Path) -> Result:
    told = {"MIMICMILL_DATA": str(data), "MIMICMILL_WEIGHTS": str(weights), "COLUMNS": "200"}
    return CliRunner().invoke(command, [], env=told)


def test_stages_run_on_them_and_say_that_nobody_is_there(weights: Path, tmp_path: Path) -> None:
    black = np.zeros((96, 128, 3), np.uint8)
    write_image(tmp_path / "input_images" / "clip" / "cam01" / "00001.jpg", black)
    found = run(sam2, tmp_path, weights)
    assert found.exit_code == 0, found.output
    assert f"SAM 2 {weights}/{SAM2}" in found.output.replace("\n", "")
    assert "0 people, somebody in 0 of 1 frames" in found.output
    assert not read_summary(tmp_path / "input_masks" / "clip" / "cam01").all_instance_ids
    seen = run(vitpose, tmp_path, weights)
    assert seen.exit_code == 1
    assert "vitpose_small_wholebody.pth" in seen.output
    assert "clip has no people" in seen.output and "Traceback" not in seen.output


def test_without_any_the_official_name_is_missing_and_the_command_is_said(tmp_path: Path) -> None:
    black = np.zeros((96, 128, 3), np.uint8)
    write_image(tmp_path / "input_images" / "clip" / "cam01" / "00001.jpg", black)
    (tmp_path / "w").mkdir()
    found = run(sam2, tmp_path, tmp_path / "w")
    assert found.exit_code == 1 and "Traceback" not in found.output
    assert "config.json is missing: `make weights CHECKPOINTS=grounding-dino-tiny" in found.output
