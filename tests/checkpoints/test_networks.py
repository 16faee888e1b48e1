"""The demo's networks: small enough, and loadable by the classes that the stages run."""

from pathlib import Path

import pytest
import torch

from stages.weights.grounding_dino import load_grounding_dino
from stages.weights.sam2 import load_sam2
from stages.weights.vitpose import load_vitpose
from tools.checkpoints import grounding_dino_model, sam2_model, vitpose_model
from tools.checkpoints.sam2_clips import BY_BOX, BY_TRUE_MASK, track

pytestmark = pytest.mark.tools


def _same_weights(trained: torch.nn.Module, loaded: torch.nn.Module) -> bool:
    a, b = trained.state_dict(), loaded.state_dict()
    return a.keys() == b.keys() and all(
        torch.allclose(a[k].float(), b[k].float(), atol=2e-3, rtol=2e-3) for k in a
    )


def test_grounding_dino_is_saved_so_that_transformers_loads_it(tmp_path: Path) -> None:
    model = grounding_dino_model.build()
    grounding_dino_model.save(model, tmp_path)
    loaded = load_grounding_dino(tmp_path)
    assert _same_weights(model, loaded.model)
    assert (tmp_path / "model.safetensors").stat().st_size < 9.5e6
    wanted = grounding_dino_model.prompt_ids("person.").tolist()
    assert loaded.tokenizer("person.")["input_ids"] == wanted


def test_cell_centres_number_the_encoders_cells() -> None:
    model = grounding_dino_model.build().eval()
    ids = grounding_dino_model.prompt_ids("person.")[None]
    with torch.no_grad():
        out = model(pixel_values=torch.zeros(1, 3, 96, 128), input_ids=ids)
    assert len(grounding_dino_model.cell_centres(96, 128)) == out.enc_outputs_class.shape[1]


def test_vitpose_is_saved_so_that_transformers_loads_it(tmp_path: Path) -> None:
    model = vitpose_model.build().eval()
    vitpose_model.save(model, tmp_path)
    loaded = load_vitpose(tmp_path)
    assert _same_weights(model, loaded)
    assert (tmp_path / "model.safetensors").stat().st_size < 9e6
    with torch.no_grad():
        assert loaded(torch.zeros(1, 3, 256, 192)).heatmaps.shape == (1, 133, 64, 48)


def test_sam2_is_saved_so_that_the_official_predictor_runs_it(tmp_path: Path) -> None:
    model = sam2_model.build()
    sam2_model.save(model, tmp_path)
    loaded = load_sam2(tmp_path)
    assert type(loaded).__name__ == "SAM2VideoPredictor"
    assert _same_weights(model, loaded)
    assert (tmp_path / "model.safetensors").stat().st_size < 11e6


def test_tracking_remembers_the_box_or_the_mask_as_each_clip_asks() -> None:
    torch.manual_seed(0)
    model = sam2_model.build().eval()
    side = sam2_model.IMAGE_PX
    pictures = torch.rand(2, 1, 3, side, side).expand(-1, 2, -1, -1, -1)
    boxes = torch.tensor([[100.0, 80.0, 180.0, 300.0]]).expand(2, 4)
    masks = torch.zeros(2, side, side, dtype=torch.bool)
    masks[:, 80:300, 100:180] = True
    with torch.no_grad():
        out = track(model, pictures, boxes, masks, torch.tensor([BY_BOX, BY_TRUE_MASK]))
    assert out.mask_logits.shape == (2, 2, side, side)
    assert torch.allclose(out.mask_logits[0, 0], out.mask_logits[0, 1], atol=1e-3)
    assert not torch.allclose(out.mask_logits[1, 0], out.mask_logits[1, 1], atol=1e-3)
