"""From pictures and depth priors to cameras and depth: no files."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from stages.flow.raft import Raft
from stages.stage1_align3r.alignment.observations import Flows, Observations
from stages.stage1_align3r.alignment.optimise import STEPS, optimise
from stages.stage1_align3r.alignment.start import SURE, frame_confidence, start
from stages.stage1_align3r.alignment.unknowns import inverse, moved, placed
from stages.stage1_align3r.inference import PAIRS_AT_ONCE, point_maps
from stages.stage1_align3r.motion import moving_pixels
from stages.stage1_align3r.network import Align3rNet, PairMaps
from stages.stage1_align3r.pair_graph import pair_graph

FlowNetwork = Callable[[UInt8[Tensor, "k 3 h w"], UInt8[Tensor, "k 3 h w"]], Tensor]
"""Flow from pictures to others, in RGB: (k, 2, h, w), column and row, in pixels."""

_FLOW_STEPS = 20
"""Of RAFT, as in MonST3R."""

_BOTH_ORDERS = 2.0
"""The original sums errors there and back; a graph with both orders has all flow in one."""


@dataclass(frozen=True)
class Reconstruction:
    """Cameras and depth of all frames, in a unit of the alignment's own; the first camera is the
    world."""

    T_world_camera: Float[Tensor, "n 3 4"]
    focal_px: float
    """Of all frames; the optical axis is at half the width and height."""
    depth: Float[Tensor, "n h w"]
    points: Float[Tensor, "n h w 3"]
    """In the world."""
    confidence: Float[Tensor, "n h w"]
    """The largest that any pair has."""
    moving: Bool[Tensor, "n h w"]
    losses: tuple[float, ...]
    """Before every step."""

    @property
    def sure(self) -> Bool[Tensor, "n h w"]:
        """Pixels of which the depth counts as known."""
        return self.confidence > SURE


def reconstruct(
    network: Align3rNet,
    pictures: UInt8[Tensor, "n 3 h w"],
    priors: Float[Tensor, "n 3 h w"],
    flow: FlowNetwork | None,
    people: Bool[Tensor, "n h w"] | None = None,
    at_once: int = PAIRS_AT_ONCE,
    steps: int = STEPS,
    flow_holds: bool = True,
    progress: Callable[[float], None] = lambda share: None,
) -> Reconstruction:
    """Point maps of pairs, and their alignment; on the device of the pictures and the network.

    Args:
        pictures: RGB.
        priors: see `stages.stage1_align3r.prior`; zero where there is none.
        flow: None where it is not known.
        people: what moves, where it is known; else it is read off flow.
        steps: of the alignment.
        flow_holds: whether cameras are held to flow; else it only tells what moves.
        at_once: pairs, which bounds the memory beyond that of what is known of all pairs.
        progress: is told the share of the alignment that is done.

    Raises:
        ValueError: there are fewer than two frames, or a side is no multiple of 16.
    """
    pairs = pair_graph(len(pictures)).to(pictures.device)
    maps = point_maps(network, pictures, priors, pairs, at_once)
    found = None if flow is None else pair_flow(flow, pictures, pairs, at_once)
    return aligned(pairs, maps, found, people, len(pictures), steps, flow_holds, progress)


def aligned(
    pairs: Int[Tensor, "e 2"],
    maps: PairMaps,
    flow: Float[Tensor, "e 2 h w"] | None,
    people: Bool[Tensor, "n h w"] | None,
    frames: int,
    steps: int = STEPS,
    flow_holds: bool = True,
    progress: Callable[[float], None] = lambda share: None,
) -> Reconstruction:
    """From what is known of pairs in both orders to cameras and depth of frames."""
    moving = people
    if moving is None and flow is not None:
        moving = moving_pixels(pairs, maps, flow, frames)
    if moving is None:
        moving = maps.confidence_first.new_zeros(frames, *maps.confidence_first.shape[1:]).bool()
    holding = None if flow is None else Flows(pairs[:, 0], pairs[:, 1], flow, _BOTH_ORDERS)
    flows = (holding,) if holding is not None and flow_holds else ()
    observations = Observations(pairs, maps, flows, moving)
    unknowns, losses = optimise(start(observations), observations, steps, progress=progress)
    end = placed(unknowns)
    to_first = inverse(end.T_world_camera[:1])
    cameras = torch.cat(
        [
            to_first[..., :3] @ end.T_world_camera[..., :3],
            to_first[..., :3] @ end.T_world_camera[..., 3:] + to_first[..., 3:],
        ],
        dim=-1,
    )
    return Reconstruction(
        T_world_camera=cameras,
        focal_px=float(end.focal_px),
        depth=unknowns.log_depth.exp(),
        points=moved(to_first.expand(frames, 3, 4), end.points),
        confidence=frame_confidence(observations),
        moving=moving,
        losses=tuple(losses),
    )


def flow_by(raft: Raft) -> FlowNetwork:
    """By RAFT."""
    return lambda first, second: raft(first.float(), second.float(), _FLOW_STEPS).pixels


def pair_flow(
    flow: FlowNetwork, pictures: UInt8[Tensor, "n 3 h w"], pairs: Int[Tensor, "e 2"], at_once: int
) -> Float[Tensor, "e 2 h w"]:
    """From the first to the second picture of every pair, a bounded number of them at a time."""
    with torch.no_grad():
        found = [flow(*pictures[few].unbind(1)) for few in pairs.split(at_once)]
    return torch.cat(found)
