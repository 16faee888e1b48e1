"""Crop, network and decoding equal the original's on golden numbers."""

from pathlib import Path

import numpy as np
import pytest
import torch

from stages.body.joint_names import FLIP_PAIRS
from stages.stage0_vitpose.crops import Crop, crop_of_box, cut, normalised
from stages.stage0_vitpose.decoding import decode
from stages.stage0_vitpose.estimator import KeypointEstimator, in_image
from stages.weights.vitpose import load_vitpose, network_of_official

pytestmark = pytest.mark.parity


@pytest.fixture(scope="module")
def small(goldens):
    return goldens.load("vitpose")


@pytest.fixture(scope="module")
def estimator(goldens, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "vitpose_small_wholebody.pth"
    torch.save({"state_dict": goldens.weights("vitpose")}, path)
    return KeypointEstimator(load_vitpose(path), batch_size=2)


@pytest.fixture
def in_float32(monkeypatch):
    """As the original computes, also where this processor would take bfloat16."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict, raising=False)


def test_the_flip_pairs_are_the_original_ones(small):
    ours = {tuple(sorted(pair)) for pair in FLIP_PAIRS}
    assert ours == {tuple(sorted(pair)) for pair in small["flip_pairs"].tolist()}


def test_crops_equal_to_one_grey_level(small):
    for index, box in enumerate(small["boxes_xyxys"]):
        crop = crop_of_box(tuple(box[:4]))
        assert np.allclose(crop.centre_px, small["center"][index], atol=1e-4)
        assert np.allclose(crop.size_px, 200 * small["scale"][index], rtol=1e-5)
        assert np.allclose(crop.crop_from_image, small["warp_matrix"][index], rtol=1e-5, atol=1e-4)
        ours = cut(small["image_u8"], crop).astype(int)
        assert np.abs(ours - small["crop_u8"][index].astype(int)).max() <= 1


@torch.inference_mode()
def test_features_and_heat_maps_without_flip_equal_to_1e_4(small, estimator):
    pictures = normalised(torch.from_numpy(small["crop_u8"]))
    features = estimator.model.backbone(pixel_values=pictures).feature_maps[-1]
    heat = estimator.model(pixel_values=pictures).heatmaps.numpy()[:, ::6]
    grid = features.transpose(1, 2).unflatten(2, (16, 12)).numpy()[:, ::8]
    for ours, golden in ((grid, small["backbone_slice"]), (heat, small["heat_single_slice"])):
        assert np.abs(ours - golden).max() < 1e-4 * golden.std()


def test_heat_maps_equal_to_1e_4(small, estimator, in_float32):
    heat = estimator.heat_maps(normalised(torch.from_numpy(small["crop_u8"]))).numpy()[:, ::6]
    golden = small["heat_flipavg_slice"]
    assert np.abs(heat - golden).max() < 1e-4 * golden.std()


def test_heat_maps_of_this_processor_equal_to_a_twentieth_of_their_deviation(small, estimator):
    heat = estimator.heat_maps(normalised(torch.from_numpy(small["crop_u8"]))).numpy()[:, ::6]
    golden = small["heat_flipavg_slice"]
    assert np.abs(heat - golden).max() < 0.05 * golden.std()


def test_keypoints_equal_to_a_thousandth_of_a_pixel(small, estimator, in_float32):
    crops = [crop_of_box(tuple(box[:4])) for box in small["boxes_xyxys"]]
    found = in_image(estimator.start(small["crop_u8"]), crops)
    for ours, golden in zip(found, small["keypoints"], strict=True):
        assert np.abs(ours[:, :2] - golden[:, :2]).max() < 1e-3
        assert np.abs(ours[:, 2] - golden[:, 2]).max() < 1e-4 * golden[:, 2].std()


def test_odd_heat_maps_decode_as_in_the_original(small):
    crop = crop_of_box(tuple(small["boxes_xyxys"][0, :4]))
    (ours,) = in_image(decode(torch.from_numpy(small["art_heatmaps"])), [crop])
    golden = small["art_keypoints"][0]
    assert np.abs(ours[:, :2] - golden[:, :2]).max() < 1e-3
    assert np.abs(ours[:, 2] - golden[:, 2]).max() < 1e-6


@pytest.mark.slow
def test_the_huge_network_equals_the_original_too(goldens, in_float32):
    huge = goldens.load("vitpose_huge")
    path = Path("vitpose_huge_wholebody.pth")
    estimator = KeypointEstimator(network_of_official(goldens.weights("vitpose_huge"), path), 1)
    heat = estimator.heat_maps(normalised(torch.from_numpy(huge["crop_u8"])))
    golden = huge["heat_flipavg_slice"]
    assert np.abs(heat.numpy()[:, ::12] - golden).max() < 1e-4 * golden.std()
    crops = [Crop(*where) for where in zip(huge["center"], 200 * huge["scale"], strict=True)]
    for ours, golden in zip(in_image(decode(heat), crops), huge["keypoints"], strict=True):
        assert np.abs(ours[:, :2] - golden[:, :2]).max() < 1e-3
        assert np.abs(ours[:, 2] - golden[:, 2]).max() < 1e-4 * golden[:, 2].std()
