"""From flow to the camera of every frame: front end, keyframes together, all frames together.

Order, steps and thresholds are those of the official code; that a camera which stays in its place
is solved for turning alone is this project's.
"""

import math
from dataclasses import dataclass, replace

from jaxtyping import Float
from torch import Tensor

from stages.stage1_megasam.observability import Curvature, curvature
from stages.stage1_megasam.projection import Scene
from stages.stage1_megasam.tracking.back_end import (
    BackEndRules,
    Terms,
    near_graph,
    solve_together,
)
from stages.stage1_megasam.tracking.filler import fill
from stages.stage1_megasam.tracking.frame_graph import FrameGraph
from stages.stage1_megasam.tracking.front_end import FrontEnd, FrontEndRules
from stages.stage1_megasam.tracking.keyframes import Keyframes
from stages.stage1_megasam.tracking.matching import Matcher
from stages.stage1_megasam.tracking.on_the_spot import fresh, stays, turn_together, turned

_PROBE_STEPS, _KEYFRAME_STEPS, _FRAME_STEPS = 10, 20, 15
_PRIOR_WEIGHT = 1e-5
_ENOUGH_FOR_FOCAL = 50.0
_ENOUGH_FOR_DISPARITY = 25.0
_FADING = 0.1


@dataclass(frozen=True)
class Track:
    """What flow says of a video."""

    scene: Scene
    """Of all frames."""
    static: Float[Tensor, "f h w"]
    """Probability that a cell is part of the static world."""
    keyframes: int
    curvature: Curvature
    terms: Terms
    """What took part when the keyframes were solved together."""
    stays: bool
    """Whether the camera stands or only turns, so that depth is that of single pictures."""


def terms_for(seen: Curvature, focal_known: bool = False) -> Terms:
    """The focal is free where flow tells it; single pictures count where it does not tell depth."""
    unsure = seen.disparity < _ENOUGH_FOR_DISPARITY
    weight = _PRIOR_WEIGHT * math.exp(-_FADING * seen.disparity) if unsure else 0.0
    return Terms(weight, seen.focal >= _ENOUGH_FOR_FOCAL and not focal_known)


def track(
    matcher: Matcher,
    frugal: Matcher,
    prior: Float[Tensor, "f h w"],
    intrinsics: Float[Tensor, " 4"],
    front_end: FrontEndRules | None = None,
    back_end: BackEndRules | None = None,
    focal_known: bool = False,
) -> Track:
    """Cameras, disparities and lens of a video, and what of it is static.

    Args:
        matcher: finds flow on the few edges of the front end and the filler.
        frugal: the same on the many edges of the back end.
        prior: disparity of single pictures, zero where unknown.
        intrinsics: fx, fy, cx, cy in cells, to begin with.
        focal_known: whether the focal lengths stay as they are.

    Raises:
        ValueError: there are fewer than two frames.
    """
    if len(prior) < 2:
        raise ValueError("one frame has no motion to follow")
    rules = back_end or BackEndRules()
    frames = Keyframes(intrinsics, *prior.shape[1:])
    front = FrontEnd(matcher, frames, front_end)
    for number, disparity in enumerate(prior):
        front.add(number, disparity, last=number == len(prior) - 1)
    probed = _probe(frugal, frames, rules)
    if stays(probed):
        return _on_the_spot(matcher, frugal, probed, frames, prior, rules, focal_known)
    seen = curvature(probed.keyframes.scene, *probed.active.pairs.T)
    terms = terms_for(seen, focal_known)
    solve_together(near_graph(frugal, frames, rules), _KEYFRAME_STEPS, terms)
    every = fill(matcher, frames, prior)
    kept = Terms(terms.prior_weight)
    static = solve_together(near_graph(frugal, every, rules), _FRAME_STEPS, kept)
    return Track(every.scene, static, len(frames), seen, terms, stays=False)


def _on_the_spot(
    matcher: Matcher,
    frugal: Matcher,
    probed: FrameGraph,
    keyframes: Keyframes,
    prior: Tensor,
    rules: BackEndRules,
    focal_known: bool,
) -> Track:
    """How a camera turns, and its focal where that tells it; depth is that of single pictures."""
    scene = turned(probed, probed.keyframes.scene)
    seen = replace(curvature(scene, *probed.active.pairs.T), disparity=0.0)
    terms = terms_for(seen, focal_known)
    frames = fresh(keyframes, keyframes.prior)
    frames.place(0, scene.T_camera_world)
    turn_together(near_graph(frugal, frames, rules), _KEYFRAME_STEPS, terms.focal)
    filled = fill(matcher, frames, prior)
    every = fresh(filled, prior)
    static = turn_together(near_graph(frugal, every, rules), _FRAME_STEPS, focal=False)
    return Track(every.scene, static, len(frames), seen, terms, stays=True)


def _probe(matcher: Matcher, keyframes: Keyframes, rules: BackEndRules) -> FrameGraph:
    """A graph with a solution that is given up again: what does its flow tell?"""
    graph = near_graph(matcher, keyframes.copy(), rules)
    solve_together(graph, _PROBE_STEPS, Terms(_PRIOR_WEIGHT))
    return graph
