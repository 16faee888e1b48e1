"""Point maps of many pairs, a bounded number of them at a time."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from stages.stage1_align3r.network import Align3rNet, PairMaps, PictureTokens

PAIRS_AT_ONCE = 16
"""As in the original; pictures are looked at by as many."""


def point_maps(
    network: Align3rNet,
    pictures: UInt8[Tensor, "n 3 h w"],
    priors: Float[Tensor, "n 3 h w"],
    pairs: Int[Tensor, "e 2"],
    at_once: int = PAIRS_AT_ONCE,
    progress: Callable[[float], None] = lambda share: None,
) -> PairMaps:
    """Of ordered pairs of pictures in RGB; on the pictures' device, as the network is.

    Raises:
        ValueError: a side is no multiple of 16.
    """
    with torch.no_grad():
        tokens = _looked_at(network, pictures, priors, at_once)
        high, wide = pictures.shape[-2:]
        shapes = 2 * [(len(pairs), high, wide, 3), (len(pairs), high, wide)]
        found = PairMaps(*(torch.empty(shape, device=pictures.device) for shape in shapes))
        for few in torch.arange(len(pairs)).split(at_once):
            first, second = pairs[few].to(pictures.device).unbind(1)
            for whole, part in zip(found, network(tokens[first], tokens[second]), strict=True):
                whole[few[0] : few[-1] + 1] = part
            progress((int(few[-1]) + 1) / len(pairs))
    return found


def _looked_at(
    network: Align3rNet, pictures: Tensor, priors: Tensor, at_once: int
) -> PictureTokens:
    parts = [
        network.look_at(few.float() / 127.5 - 1, prior)
        for few, prior in zip(pictures.split(at_once), priors.split(at_once), strict=True)
    ]
    return PictureTokens(
        torch.cat([each.encoded for each in parts]),
        torch.cat([each.prior for each in parts]),
        parts[0].rows,
    )
