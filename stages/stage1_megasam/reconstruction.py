"""From pictures and what networks read off each of them to cameras and depth: no files."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from stages.flow.config import CELL_PX
from stages.flow.raft import Raft
from stages.stage1_megasam.lens import in_cells, in_pixels
from stages.stage1_megasam.mono_prior import cell_disparity
from stages.stage1_megasam.network import DroidNet
from stages.stage1_megasam.projection import Scene
from stages.stage1_megasam.refinement import follow, refine
from stages.stage1_megasam.refinement.likeness import Weights
from stages.stage1_megasam.refinement.refine import PIXEL_WEIGHTS, Progress
from stages.stage1_megasam.tracking.back_end import BackEndRules
from stages.stage1_megasam.tracking.front_end import FrontEndRules
from stages.stage1_megasam.tracking.network_matcher import FrugalMatcher, NetworkMatcher
from stages.stage1_megasam.tracking.whole_video import Track, track
from stages.stage1_megasam.tracking.windows import Window, joined

_NEAREST_DISPARITY = 100.0
"""For pixels that are too near for their disparity to be known."""


@dataclass(frozen=True)
class Networks:
    """On the device of the pictures."""

    tracker: DroidNet
    flow: Raft


@dataclass(frozen=True)
class Rules:
    """What the flags of the command decide."""

    front_end: FrontEndRules = FrontEndRules()
    back_end: BackEndRules = BackEndRules()
    likeness: Weights = PIXEL_WEIGHTS


@dataclass(frozen=True)
class Reconstruction:
    """Cameras and depth of all frames, in the unit of the disparity that was given."""

    T_camera_world: Float[Tensor, "f 7"]
    intrinsics_px: Float[Tensor, " 4"]
    """fx, fy, cx, cy; integers are middles of pixels."""
    disparity: Float[Tensor, "f 8*h 8*w"]
    static: Float[Tensor, "f h w"]
    """Probability that a cell is part of the static world."""
    tracks: tuple[Track, ...]
    """Of each window."""


def reconstruct(
    networks: Networks,
    pictures: UInt8[Tensor, "f 3 8*h 8*w"],
    disparity: Float[Tensor, "f 8*h 8*w"],
    intrinsics_px: Float[Tensor, " 4"],
    windows: Sequence[Window],
    people: Bool[Tensor, "f 8*h 8*w"] | None = None,
    rules: Rules | None = None,
    progress: Progress = lambda share: None,
) -> Reconstruction:
    """Tracks the camera window by window, joins them, and refines the depth.

    Args:
        pictures: RGB.
        disparity: of single pictures, in the tracker's unit; zero where unknown.
        intrinsics_px: fx, fy, cx, cy to begin with.
        windows: of frames; see `stages.stage1_megasam.tracking.windows.plan`.
        people: pixels that are known to move. The official code does not ask for them.
        progress: is told the share of the refinement that is done.

    Raises:
        ValueError: a window has fewer than two frames.
    """
    lens, rules = in_cells(intrinsics_px.double()), rules or Rules()
    moving = None if people is None else F.avg_pool2d(people[:, None].float(), CELL_PX)[:, 0] > 0.5
    tracks: list[Track] = []
    for window in windows:
        few = slice(window.first, window.end)
        prior = cell_disparity(disparity[few])
        # A focal that one window has told holds for those after it.
        known = any(each.terms.focal for each in tracks)
        matcher = _shown(networks.tracker, pictures[few], None if moving is None else moving[few])
        frugal = FrugalMatcher(matcher)
        tracks.append(track(matcher, frugal, prior, lens, rules.front_end, rules.back_end, known))
        lens = tracks[-1].scene.intrinsics
    scene, static = joined(
        windows, [each.scene for each in tracks], [each.static for each in tracks]
    )
    return Reconstruction(
        T_camera_world=scene.T_camera_world,
        intrinsics_px=in_pixels(scene.intrinsics),
        disparity=_refined(
            networks.flow, pictures, disparity, scene, static, rules.likeness, progress
        ),
        static=static,
        tracks=tuple(tracks),
    )


def _shown(network: DroidNet, pictures: Tensor, moving: Tensor | None) -> NetworkMatcher:
    matcher = NetworkMatcher(network)
    for number, picture in enumerate(pictures):
        matcher.show(number, picture.float(), None if moving is None else moving[number])
    return matcher


def _refined(
    flow: Raft,
    pictures: Tensor,
    disparity: Tensor,
    scene: Scene,
    static: Tensor,
    likeness: Weights,
    progress: Progress,
) -> Float[Tensor, "f 8*h 8*w"]:
    pairs = follow(flow, pictures)
    begin = torch.where(disparity > 0, disparity, _NEAREST_DISPARITY)
    lens = in_pixels(scene.intrinsics)
    return refine(begin, static, scene.T_camera_world, lens, pairs, progress, likeness)
