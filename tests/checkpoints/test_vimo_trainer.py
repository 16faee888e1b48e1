"""What VIMO's trainer learns from: skeleton, mirror images, projection, alignment."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation
from transformers import VitPoseForPoseEstimation

from stages.body.model import DEMO_BODY, load_body
from stages.stage0_vimo.network.backbone import Backbone
from stages.stage0_vimo.network.camera import bbox_info
from tools.checkpoints.sample_stock import Stock
from tools.checkpoints.vimo import VITPOSE
from tools.checkpoints.vimo_losses import (
    Skeleton,
    aligned_errors_m,
    grid_losses,
    projection_loss,
)
from tools.checkpoints.vimo_samples import MARGIN_PX, VimoSamples, mirrored
from tools.checkpoints.vitpose_backbone import load_vitpose_backbone
from tools.footage.skinning import BodyTensors, pose_vertices

PEOPLE = 3
FOCAL_PX, CENTRE_PX, SIZE_PX = 700.0, (300.0, 180.0), 250.0


@pytest.fixture(scope="module")
def body() -> BodyTensors:
    return BodyTensors.from_model(load_body(DEMO_BODY))


def random_rotations(count: int) -> torch.Tensor:
    turns = np.random.default_rng(0).normal(0, 0.5, (count * 24, 3))
    return torch.from_numpy(Rotation.from_rotvec(turns).as_matrix()).float().view(count, 24, 3, 3)


@pytest.fixture(scope="module")
def samples(body: BodyTensors) -> VimoSamples:
    """People 3 m in front of a camera whose crop lies off the picture's middle."""
    torch.manual_seed(0)
    rotmats, betas = random_rotations(PEOPLE), torch.randn(PEOPLE, 10)
    root = torch.tensor([[0.2, 0.1, 3.0]]).expand(PEOPLE, 3)
    _, joints = pose_vertices(body, betas, rotmats, root)
    in_picture = FOCAL_PX * joints[..., :2] / joints[..., 2:] + torch.tensor([320.0, 180.0])
    low = torch.tensor(CENTRE_PX) - SIZE_PX / 2
    px = (in_picture - low + 0.5) * 256 / SIZE_PX - 0.5 - torch.tensor([MARGIN_PX, 0.0])
    info = bbox_info(
        torch.tensor([CENTRE_PX]),
        torch.tensor([SIZE_PX]),
        torch.tensor([FOCAL_PX]),
        torch.tensor([[320.0, 180.0]]),
    ).expand(PEOPLE, 3)
    crops = torch.randint(0, 255, (PEOPLE, 1, 3, 256, 192), dtype=torch.uint8)
    return VimoSamples(crops, info[:, None], rotmats[:, None], betas, joints[:, None], px[:, None])


def relative(samples: VimoSamples) -> torch.Tensor:
    return (samples.joints_m - samples.joints_m[:, :, :1]).flatten(0, 1)


def test_the_skeleton_is_that_of_the_posed_body(body: BodyTensors, samples: VimoSamples) -> None:
    ours = Skeleton(body).joints(samples.rotmats.flatten(0, 1), samples.betas)
    torch.testing.assert_close(ours, relative(samples), atol=1e-5, rtol=0)


def test_a_mirrored_person_is_a_person(body: BodyTensors, samples: VimoSamples) -> None:
    other = mirrored(samples)
    ours = Skeleton(body).joints(other.rotmats.flatten(0, 1), other.betas)
    torch.testing.assert_close(ours, relative(other), atol=2e-3, rtol=0)
    torch.testing.assert_close(mirrored(other).rotmats, samples.rotmats)
    assert torch.equal(mirrored(other).crops, samples.crops)


def test_the_true_weak_camera_projects_joints_to_their_places(samples: VimoSamples) -> None:
    pelvis = samples.joints_m[:, 0, 0]
    scale = 2 * FOCAL_PX / (SIZE_PX * pelvis[:, 2])
    offset = torch.tensor(CENTRE_PX) - torch.tensor([320.0, 180.0])
    shift = pelvis[:, :2] - 2 * offset / (SIZE_PX * scale[:, None])
    camera = torch.cat([scale[:, None], shift], 1)
    half_a_pixel = 2 * 2 * 0.5 / SIZE_PX
    assert projection_loss(relative(samples), camera, samples) <= half_a_pixel + 1e-4
    assert projection_loss(relative(samples), camera + 0.1, samples) > 5 * half_a_pixel


def test_joints_are_placed_in_the_patch_that_shows_them(samples: VimoSamples) -> None:
    target = samples.joints_px.flatten(0, 1)
    cell = ((target - 5.5) / 16).round().long()
    index = cell[..., 1].clamp(0, 15) * 12 + cell[..., 0].clamp(0, 11)
    sure = torch.zeros(PEOPLE, 24, 192).scatter_(2, index[..., None], 12.0).transpose(1, 2)
    unsure, nothing = torch.zeros(PEOPLE, 192, 24), torch.zeros(PEOPLE, 192, 24)
    assert grid_losses(sure, nothing, samples)[0] < grid_losses(unsure, nothing, samples)[0]


def test_alignment_forgives_place_turn_and_size_only() -> None:
    torch.manual_seed(1)
    truth = torch.randn(4, 24, 3)
    moved = 1.7 * truth @ random_rotations(4)[:, 3] + torch.tensor([1.0, 2.0, 3.0])
    assert aligned_errors_m(moved, truth).max() < 1e-4
    assert aligned_errors_m(truth * torch.tensor([-1.0, 1.0, 1.0]), truth).min() > 0.1


def test_a_stock_forgets_its_oldest_samples(samples: VimoSamples) -> None:
    stock: Stock[VimoSamples] = Stock(4)
    with pytest.raises(ValueError, match="empty"):
        stock.draw(1)
    for shade in (10, 20, 30):
        samples_of_shade = samples[:2]
        samples_of_shade.crops = torch.full_like(samples_of_shade.crops, shade)
        stock.add(samples_of_shade)
    shades = set(stock.draw(50).crops[:, 0, 0, 0, 0].tolist())
    assert shades == {20, 30}


@pytest.mark.tools
def test_the_backbone_starts_with_what_vitpose_sees() -> None:
    theirs = VitPoseForPoseEstimation.from_pretrained(VITPOSE).backbone.eval().float()
    config = theirs.config
    ours = Backbone(config.hidden_size, config.num_hidden_layers, config.num_attention_heads, 4.0)
    load_vitpose_backbone(ours, VITPOSE)
    picture = torch.randn(1, 3, 256, 192, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = theirs(picture).feature_maps[-1]
        torch.testing.assert_close(ours(picture), expected, atol=1e-3, rtol=1e-3)
