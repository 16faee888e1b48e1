"""Following a run of frames gives what every window by itself gives, at any batch size."""

import numpy as np
import pytest
import torch

from stages.running.recording import unrecorded
from stages.stage0_vimo.crops import CropGeometry, normalise
from stages.stage0_vimo.estimator import BodyEstimator, RunBodies
from stages.stage0_vimo.network import Vimo, VimoConfig
from stages.stage0_vimo.network.camera import bbox_info
from stages.stage0_vimo.network.config import WINDOW
from tests.stage0_vimo.runs import whole

PICTURE = (120, 160)
TINY = VimoConfig(
    dim=16, depth=1, heads=2, mlp_ratio=1.0, spacetime_dim=8, spacetime_depth=1,
    spacetime_feedforward=8, motion_dim=8, motion_depth=1, motion_feedforward=8,
    head_dim=8, head_depth=1, head_heads=2, head_attention_dim=4, head_feedforward=8,
)  # fmt: skip


@pytest.fixture(scope="module")
def network() -> Vimo:
    torch.manual_seed(0)
    network = Vimo(TINY).eval()
    torch.nn.init.normal_(network.backbone.pos_embed)
    return network


def run_of(length: int) -> tuple[np.ndarray, CropGeometry]:
    rng = np.random.default_rng(length)
    crops = rng.integers(0, 255, (length, 256, 256, 3), dtype=np.uint8)
    centres = rng.uniform(20, 100, (length, 2)).astype(np.float32)
    return crops, CropGeometry(centres, rng.uniform(50, 90, length).astype(np.float32))


def follow(network: Vimo, length: int, batch_size: int) -> RunBodies:
    crops, where = run_of(length)
    return whole(BodyEstimator(network, batch_size)(torch.from_numpy(crops), where, PICTURE))


def window_by_itself(network: Vimo, frames: np.ndarray, length: int) -> torch.Tensor:
    crops, where = run_of(length)
    height, width = PICTURE
    info = bbox_info(
        torch.from_numpy(where.center_px),
        torch.from_numpy(where.size_px),
        torch.full((length,), float(np.hypot(height, width))),
        torch.tensor([[width / 2, height / 2]]).expand(length, 2),
    )
    with torch.inference_mode():
        features = network.frame_features(normalise(torch.from_numpy(crops[frames])))
        return network(features[None], info[frames][None]).rotmat[0]


@pytest.mark.parametrize("batch_size", [1, 7, 48])
def test_every_frame_comes_from_the_window_around_it(network: Vimo, batch_size: int) -> None:
    length = 21
    found = follow(network, length, batch_size).rotmat
    for frame in (0, 8, 12, 13, 20):
        start = min(max(frame - 8, 0), length - WINDOW)
        alone = window_by_itself(network, np.arange(start, start + WINDOW), length)
        np.testing.assert_allclose(found[frame], alone[frame - start], atol=2e-5)


def test_a_short_run_is_its_frames_with_the_ends_repeated(network: Vimo) -> None:
    found = follow(network, 5, 4).rotmat
    frames = np.array([0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 4, 4, 4, 4, 4, 4])
    np.testing.assert_allclose(found, window_by_itself(network, frames, 5)[5:10], atol=2e-5)


def test_one_frame_alone_gets_a_body(network: Vimo) -> None:
    found = follow(network, 1, 16)
    assert found.rotmat.shape == (1, 24, 3, 3)
    identity = found.rotmat @ found.rotmat.swapaxes(-1, -2)
    np.testing.assert_allclose(identity, np.broadcast_to(np.eye(3), identity.shape), atol=1e-5)
    assert found.betas.shape == (1, 10)
    assert np.isfinite(found.translation_m).all()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_recorded_on_a_gpu_it_finds_what_it_finds_as_it_is() -> None:
    crops, where = run_of(53)
    estimate = BodyEstimator(Vimo(TINY).eval(), 8, "cuda", torch.float16)

    def found() -> RunBodies:
        return whole(estimate(torch.from_numpy(crops), where, PICTURE))

    with unrecorded():
        as_it_is = found()
    for _ in range(3):
        assert np.array_equal(found().rotmat, as_it_is.rotmat)
