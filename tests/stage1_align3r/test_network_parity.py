"""The re-implemented two-view network computes what the original computes."""

from typing import Any

import numpy as np
import pytest
import torch

from stages.stage1_align3r.network import Align3rNet, PairMaps, PictureTokens

Golden = dict[str, np.ndarray]
pytestmark = [pytest.mark.parity, pytest.mark.slow]
BOUND = 1e-3


def relative_error(ours: torch.Tensor, golden: np.ndarray) -> float:
    assert tuple(ours.shape) == golden.shape
    return float(np.abs(ours.numpy() - golden).max() / golden.std())


def planes(array: np.ndarray, scale: float, shift: float) -> torch.Tensor:
    return torch.from_numpy(array).float().movedim(-1, 0)[None] / scale + shift


@pytest.fixture(scope="module")
def pictures(align3r_golden: Golden) -> torch.Tensor:
    return torch.cat([planes(align3r_golden[f"image{k}_u8"], 127.5, -1) for k in (1, 2)])


@pytest.fixture(scope="module")
def prior(align3r_golden: Golden) -> torch.Tensor:
    return torch.cat([planes(align3r_golden[f"prior{k}_u16"], 4096, 0) for k in (1, 2)])


def split(tokens: PictureTokens) -> tuple[PictureTokens, PictureTokens]:
    return tokens[torch.tensor([0])], tokens[torch.tensor([1])]


@pytest.fixture(scope="module")
def tokens(
    seeded_network: Align3rNet, pictures: torch.Tensor, prior: torch.Tensor
) -> tuple[PictureTokens, PictureTokens]:
    with torch.inference_mode():
        return split(seeded_network.look_at(pictures, prior))


def test_encoder(tokens: Any, align3r_golden: Golden) -> None:
    both = torch.cat([each.encoded for each in tokens])
    assert relative_error(both[:, ::4, ::16], align3r_golden["enc_slice"]) < BOUND


def test_branch_of_the_prior(
    seeded_network: Align3rNet, prior: torch.Tensor, align3r_golden: Golden
) -> None:
    with torch.inference_mode():
        found = seeded_network.prior_tokens(prior)
    for part, name in ((found[0], "pc_tokens_slice"), (found[-1], "pc_last_slice")):
        assert relative_error(part[:, ::4, ::16], align3r_golden[name]) < BOUND


def test_decoders(seeded_network: Align3rNet, tokens: Any, align3r_golden: Golden) -> None:
    with torch.inference_mode():
        found = seeded_network.decode(*tokens)
    for k in (0, 1):
        golden = align3r_golden[f"dec{k + 1}_slice"]
        assert relative_error(found[k][-1][:, ::4, ::16], golden) < BOUND


def test_point_maps_and_confidences(
    seeded_network: Align3rNet, tokens: Any, align3r_golden: Golden
) -> None:
    with torch.inference_mode():
        maps: PairMaps = seeded_network(*tokens)
    names = ("pts3d_view1", "conf_view1", "pts3d_view2_in_view1", "conf_view2")
    for part, name in zip(maps, names, strict=True):
        assert relative_error(part[:, ::2, ::2], align3r_golden[name]) < BOUND


def test_without_a_prior(
    seeded_network: Align3rNet, pictures: torch.Tensor, align3r_golden: Golden
) -> None:
    with torch.inference_mode():
        maps = seeded_network(*split(seeded_network.look_at(pictures, torch.zeros_like(pictures))))
    golden = align3r_golden["no_prior_pts3d_view1"]
    assert relative_error(maps.points_first[:, ::4, ::4], golden) < BOUND
