"""The alignment's loss and its gradients, with the memory of a few pairs.

Every term is of points and cameras that follow from the unknowns. Their gradients are summed
group by group of pairs; only then is the way back to the unknowns gone, once.
"""

import torch
from torch import Tensor

from stages.stage1_align3r.alignment.observations import Flows, Observations
from stages.stage1_align3r.alignment.terms import (
    FLOW_WEIGHT,
    MOTION_WEIGHT,
    camera_motion,
    flow_error,
    point_distance,
)
from stages.stage1_align3r.alignment.unknowns import Placed, Unknowns, placed

PIXELS_AT_ONCE = 32 * 512 * 288
"""Of all pairs together: about a gigabyte of intermediate results."""

_MOST_FLOW_LOSS = 50.0
"""A larger one says that cameras are not yet where flow can help."""


def loss_and_gradients(
    unknowns: Unknowns,
    observations: Observations,
    with_flow: bool,
    pixels_at_once: int = PIXELS_AT_ONCE,
    with_motion: bool = True,
) -> float:
    """The loss; its gradients are added to those of the unknowns, which must require them."""
    at_once = max(1, pixels_at_once // observations.moving[0].numel())
    whole = placed(unknowns)
    fixed = Placed(*(each.detach() for each in whole))
    loss, gradients = _points(fixed, observations, at_once)
    if with_flow and observations.flows:
        flow, of_flow = _flow(fixed, observations, at_once)
        if flow <= _MOST_FLOW_LOSS:
            loss += FLOW_WEIGHT * flow
            for all_of, part in zip(gradients, of_flow, strict=True):
                all_of.add_(part, alpha=FLOW_WEIGHT)
    motion = with_motion * MOTION_WEIGHT * camera_motion(whole.T_world_camera)
    torch.autograd.backward([motion, *whole], [torch.ones_like(motion), *gradients])
    return loss + float(motion.detach())


def _points(fixed: Placed, seen: Observations, at_once: int) -> tuple[float, Placed]:
    """Mean weighted distance of the first pictures' pixels and of the second ones'."""
    gradients = _zeros(fixed)
    pixels = seen.maps.confidence_first.numel()
    total = fixed.focal_px.new_zeros((), dtype=torch.float64)
    sides = ((0, *seen.maps[:2]), (1, *seen.maps[2:]))
    for few in _groups(len(seen.pairs), at_once):
        for side, points, confidence in sides:
            frames = seen.pairs[few, side]
            frame_points, pairs = _leaf(fixed.points[frames]), _leaf(fixed.S_world_pair[few])
            term = point_distance(frame_points, pairs, points[few], confidence[few]) / pixels
            of_points, of_pairs = torch.autograd.grad(term, (frame_points, pairs))
            gradients.points.index_add_(0, frames, of_points)
            gradients.S_world_pair[few] += of_pairs
            total += term.detach()
    return float(total), gradients


def _flow(fixed: Placed, seen: Observations, at_once: int) -> tuple[float, Placed]:
    """Mean error of each group of flows."""
    loss, gradients = 0.0, _zeros(fixed)
    for flows in seen.flows:
        error, count, part = _one_flow(fixed, flows, seen.moving, at_once)
        share = flows.times / count.clamp(min=1)
        loss += float(share * error)
        for all_of, new in zip(gradients, part, strict=True):
            all_of.add_(new * share)
    return loss, gradients


def _one_flow(
    fixed: Placed, flows: Flows, moving: Tensor, at_once: int
) -> tuple[Tensor, Tensor, Placed]:
    gradients = _zeros(fixed)
    total, counted = fixed.focal_px.new_zeros(2, dtype=torch.float64).unbind()
    for few in _groups(len(flows.sources), at_once):
        source, target = flows.sources[few], flows.targets[few]
        points, cameras = _leaf(fixed.points[source]), _leaf(fixed.T_world_camera[target])
        focal = _leaf(fixed.focal_px)
        error, count = flow_error(points, cameras, focal, flows.pixels[few], ~moving[source])
        of_points, of_cameras, of_focal = torch.autograd.grad(error, (points, cameras, focal))
        gradients.points.index_add_(0, source, of_points)
        gradients.T_world_camera.index_add_(0, target, of_cameras)
        gradients.focal_px.add_(of_focal)
        total, counted = total + error.detach(), counted + count
    return total, counted, gradients


def _groups(count: int, at_once: int) -> list[slice]:
    return [slice(k, k + at_once) for k in range(0, count, at_once)]


def _leaf(value: Tensor) -> Tensor:
    return value.detach().requires_grad_()


def _zeros(like: Placed) -> Placed:
    return Placed(*(torch.zeros_like(each) for each in like))
