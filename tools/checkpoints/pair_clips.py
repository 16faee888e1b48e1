"""Pairs of frames of rendered clips: what Align3R's network is given, and what it is to find."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from stages.geometry import se3
from tools.checkpoints import pictures
from tools.checkpoints.flow_clips import camera_poses
from tools.checkpoints.samples import Footage
from tools.footage.batches import Batched

LONGEST_STRIDE = 6
"""Between frames of a clip of five, at 30 frames a second: so up to 24 frames are between the
pictures of a pair. The stage has up to 9, of videos of 30 frames a second and fewer."""

FARTHEST_M = 30.0
"""What is farther has no place to be found, as the sky; single pictures take it for so far."""

ERROR = (0.03, 0.2)
"""Of a single picture's depth, as a share: the least and the largest deviation of a clip."""

BENT = 0.12
"""Deviation of the power to which all of a clip's depth is taken."""


@dataclass
class PairClips(Batched):
    """C clips of T frames; depth is 0 where there is none."""

    pictures: UInt8[Tensor, "C T 3 H W"]
    focal_px: Float[Tensor, " C"]
    T_camera_world: Float[Tensor, "C T 7"]
    depth_m: Float[Tensor, "C T H W"]


@dataclass
class Truth:
    """Of ordered pairs; points in the first picture's camera, each picture's at its own time."""

    points_first: Float[Tensor, "n h w 3"]
    points_second: Float[Tensor, "n h w 3"]
    known_first: Float[Tensor, "n h w"]
    known_second: Float[Tensor, "n h w"]
    T_first_second: Float[Tensor, "n 7"]
    focal_px: Float[Tensor, " n"]


@torch.no_grad()
def pair_clips(footage: Footage, clips: int, frames: int, size: tuple[int, int]) -> PairClips:
    """New clips; each group of them has frames one to `LONGEST_STRIDE` steps apart."""
    stride = int(torch.randint(1, LONGEST_STRIDE + 1, (1,), generator=footage.random))
    shots = footage.shots(clips, frames, stride)
    rgb = pictures.resized(pictures.as_float(shots.rgb), *size)
    depth = F.interpolate(shots.depth_m[:, None], size, mode="nearest-exact")[:, 0]
    depth = torch.where(depth < FARTHEST_M, depth, 0.0)
    scale = size[1] / shots.rgb.shape[2]
    found = PairClips(
        (rgb * 255 + 0.5).clamp(0, 255).to(torch.uint8),
        shots.cameras.K[:, 0, 0] * scale,
        camera_poses(shots.cameras.T_world_camera),
        depth,
    )
    by_clip = found._map(lambda value: value.unflatten(0, (clips, frames)))
    by_clip.focal_px = by_clip.focal_px[:, 0]
    return by_clip


def ordered_pairs(depth_m: Float[Tensor, "C T H W"]) -> Int[Tensor, "n 2"]:
    """All ordered pairs of every clip's frames, as rows of all frames of all clips."""
    (clips, frames), device = depth_m.shape[:2], depth_m.device
    i, j = (~torch.eye(frames, dtype=torch.bool, device=device)).nonzero().unbind(1)
    start = frames * torch.arange(clips, device=device)[:, None]
    return torch.stack([start + i, start + j], -1).flatten(0, 1)


def truth_of(clips: PairClips, pairs: Int[Tensor, "n 2"]) -> Truth:
    """What is to be found of pairs, by rows of all frames of all clips."""
    frames = clips.depth_m.shape[1]
    depth, poses = clips.depth_m.flatten(0, 1), clips.T_camera_world.flatten(0, 1)
    focal = clips.focal_px.repeat_interleave(frames)
    own = depth[..., None] * rays(depth.shape[1], depth.shape[2], focal)
    first, second = pairs.unbind(1)
    T_first_second = se3.multiply(poses[first], se3.inverse(poses[second]))
    there = se3.act(T_first_second[:, None, None], own[second])
    known = (depth > 0).float()
    return Truth(own[first], there, known[first], known[second], T_first_second, focal[first])


def rays(high: int, wide: int, focal_px: Float[Tensor, " n"]) -> Float[Tensor, "n h w 3"]:
    """Directions of depth 1 through pixels' middles; the optical axis is the picture's middle."""
    row, column = torch.meshgrid(
        torch.arange(high, device=focal_px.device) - (high - 1) / 2,
        torch.arange(wide, device=focal_px.device) - (wide - 1) / 2,
        indexing="ij",
    )
    level = torch.stack([column, row], -1) / focal_px[:, None, None, None]
    return F.pad(level, (0, 1), value=1.0)


def mirrored(clips: PairClips) -> PairClips:
    """As seen in a mirror: left is right."""
    # x of the cameras and of the world.
    signs = clips.T_camera_world.new_tensor([-1, 1, 1, 1, 1, -1, -1])
    return PairClips(
        clips.pictures.flip(-1),
        clips.focal_px,
        clips.T_camera_world * signs,
        clips.depth_m.flip(-1),
    )


def guessed(depth_m: Float[Tensor, "C T H W"]) -> Float[Tensor, "C T H W"]:
    """Depth as a network gives it that sees single pictures: wrong in a smooth way, partly the
    same way in all frames of a clip, and soft where something stands before something."""
    count, T, high, wide = depth_m.shape

    def draw(low: float, high: float) -> Float[Tensor, "C 1 1 1"]:
        return low + (high - low) * torch.rand(count, 1, 1, 1, device=depth_m.device)

    def smooth(rows: int, columns: int) -> Float[Tensor, "C T H W"]:
        shape = (count, T, rows, columns)
        coarse = torch.randn(shape[0], 1, *shape[2:], device=depth_m.device)
        coarse = (coarse + torch.randn(shape, device=depth_m.device)) / 2**0.5
        return F.interpolate(coarse, (high, wide), mode="bicubic")

    log = torch.where(depth_m > 0, depth_m, FARTHEST_M).log()
    soft = F.avg_pool2d(F.pad(log, (4, 4, 4, 4), mode="replicate"), 9, 1)
    log = torch.lerp(log, soft, draw(0, 1))
    middle = log.flatten(1).median(1).values[:, None, None, None]
    power = 1 + BENT * torch.randn(count, 1, 1, 1, device=depth_m.device)
    off = draw(*ERROR) * (smooth(3, 4) + 0.4 * smooth(9, 16))
    return (middle + power * (log - middle) + off).exp().clamp(max=FARTHEST_M)


def prior_maps(depth: Float[Tensor, "n h w"]) -> Float[Tensor, "n 3 h w"]:
    """As `stages.stage1_align3r.prior.prior_map` of pictures that are not resized."""
    high, wide = depth.shape[1:]
    row = torch.arange(high, device=depth.device)[:, None] - high / 2
    column = torch.arange(wide, device=depth.device) - wide / 2
    points = torch.stack([column * depth, row * depth, depth], 1)
    least, most = points.amin((2, 3), keepdim=True), points.amax((2, 3), keepdim=True)
    return (points - least) / (most - least).clamp(min=1e-6)
