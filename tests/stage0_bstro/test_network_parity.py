"""The re-implemented network computes what the original computes, at the official size."""

from typing import Any

import numpy as np
import pytest
import torch

from stages.stage0_bstro.checkpoint import network_from_state
from stages.stage0_bstro.network import Bstro, BstroConfig, BstroOutput

Golden = dict[str, np.ndarray]
pytestmark = pytest.mark.parity
BOUND = 1e-4


def relative_error(ours: torch.Tensor, golden: np.ndarray) -> float:
    assert tuple(ours.shape) == golden.shape
    return float(np.abs(ours.numpy() - golden).max() / golden.std())


@pytest.fixture(scope="module")
def network(goldens: Any, bstro_golden: Golden) -> Bstro:
    template = torch.from_numpy(bstro_golden["template431"])
    weights = goldens.weights("bstro")
    return network_from_state(weights, template, BstroConfig(), "name-seeded weights")


@pytest.fixture(scope="module")
def tokens(network: Bstro, bstro_golden: Golden) -> torch.Tensor:
    with torch.inference_mode():
        return network.image_tokens(torch.from_numpy(bstro_golden["net_in"]))


def test_feature_maps_of_the_trunk(network: Bstro, bstro_golden: Golden) -> None:
    with torch.inference_mode():
        stages = network.backbone.branches(torch.from_numpy(bstro_golden["net_in"][:1]))
    fine = {f"stage{i}_hi_slice": stages[i - 2][0][0, ::4, ::4, ::4] for i in (2, 3)}
    for name, ours in fine.items():
        assert relative_error(ours, bstro_golden[name]) < BOUND
    assert relative_error(stages[2][-1][0, ::16], bstro_golden["stage4_lo_slice"]) < BOUND


def test_image_tokens(tokens: torch.Tensor, bstro_golden: Golden) -> None:
    assert relative_error(tokens[:, ::4, ::8], bstro_golden["tokens_slice"]) < BOUND


def test_encoders(network: Bstro, tokens: torch.Tensor, bstro_golden: Golden) -> None:
    with torch.inference_mode():
        x = network.vertex_tokens(tokens)
        learned = x[:, ::16, 3::16]
        assert relative_error(learned, bstro_golden["learned_tokens_slice"]) < BOUND
        first = network.trans_encoder[0](x)
        assert relative_error(first[:, ::8, ::8], bstro_golden["enc0_slice"]) < BOUND
        second = network.trans_encoder[1](first)
        assert relative_error(second[:, ::8, ::4], bstro_golden["enc1_slice"]) < BOUND
        third = network.trans_encoder[2](second)
        assert relative_error(third, bstro_golden["enc2"]) < BOUND


def test_contact_probabilities(network: Bstro, bstro_golden: Golden) -> None:
    with torch.inference_mode():
        out: BstroOutput = network(torch.from_numpy(bstro_golden["net_in"]))
    for name, logits in (("431", out.coarse), ("1723", out.middle), ("6890", out.full)):
        ours = torch.sigmoid(logits)[..., None]
        assert relative_error(ours, bstro_golden[f"contact{name}"]) < BOUND
