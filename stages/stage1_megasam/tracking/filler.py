"""Cameras of the frames between keyframes: interpolated, then adjusted to the flow from these."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from stages.geometry import se3
from stages.stage1_megasam.tracking.frame_graph import FrameGraph
from stages.stage1_megasam.tracking.keyframes import Keyframes
from stages.stage1_megasam.tracking.matching import Matcher

_AT_ONCE = 16
_STEPS = 6


def fill(matcher: Matcher, keyframes: Keyframes, prior: Float[Tensor, "f h w"]) -> Keyframes:
    """All frames of the video in their order; keyframes as they are.

    The others are as deep as their pictures look. The first and the last frame are keyframes.

    Args:
        prior: disparity of single pictures of all frames of the video, zero where unknown.
    """
    every = torch.arange(len(prior), device=keyframes.numbers.device)
    between = every[~torch.isin(every, keyframes.numbers)]
    if not len(between):
        return keyframes.copy()
    found = [_filled(matcher, keyframes, prior, some) for some in between.split(_AT_ONCE)]
    order = torch.cat([keyframes.numbers, between]).argsort()
    together = keyframes.copy()
    for frames in found:
        together.extend(frames)
    return together.picked(order)


def interpolated(
    keyframes: Keyframes, numbers: Int[Tensor, " n"]
) -> tuple[Int[Tensor, " n"], Float[Tensor, "n 7"]]:
    """The keyframe before each frame, and the pose on the screw motion to the one after it."""
    before = torch.searchsorted(keyframes.numbers, numbers, right=True) - 1
    poses, times = keyframes.scene.T_camera_world, keyframes.numbers
    share = (numbers - times[before]) / (times[before + 1] - times[before])
    way = se3.log(se3.multiply(poses[before + 1], se3.inverse(poses[before])))
    return before, se3.retract(poses[before], share[:, None].to(way.dtype) * way)


def _filled(matcher: Matcher, keyframes: Keyframes, prior: Tensor, numbers: Tensor) -> Keyframes:
    before, poses = interpolated(keyframes, numbers)
    first, frames = len(keyframes), keyframes.copy()
    for number in numbers.tolist():
        frames.append(number, prior[number])
    frames.place(first, poses)
    there = torch.arange(first, len(frames), device=numbers.device)
    graph = FrameGraph(frames, matcher)
    pairs = torch.cat([torch.stack([before + k, there], dim=1) for k in (0, 1)])
    graph.add(pairs.cpu().numpy())
    for _ in range(_STEPS):
        graph.step(first, cameras_only=True)
    return frames.picked(there)
