"""What moves by itself: where flow goes elsewhere than the camera's motion alone would lead.

Zhang et al., "MonST3R" (ICLR 2025), section 4.1: each pair of pictures has its own cameras and
depth, and a frame's pixels move by the verdict of all its pairs.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from stages.stage1_align3r.alignment.single_pictures import camera, focal_px
from stages.stage1_align3r.alignment.start import PAIRS_AT_ONCE, SURE, pair_scores
from stages.stage1_align3r.alignment.terms import camera_flow
from stages.stage1_align3r.alignment.unknowns import inverse, moved, viewing_rays
from stages.stage1_align3r.network import PairMaps

_MOVES = 0.35
"""Of a pair's largest error, in the mean over a frame's pairs."""

_POSE_ROUNDS = 100


def moving_pixels(
    pairs: Int[Tensor, "e 2"], maps: PairMaps, flow: Float[Tensor, "e 2 h w"], frames: int
) -> Bool[Tensor, "n h w"]:
    """Of all frames; every pair must be there in both orders, flow is from first to second."""
    surer, reverse = _both_orders(pairs, pair_scores(maps))
    total = flow.new_zeros(frames, *flow.shape[2:])
    count = flow.new_zeros(frames)
    for few, back in zip(surer.split(PAIRS_AT_ONCE), reverse.split(PAIRS_AT_ONCE), strict=True):
        of_first, of_second = _errors(maps, flow, few, back)
        for frame, error in ((pairs[few, 0], of_first), (pairs[few, 1], of_second)):
            total.index_add_(0, frame, _from_zero_to_one(error))
            count.index_add_(0, frame, torch.ones_like(frame, dtype=count.dtype))
    return total / count[:, None, None] > _MOVES


def _both_orders(pairs: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
    """Rows of the surer order of every two frames, and of the other."""
    row = {(i, j): k for k, (i, j) in enumerate(pairs.tolist())}
    sure = scores.tolist()
    both = [(k, row[j, i]) for (i, j), k in row.items() if i < j]
    ordered = [(a, b) if sure[a] > sure[b] else (b, a) for a, b in both]
    rows = torch.tensor(ordered, device=pairs.device)
    return rows[:, 0], rows[:, 1]


def _errors(
    maps: PairMaps, flow: Tensor, few: Tensor, back: Tensor
) -> tuple[Float[Tensor, "k h w"], Float[Tensor, "k h w"]]:
    """How far flow is off, in pixels, from first to second pictures and back."""
    high, wide = flow.shape[2:]
    first, second = maps.points_first[few], maps.points_second[few]
    lens_first, lens_second = focal_px(first), focal_px(maps.points_first[back])
    best = torch.maximum(maps.confidence_second[few], maps.confidence_first[back])
    found = [
        camera(points, usable, float(focal), _POSE_ROUNDS)
        for points, usable, focal in zip(second, best > SURE, lens_second, strict=True)
    ]
    here = torch.eye(3, 4).to(first).expand(len(few), 3, 4)
    there = torch.stack([own if T is None else T for T, own in zip(found, here, strict=True)])
    depth = moved(inverse(there), second)[..., 2:]
    first = first[..., 2:] * viewing_rays(high, wide, lens_first)
    second = moved(there, depth * viewing_rays(high, wide, lens_second))
    forth = camera_flow(first, there, lens_second) - flow[few].movedim(1, -1)
    again = camera_flow(second, here, lens_first) - flow[back].movedim(1, -1)
    return torch.linalg.vector_norm(forth, dim=-1), torch.linalg.vector_norm(again, dim=-1)


def _from_zero_to_one(error: Float[Tensor, "k h w"]) -> Float[Tensor, "k h w"]:
    least, most = error.amin((1, 2), keepdim=True), error.amax((1, 2), keepdim=True)
    return (error - least) / (most - least).clamp(min=torch.finfo(error.dtype).tiny)
