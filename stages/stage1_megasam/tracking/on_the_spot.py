"""Cameras that stay in one place: recognised, and solved for how they turn alone.

Without parallax, depth and the camera's place explain each other's errors: bundle adjustment would
follow the noise of the flow. What single pictures say of depth is then all that is known of it.
"""

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from stages.stage1_megasam.bundle_adjustment import Solve, adjust_cameras
from stages.stage1_megasam.network.aggregation import mean_by_group
from stages.stage1_megasam.projection import Scene, see
from stages.stage1_megasam.tracking.frame_graph import FrameGraph
from stages.stage1_megasam.tracking.keyframes import Keyframes

_ITERATIONS = 8
_ITERATIONS_A_STEP = 2
_RELATIVE_DAMPING = 1e-5
_ABSOLUTE_DAMPING = 1e-2
_QUANTILE = 0.8
"""Of the flow that a model leaves over: near things may fill a small part of the picture."""

_LEAST_GAIN = 0.05
"""By which share a camera that moves explains the flow better than one that turns."""

_NO_PARALLAX = 0.05
"""In cells: less flow that turning leaves over is none."""


def stays(graph: FrameGraph) -> bool:
    """Whether turning explains the flow of a graph as well as moving does.

    Depth is that of single pictures in both, so that it has no say in what is noise.
    """
    frames = graph.keyframes
    prior = fresh(frames, frames.prior).scene
    turning = _left_over(graph, turned(graph, replace(prior, disparity=0 * prior.disparity)))
    if turning < _NO_PARALLAX:
        return True
    moving = _left_over(graph, _adjusted(graph, prior, _ITERATIONS, focal=False))
    return turning < (1 + _LEAST_GAIN) * moving


def turned(graph: FrameGraph, scene: Scene, focal: bool = False) -> Scene:
    """A scene whose cameras, all in one place, explain the flow of a graph best.

    Its depth is without end, where place does not matter.
    """
    far = replace(scene, disparity=torch.zeros_like(scene.disparity))
    poses = far.T_camera_world.clone()
    poses[:, :3] = 0
    return _adjusted(graph, replace(far, T_camera_world=poses), _ITERATIONS, focal)


def turn_together(graph: FrameGraph, steps: int, focal: bool) -> Float[Tensor, "f h w"]:
    """As `solve_together`, for cameras in one place, with depth as it is."""
    frames = graph.keyframes
    depth = frames.scene.disparity
    poses = frames.scene.T_camera_world.clone()
    poses[:, :3] = 0
    frames.scene = replace(frames.scene, T_camera_world=poses, disparity=torch.zeros_like(depth))
    for _ in range(steps):
        found = graph.revise()
        frames.scene = _adjusted(graph, frames.scene, _ITERATIONS_A_STEP, focal)
    frames.scene = replace(frames.scene, disparity=depth)
    return mean_by_group(found.static[:, None], graph.active.pairs[:, 0], len(frames))[:, 0]


def fresh(frames: Keyframes, prior: Float[Tensor, "f h w"]) -> Keyframes:
    """The same frames where they are, as deep as their pictures look."""
    anew = Keyframes(frames.scene.intrinsics, *prior.shape[1:])
    for number, disparity in zip(frames.numbers.tolist(), prior, strict=True):
        anew.append(number, disparity)
    anew.place(0, frames.scene.T_camera_world)
    return anew


def _adjusted(graph: FrameGraph, scene: Scene, iterations: int, focal: bool) -> Scene:
    solve = Solve(1, len(graph.keyframes), _RELATIVE_DAMPING, _ABSOLUTE_DAMPING, focal)
    return adjust_cameras(scene, graph.flow(graph.active), solve, iterations)


def _left_over(graph: FrameGraph, scene: Scene) -> float:
    """Flow that a scene does not explain, in cells: the weighted quantile."""
    edges = graph.active
    seen = see(scene, *edges.pairs.T)
    left = (seen.places.to(edges.places) - edges.places).norm(dim=-1).flatten()
    weights = (edges.weights.mean(dim=-1) * seen.valid).flatten()
    order = left.argsort()
    share = weights[order].double().cumsum(0)
    at = torch.searchsorted(share, _QUANTILE * share[-1:]).clamp(max=len(left) - 1)
    return float(left[order][at])
