"""The whole way with networks that know nothing: types, shapes, conventions and repeatability."""

import pytest
import torch

from stages.stage1_align3r.reconstruction import Reconstruction, pair_flow, reconstruct
from tests.stage1_align3r.small import small_network

FRAMES, HIGH, WIDE = 4, 32, 48


def flow_of(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Something that depends on both pictures and their order."""
    return (first.float() - 2 * second.float())[:, :2] / 100


@pytest.fixture(scope="module")
def pictures() -> torch.Tensor:
    random = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (FRAMES, 3, HIGH, WIDE), dtype=torch.uint8, generator=random)


def made(pictures: torch.Tensor, people: torch.Tensor | None = None) -> Reconstruction:
    priors = torch.zeros(len(pictures), 3, HIGH, WIDE)
    return reconstruct(small_network(), pictures, priors, flow_of, people, at_once=3)


def test_every_frame_has_a_camera_and_depth(pictures: torch.Tensor) -> None:
    shares: list[float] = []
    priors = torch.rand(FRAMES, 3, HIGH, WIDE)
    found = reconstruct(small_network(), pictures, priors, flow_of, progress=shares.append)
    assert found.T_world_camera.shape == (FRAMES, 3, 4)
    assert found.depth.shape == found.confidence.shape == (FRAMES, HIGH, WIDE)
    assert found.points.shape == (FRAMES, HIGH, WIDE, 3)
    assert found.moving.dtype == torch.bool and found.moving.shape == (FRAMES, HIGH, WIDE)
    for each in (found.T_world_camera, found.depth, found.points, found.confidence):
        assert each.isfinite().all() and not each.requires_grad
    assert (found.depth > 0).all() and len(found.losses) == 300
    assert shares == sorted(shares) and shares[-1] == 1


@pytest.mark.slow
def test_the_same_pictures_give_the_same(pictures: torch.Tensor) -> None:
    first, second = made(pictures), made(pictures)
    assert torch.equal(first.points, second.points)
    assert torch.equal(first.T_world_camera, second.T_world_camera)
    assert first.losses == second.losses


def test_pictures_that_are_all_the_same_have_cameras_too(pictures: torch.Tensor) -> None:
    found = made(pictures[:1].expand(3, -1, -1, -1))
    assert found.T_world_camera.isfinite().all() and found.points.isfinite().all()


def test_people_that_are_known_are_what_moves(pictures: torch.Tensor) -> None:
    people = torch.zeros(FRAMES, HIGH, WIDE, dtype=torch.bool)
    people[:, 10:20, 5:9] = True
    assert torch.equal(made(pictures, people).moving, people)


def test_flow_of_pairs_is_from_first_to_second(pictures: torch.Tensor) -> None:
    pairs = torch.tensor([[0, 1], [2, 0], [1, 0]])
    found = pair_flow(flow_of, pictures, pairs, at_once=2)
    for row, (i, j) in enumerate(pairs.tolist()):
        assert torch.equal(found[row], flow_of(pictures[i : i + 1], pictures[j : j + 1])[0])
