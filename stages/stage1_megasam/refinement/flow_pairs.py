"""Flow of every pixel between frames some steps apart, and where it agrees with the flow back."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor

from stages.flow.grid import cell_grid
from stages.flow.raft import Flow

STEPS = (1, 2, 4, 8, 15)
"""Frames apart."""

_ITERATIONS = 22
_LARGEST_DISAGREEMENT_PX = 1.0
_PAIRS_AT_ONCE = 4

Finder = Callable[[Tensor, Tensor, int, Tensor | None], Flow]
"""First and second pictures, iterations and flow to begin with; as `Raft` is called."""


@dataclass(frozen=True)
class FlowPairs:
    """Flow at half the pictures' size."""

    sources: Int[Tensor, " n"]
    targets: Int[Tensor, " n"]
    flow: Float[Tensor, "n h w 2"]
    """From pixels of the source to the target; pixels."""
    trusted: Bool[Tensor, "n h w"]
    """Where the flow back leads to the same pixel."""

    def __len__(self) -> int:
        return len(self.sources)

    def picked(self, rows: slice) -> "FlowPairs":
        """Some of the pairs."""
        return FlowPairs(
            self.sources[rows], self.targets[rows], self.flow[rows], self.trusted[rows]
        )


@torch.no_grad()
def follow(find: Finder, pictures: Shaped[Tensor, "f 3 2*h 2*w"]) -> FlowPairs:
    """Flow between all frames that are so many steps apart; each begins with that of fewer steps.

    `pictures`: RGB, 0 to 255; both sides are multiples of 8.

    Raises:
        ValueError: there are fewer than two frames.
    """
    count = len(pictures)
    if count < 2:
        raise ValueError("one frame has no flow")
    every = torch.arange(count, device=pictures.device)
    ahead: dict[int, Tensor] = {}
    back: dict[int, Tensor] = {}
    parts = []
    for step in STEPS:
        for sources in every[: max(count - step, 0)].split(_PAIRS_AT_ONCE):
            if not len(sources):
                continue
            targets = sources + step
            ends = [(ahead, sources.tolist()), (back, targets.tolist())]
            start = None if step == 1 else torch.stack([kept[i] for kept, at in ends for i in at])
            first, second = pictures[sources].float(), pictures[targets].float()
            found = find(torch.cat([first, second]), torch.cat([second, first]), _ITERATIONS, start)
            for (kept, at), cells in zip(ends, found.cells.chunk(2), strict=True):
                kept.update(zip(at, cells, strict=True))
            there, again = half(found.pixels).chunk(2)
            trusted = disagreement(there, again) < _LARGEST_DISAGREEMENT_PX
            parts.append((sources, targets, there, trusted))
    return FlowPairs(*(torch.cat(each) for each in zip(*parts, strict=True)))


def half(flow: Float[Tensor, "n 2 2*h 2*w"]) -> Float[Tensor, "n h w 2"]:
    """Flow of pictures half as large."""
    return F.avg_pool2d(flow, 2).movedim(1, -1) / 2


def disagreement(
    there: Float[Tensor, "n h w 2"], back: Float[Tensor, "n h w 2"]
) -> Float[Tensor, "n h w"]:
    """How far from itself a pixel comes by the flow there and back; there only, if it leaves."""
    returned = sampled(back.movedim(-1, 1), cell_grid(there[..., 0]) + there)
    return (there + returned.movedim(1, -1)).norm(dim=-1)


def sampled(
    maps: Float[Tensor, "n c h w"], places: Float[Tensor, "n h w 2"]
) -> Float[Tensor, "n c h w"]:
    """Bilinear values at places (x, y; pixels); zero outside."""
    high, wide = maps.shape[-2:]
    ends = places.new_tensor([max(wide - 1, 1), max(high - 1, 1)])
    return F.grid_sample(maps, 2 * places / ends - 1, align_corners=True)
