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
from stages.geometry import se3
from stages.geometry.rotations import wxyz_from_matrix
from stages.stage1_align3r.alignment.unknowns import viewing_rays
from stages.stage1_align3r.network import PairMaps
from stages.stage1_align3r.pair_graph import pair_graph
from stages.stage1_align3r.reconstruction import Reconstruction, aligned
from stages.stage1_megasam.network.grid import cell_grid
from stages.stage1_megasam.projection import Scene

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
    """Error of depth, as a share: half of it of patches, half of pixels."""
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


def true_pairs(place: Place, off: PairDisturbance, cell_px: int, seed: int = 0) -> Pairs:
    """Of a place whose optical axis is at half the width and height."""
    random = torch.Generator().manual_seed(seed)
    truth = place.truth
    frames, high, wide = truth.disparity.shape
    pairs = pair_graph(frames)
    rays = viewing_rays(high, wide, truth.intrinsics[0].float())
    own = rays / truth.disparity[..., None].float()
    T_world_camera = se3.inverse(truth.T_camera_world)
    first, second = pairs.unbind(1)
    T_first_second = se3.multiply(truth.T_camera_world[first], T_world_camera[second])
    middle = float((1 / truth.disparity).median())
    wrong = torch.randn(len(pairs), 6, generator=random)
    wrong = wrong * torch.tensor(3 * [middle / 100] + 3 * [math.radians(1)]) * off.pose_deg
    T = se3.multiply(se3.exp(wrong.double()), T_first_second).float()
    unit = (_UNIT * torch.randn(len(pairs), 1, 1, 1, generator=random)).exp()
    points = [
        own[first] * _factor(own[first], off, random),
        se3.act(T[:, None, None], own[second] * _factor(own[second], off, random)),
    ]
    distance = own.norm(dim=-1) / own.norm(dim=-1).median()
    sure = (_ALPHA / (distance * math.hypot(off.depth, _LEAST_ERROR))).clamp(min=1)
    maps = PairMaps(points[0] * unit, sure[first], points[1] * unit, sure[second])
    flow = TrueFlow(place, Disturbance(noise_px=off.flow_px), cell_px, seed)
    places = flow.begin(first, second).rows[0]
    return Pairs(pairs, maps, (places - cell_grid(places[..., 0])).movedim(-1, 1).contiguous())


def aligned_place(place: Place, off: PairDisturbance, cell_px: int) -> Scene:
    """What the alignment makes of a place, in the place's unit by the middle depth."""
    found = align_pairs(place, off, cell_px)
    unit = float(found.depth.median() * place.truth.disparity.median())
    poses = torch.cat([found.T_world_camera[..., 3] / unit, _wxyz(found)], dim=-1).double()
    lens = torch.tensor([found.focal_px, found.focal_px, *place.truth.intrinsics[2:]]).double()
    return Scene(se3.inverse(poses), unit / found.depth, lens)


def align_pairs(place: Place, off: PairDisturbance, cell_px: int) -> Reconstruction:
    """The alignment's own result."""
    pairs, maps, flow = true_pairs(place, off, cell_px)
    people = place.person if off.with_people else None
    return aligned(pairs, maps, flow if off.with_flow else None, people, len(place.person))


def _wxyz(found: Reconstruction) -> Tensor:
    return torch.from_numpy(wxyz_from_matrix(found.T_world_camera[..., :3].double().numpy()))


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
