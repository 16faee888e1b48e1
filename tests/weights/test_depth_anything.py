"""Depth Anything from a folder: what the library makes of pictures, and strictness."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation, Dinov2Config

from stages.weights.depth_anything import fitting, load_depth_anything
from stages.weights.errors import WeightsError


def saved(folder: Path, metric: bool) -> DepthAnythingForDepthEstimation:
    """A network of the smallest sizes, with random weights."""
    torch.manual_seed(0)
    backbone = Dinov2Config(
        hidden_size=16, num_hidden_layers=4, num_attention_heads=2, mlp_ratio=2, image_size=56,
        patch_size=14, out_indices=[1, 2, 3, 4], reshape_hidden_states=False,
    )  # fmt: skip
    config = DepthAnythingConfig(
        backbone_config=backbone, patch_size=14, reassemble_hidden_size=16,
        neck_hidden_sizes=[4, 8, 8, 8], fusion_hidden_size=8, head_hidden_size=4,
        depth_estimation_type="metric" if metric else "relative", max_depth=20 if metric else 1,
    )  # fmt: skip
    model = DepthAnythingForDepthEstimation(config).eval()
    model.save_pretrained(folder)
    return model


@pytest.mark.parametrize("metric", [False, True])
def test_pictures_get_what_the_network_says_at_their_size(tmp_path: Path, metric: bool) -> None:
    model = saved(tmp_path, metric)
    network = load_depth_anything(tmp_path, metric)
    assert network.metric == metric
    pictures = torch.randint(0, 256, (2, 3, 48, 64), dtype=torch.uint8)
    found = network(pictures)
    assert found.shape == (2, 48, 64) and (found >= 0).all() and found.max() <= 20 * metric + 1e6
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    seen = torch.nn.functional.interpolate(pictures / 255, (574, 756), mode="bicubic")
    seen = (seen - mean[:, None, None]) / deviation[:, None, None]
    with torch.no_grad():
        there = model(pixel_values=seen).predicted_depth
    wanted = torch.nn.functional.interpolate(there[:, None], (48, 64), mode="bilinear")[:, 0]
    torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-4)


def test_sides_are_whole_patches_within_the_bound() -> None:
    assert fitting(288, 512, 14) == (434, 756)
    assert fitting(512, 288, 14) == (756, 434)
    assert fitting(1, 5000, 14) == (14, 756)


def test_the_other_kind_is_refused(tmp_path: Path) -> None:
    saved(tmp_path, metric=False)
    with pytest.raises(WeightsError, match="expected a metric Depth Anything, found a relative"):
        load_depth_anything(tmp_path, metric=True)


def test_a_key_that_is_missing_is_named(tmp_path: Path) -> None:
    saved(tmp_path, metric=False)
    path = tmp_path / "model.safetensors"
    state = load_file(path)
    del state["head.conv3.bias"]
    save_file(state, path, {"format": "pt"})
    with pytest.raises(WeightsError, match=r"lacks 1 of \d+ keys of Depth Anything.*head.conv3"):
        load_depth_anything(tmp_path, metric=False)


def test_a_folder_without_weights_says_so(tmp_path: Path) -> None:
    saved(tmp_path, metric=False)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(WeightsError, match=r"model\.safetensors is missing"):
        load_depth_anything(tmp_path, metric=False)
