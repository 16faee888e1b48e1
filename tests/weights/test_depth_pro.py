"""Depth Pro from a folder: what the library makes of pictures."""

from pathlib import Path

import pytest
import torch
from transformers import DepthProConfig, DepthProForDepthEstimation

from stages.weights.depth_pro import load_depth_pro
from stages.weights.errors import WeightsError


def saved(folder: Path, tells_field: bool = True) -> DepthProForDepthEstimation:
    """A network of the smallest sizes, with random weights."""
    torch.manual_seed(0)
    vit = {
        "model_type": "dinov2", "hidden_size": 16, "num_hidden_layers": 2, "patch_size": 16,
        "num_attention_heads": 2, "mlp_ratio": 1, "image_size": 32,
    }  # fmt: skip
    config = DepthProConfig(
        patch_size=32, fusion_hidden_size=8, intermediate_hook_ids=[1, 0],
        intermediate_feature_dims=[8, 8], scaled_images_ratios=[0.25, 0.5, 1],
        scaled_images_feature_dims=[8, 8, 8], image_model_config=dict(vit),
        patch_model_config=dict(vit), fov_model_config=dict(vit), use_fov_model=tells_field,
        num_fov_head_layers=1,
    )  # fmt: skip
    model = DepthProForDepthEstimation(config).eval()
    if tells_field:
        # A field of view that lenses have.
        torch.nn.init.constant_(list(model.fov_model.parameters())[-1], 60.0)
    torch.nn.init.constant_(list(model.head.parameters())[-1], 0.5)
    model.save_pretrained(folder)
    return model


def test_depth_and_field_of_view_are_those_of_the_published_formula(tmp_path: Path) -> None:
    """Bochkovskii et al., section 3.1: the network's output is inverse depth times the width over
    the focal length.
    """
    model = saved(tmp_path)
    network = load_depth_pro(tmp_path)
    assert network.side_px == 128
    pictures = torch.randint(0, 256, (2, 3, 128, 128), dtype=torch.uint8)
    depth, field = network(pictures)
    with torch.no_grad():
        found = model(pixel_values=(pictures / 255 - 0.5) / 0.5)
    torch.testing.assert_close(field, found.field_of_view.flatten())
    focal_px = 64 / torch.tan(torch.deg2rad(field) / 2)
    inverse = 128 * found.predicted_depth / focal_px[:, None, None]
    at_size = torch.nn.functional.interpolate(inverse[:, None], (128, 128), mode="bilinear")[:, 0]
    wanted = 1 / at_size.clamp(1e-4, 1e4)
    torch.testing.assert_close(depth, wanted, rtol=1e-4, atol=1e-5)


def test_pictures_keep_their_size(tmp_path: Path) -> None:
    saved(tmp_path)
    depth, _ = load_depth_pro(tmp_path)(torch.zeros(1, 3, 48, 64, dtype=torch.uint8))
    assert depth.shape == (1, 48, 64) and (depth > 0).all()


def test_one_that_tells_no_field_of_view_is_refused(tmp_path: Path) -> None:
    saved(tmp_path, tells_field=False)
    with pytest.raises(WeightsError, match="tells no field of view"):
        load_depth_pro(tmp_path)
