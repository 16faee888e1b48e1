"""What BSTRO's trainer learns from: distances to the place and contact labels."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from stages.body.model import DEMO_BODY, load_body
from stages.stage0_bstro.checkpoint import load_demo_network
from tools.checkpoints.bstro import SHIFT, BstroTask
from tools.checkpoints.bstro_samples import (
    SOLE_SHARE,
    Feet,
    distance_to_place_m,
    touching_vertices,
)
from tools.footage.scenes import sample_scene
from tools.footage.skinning import BodyTensors


@pytest.fixture(scope="module")
def feet() -> Feet:
    return Feet.of_body_file(str(DEMO_BODY), "cpu")


def test_distances_are_to_the_floor_and_to_blocks() -> None:
    scene = sample_scene("jump_box", 1_000_123)
    block = scene.terrain.steps[0]
    top = np.array([*block.centre_xy_m, block.top_m])
    points = np.stack([top, top + np.array([0, 0, 0.3]), [*block.centre_xy_m, 0.4 * block.top_m]])
    far = np.array([scene.terrain.start_xy_m[0], scene.terrain.start_xy_m[1], 0.07])
    cloud = torch.from_numpy(np.stack([*points, far]))[None].float()
    distance = distance_to_place_m(cloud, scene.batch)[0]
    torch.testing.assert_close(distance, torch.tensor([0.0, 0.3, 0.0, 0.07]), atol=1e-4, rtol=0)


def test_only_planted_feet_touch(feet: Feet) -> None:
    distance = torch.full((1, 6890), 0.5)
    distance[:, feet.left] = torch.linspace(0, 0.1, len(feet.left))
    distance[:, feet.right] = 0.001
    contact = touching_vertices(distance, torch.tensor([[True, False]]), feet)[0]
    assert contact[feet.left].float().mean() == pytest.approx(SOLE_SHARE, abs=0.02)
    assert not contact[feet.right].any()
    assert contact.sum() == contact[feet.left].sum()


def test_hands_touch_by_nearness_alone(feet: Feet) -> None:
    distance = torch.full((1, 6890), 0.5)
    hand = int(load_body(DEMO_BODY).extra_vertices[12])
    distance[0, hand] = 0.01
    assert touching_vertices(distance, torch.tensor([[False, False]]), feet)[0, hand]


@pytest.mark.tools
def test_saving_moves_even_odds_to_the_commands_threshold(tmp_path: Path) -> None:
    body = BodyTensors.from_model(load_body(DEMO_BODY))
    looks_only_at_the_body = SimpleNamespace(body=body)
    task = BstroTask(looks_only_at_the_body, looks_only_at_the_body)  # type: ignore[arg-type]
    task.model.eval()
    task.save(tmp_path)
    saved = load_demo_network(tmp_path / "bstro.safetensors")
    crops = torch.randn(1, 3, 224, 224)
    with torch.inference_mode():
        shift = saved(crops).full - task.model(crops).full
    assert shift.median() == pytest.approx(SHIFT, abs=0.05)
    assert torch.sigmoid(torch.tensor(SHIFT)) == pytest.approx(0.95)
    assert (tmp_path / "bstro.safetensors").stat().st_size < 5e6
