"""A small room seen by a camera on a path, and the point maps that a perfect network would give."""

from dataclasses import dataclass

import torch

from stages.geometry import se3
from stages.stage1_align3r.alignment.terms import camera_flow
from stages.stage1_align3r.alignment.unknowns import inverse, moved, viewing_rays
from stages.stage1_align3r.network import PairMaps
from stages.stage1_align3r.pair_graph import pair_graph

HIGH, WIDE, FOCAL_PX = 24, 32, 30.0


@dataclass(frozen=True)
class Known:
    T_world_camera: torch.Tensor
    depth: torch.Tensor
    points: torch.Tensor
    pairs: torch.Tensor
    maps: PairMaps
    flow: torch.Tensor


def known(frames: int = 6, noise: float = 0.0, outliers: float = 0.0, seed: int = 0) -> Known:
    """A wavy wall two to four metres away; the camera walks past it and turns.

    In the pairs depth is off by `noise` as a share, in every pixel by itself; that of a share of
    `outliers` by half.
    """
    random = torch.Generator().manual_seed(seed)
    turn = torch.tensor([0.01, 0.03, 0.01]) * torch.arange(frames)[:, None]
    step = torch.tensor([0.12, 0.02, 0.05]) * torch.arange(frames)[:, None]
    T = se3.matrix(se3.exp(torch.cat([step, turn], dim=1)))[:, :3]
    row, column = torch.meshgrid(torch.arange(HIGH), torch.arange(WIDE), indexing="ij")
    phase = torch.arange(frames)[:, None, None] / 5
    depth = 3 + torch.sin(column / 5 + phase) * torch.cos(row / 7)
    rays = viewing_rays(HIGH, WIDE, torch.tensor(FOCAL_PX))
    own = depth[..., None] * rays
    points = moved(T, own)
    pairs = pair_graph(frames)
    first, second = pairs.unbind(1)
    unit = (0.3 * torch.randn(len(pairs), 1, 1, 1, generator=random)).exp()
    shape = (len(pairs), HIGH, WIDE, 1)
    near, far = (
        own[side]
        * (noise * torch.randn(shape, generator=random)).exp()
        * (
            0.5
            * (torch.rand(shape, generator=random) < outliers)
            * torch.randn(shape, generator=random)
        ).exp()
        for side in (first, second)
    )
    seen = moved(inverse(T[first]), moved(T[second], far))
    sure = 5 + torch.rand(len(pairs), HIGH, WIDE, generator=random)
    maps = PairMaps(unit * near, sure, unit * seen, sure.flip(0))
    flow = camera_flow(points[first], T[second], torch.tensor(FOCAL_PX)).movedim(-1, 1)
    return Known(T, depth, points, pairs, maps, flow)
