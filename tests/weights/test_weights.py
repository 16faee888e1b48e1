"""Checkpoints: the demo's, official layouts, and messages about what is missing."""

from pathlib import Path

import pytest
import torch

from stages.weights.grounding_dino import load_grounding_dino
from stages.weights.locate import demo_checkpoint, is_demo
from stages.weights.sam2 import load_sam2
from stages.weights.vitpose import config_of_official, from_official, load_vitpose


def test_demo_checkpoints_are_known_as_such() -> None:
    assert is_demo(demo_checkpoint("sam2"))
    assert is_demo(Path("/weights/demo/vimo/vimo.safetensors")), "wherever they lie"
    assert not is_demo(Path("/somewhere/sam2.1_hiera_large.pt"))


@pytest.mark.parametrize("load", [load_grounding_dino, load_sam2, load_vitpose])
def test_a_missing_checkpoint_is_named(load, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load(tmp_path / "nowhere")


def test_an_unknown_sam2_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "mine.pt").touch()
    with pytest.raises(ValueError, match=r"mine\.pt"):
        load_sam2(tmp_path / "mine.pt")


def test_an_official_vitpose_file_loads_with_query_key_and_value_in_their_places(
    tmp_path: Path,
) -> None:
    width, depth = 384, 1
    state = {
        "backbone.pos_embed": torch.randn(1, 193, width),
        "backbone.patch_embed.proj.weight": torch.randn(width, 3, 16, 16),
        "backbone.patch_embed.proj.bias": torch.randn(width),
        "backbone.blocks.0.attn.qkv.weight": torch.randn(3 * width, width),
        "backbone.blocks.0.attn.qkv.bias": torch.randn(3 * width),
        "backbone.blocks.0.attn.proj.weight": torch.randn(width, width),
        "backbone.blocks.0.attn.proj.bias": torch.randn(width),
        "backbone.blocks.0.mlp.fc1.weight": torch.randn(4 * width, width),
        "backbone.blocks.0.mlp.fc1.bias": torch.randn(4 * width),
        "backbone.blocks.0.mlp.fc2.weight": torch.randn(width, 4 * width),
        "backbone.blocks.0.mlp.fc2.bias": torch.randn(width),
        "keypoint_head.deconv_layers.0.weight": torch.randn(width, 256, 4, 4),
        "keypoint_head.deconv_layers.3.weight": torch.randn(256, 256, 4, 4),
        "keypoint_head.final_layer.weight": torch.randn(133, 256, 1, 1),
        "keypoint_head.final_layer.bias": torch.randn(133),
    }
    for norm in ("backbone.blocks.0.norm1", "backbone.blocks.0.norm2", "backbone.last_norm"):
        state[f"{norm}.weight"], state[f"{norm}.bias"] = torch.ones(width), torch.zeros(width)
    for norm in ("keypoint_head.deconv_layers.1", "keypoint_head.deconv_layers.4"):
        state[f"{norm}.weight"], state[f"{norm}.bias"] = torch.ones(256), torch.zeros(256)
        state[f"{norm}.running_mean"], state[f"{norm}.running_var"] = (
            torch.zeros(256),
            torch.ones(256),
        )
        state[f"{norm}.num_batches_tracked"] = torch.tensor(0)
    assert config_of_official(state).backbone_config.num_hidden_layers == depth
    qkv = state["backbone.blocks.0.attn.qkv.weight"]
    renamed = from_official(state)
    key = "backbone.encoder.layer.0.attention.attention.key.weight"
    assert torch.equal(renamed[key], qkv[width : 2 * width])
    torch.save({"state_dict": state}, tmp_path / "vitpose_small_wholebody.pth")
    model = load_vitpose(tmp_path / "vitpose_small_wholebody.pth")
    assert torch.equal(model.state_dict()[key], qkv[width : 2 * width])
