"""A network that knows nothing, small enough to be run by the dozen."""

import torch

from stages.stage1_align3r.network import Align3rConfig, Align3rNet

SMALL = Align3rConfig(
    encoder_width=64,
    encoder_depth=2,
    decoder_width=64,
    decoder_depth=8,
    layers=(8, 8, 16, 16),
    features=16,
    last=8,
)


def small_network(seed: int = 0) -> Align3rNet:
    torch.manual_seed(seed)
    return Align3rNet(SMALL).eval().requires_grad_(False)
