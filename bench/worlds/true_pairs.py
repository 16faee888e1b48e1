"""Point maps and flow of pairs of a rendered scene in place of the networks', as they are or off.

People are where they are when each picture is taken, as the network has them.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from bench.worlds.places import Place
from bench.worlds.true_flow import Disturbance, TrueFlow
from stages.flow.grid import cell_grid
from stages.geometry import se3
from stages.stage1_align3r.alignment.unknowns import viewing_rays
from stages.stage1_align3r.network import PairMaps
from stages.stage1_align3r.pair_graph import pair_graph

_ALPHA = 0.2
"""DUSt3R's loss (Wang et al., CVPR 2024, equation 4) is least for a confidence of so much over the
expected error, in units of the scene."""

_LEAST_ERROR = 0.01
_OUTLIERS, _OUTLIER_DEPTH = 0.1, 0.5
_UNIT = 0.3
"""Of the logarithm of pairs' units, which nobody knows."""


@dataclass(frozen=True)
class PairDisturbance:
    """Everything is drawn anew for every pair."""

    depth: float = 0.0
    """Error of depth, as a share: half of its variance of patches, half of pixels."""
    outliers: bool = False
    """A tenth of the pixels is off by half its depth, and trusted like the others."""
    pose_deg: float = 0.0
    """How far the second picture's points are turned about the first camera; they are also moved,
    by as many hundredths of the middle depth."""
    flow_px: float = 0.0
    """Of pixels of a 512x288 picture."""
    with_flow: bool = True
    with_people: bool = True
    """Whether it is known who moves; else it is read off flow."""


class Pairs(NamedTuple):
    """All that the networks would say."""

    pairs: Int[Tensor, "e 2"]
    maps: PairMaps
    flow: Float[Tensor, "e 2 h w"]


class TruePairs:
    """Of a place whose optical axis is at half the width and height."""

    def __init__(self, place: Place, cell_px: int) -> None:
        truth = place.truth
        self.place, self.cell_px = place, cell_px
        self.pairs = pair_graph(len(truth.disparity))
        first, second = self.pairs.unbind(1)
        high, wide = truth.disparity.shape[1:]
        rays = viewing_rays(high, wide, truth.intrinsics[0].float())
        self.own = rays / truth.disparity[..., None].float()
        back = se3.inverse(truth.T_camera_world)
        self.T_first_second = se3.multiply(truth.T_camera_world[first], back[second])
        places = TrueFlow(place, Disturbance(), cell_px).begin(first, second).rows[0]
        self.flow = (places - cell_grid(places[..., 0])).movedim(-1, 1)

    def disturbed(self, off: PairDisturbance, seed: int = 0) -> Pairs:
        """What networks would say that are so much off."""
        random = torch.Generator().manual_seed(seed)
        first, second = self.pairs.unbind(1)
        distance = self.own.norm(dim=-1)
        middle = float(distance.median())
        wrong = torch.randn(len(first), 6, generator=random)
        wrong = wrong * torch.tensor(3 * [middle / 100] + 3 * [math.radians(1)]) * off.pose_deg
        T = se3.multiply(se3.exp(wrong.double()), self.T_first_second).float()
        unit = (_UNIT * torch.randn(len(first), 1, 1, 1, generator=random)).exp()
        near, far = (
            self.own[side] * _factor(self.own[side], off, random) for side in (first, second)
        )
        far = se3.act(T[:, None, None], far)
        expected = distance / middle * math.hypot(off.depth, _LEAST_ERROR)
        sure = (_ALPHA / expected).clamp(min=1)
        noise = off.flow_px / self.cell_px * torch.randn(self.flow.shape, generator=random)
        maps = PairMaps(near * unit, sure[first], far * unit, sure[second])
        return Pairs(self.pairs, maps, self.flow + noise)


def _factor(points: Tensor, off: PairDisturbance, random: torch.Generator) -> Tensor:
    """By which points are too far."""
    count, high, wide = points.shape[:3]
    patches = torch.randn(count, 1, 4, 6, generator=random)
    smooth = F.interpolate(patches, (high, wide), mode="bilinear")[:, 0]
    error = smooth / smooth.std() + torch.randn(count, high, wide, generator=random)
    log = off.depth * error / error.std()
    if off.outliers:
        wild = torch.rand(count, high, wide, generator=random) < _OUTLIERS
        log = log + wild * _OUTLIER_DEPTH * torch.randn(count, high, wide, generator=random)
    return log.exp()[..., None]
