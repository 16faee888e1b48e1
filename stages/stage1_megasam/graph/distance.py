"""How far apart frames are: the mean flow that the camera's motion makes between them."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from stages.flow.grid import cell_grid
from stages.stage1_megasam.projection import Scene, Seen, motions, see_after

FULL_SHARE = 0.3
"""Of the whole flow; the rest is that of the translation alone, which turning cannot raise."""

UNSEEN = 1000.0
"""The distance where too little of a frame is in front of the other's camera."""

_NEAREST = 0.25
_LEAST_IN_FRONT = 0.75
_EDGES_AT_ONCE = 256


def one_way_distances(
    scene: Scene,
    sources: Int[Tensor, " n"],
    targets: Int[Tensor, " n"],
    full_share: float = FULL_SHARE,
) -> Float[Tensor, " n"]:
    """From each source to its target, in cells."""
    found = [
        _distances(scene, i, j, full_share)
        for i, j in zip(sources.split(_EDGES_AT_ONCE), targets.split(_EDGES_AT_ONCE), strict=True)
    ]
    return torch.cat(found)


def distances(
    scene: Scene,
    sources: Int[Tensor, " n"],
    targets: Int[Tensor, " n"],
    full_share: float = FULL_SHARE,
) -> Float[Tensor, " n"]:
    """The mean of both directions, in cells."""
    there = one_way_distances(scene, sources, targets, full_share)
    back = one_way_distances(scene, targets, sources, full_share)
    return (there + back) / 2


def _distances(scene: Scene, sources: Tensor, targets: Tensor, full_share: float) -> Tensor:
    whole = motions(scene, sources, targets)
    straight = torch.cat([whole[:, :3], whole.new_tensor([1, 0, 0, 0]).expand(len(whole), 4)], 1)
    flow, in_front = whole.new_zeros(len(whole)), whole.new_zeros(len(whole))
    for motion, share in ((whole, full_share), (straight, 1 - full_share)):
        length, counts = _flow(see_after(scene, sources, motion))
        flow += share * length
        in_front += share * counts
    return torch.where(in_front < _LEAST_IN_FRONT, UNSEEN, flow / in_front)


def _flow(seen: Seen) -> tuple[Float[Tensor, " n"], Float[Tensor, " n"]]:
    """Over all cells: mean length of the flow, zero where behind, and share in front."""
    counts = seen.depth > _NEAREST
    length = (seen.places - cell_grid(seen.depth)).norm(dim=-1)
    return (length * counts).mean(dim=(1, 2)), counts.to(length.dtype).mean(dim=(1, 2))
