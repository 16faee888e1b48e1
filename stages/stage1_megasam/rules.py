"""The original's flags as this project's rules.

Lengths of flow are meant for pictures of 512 pixels, 64 cells across; for a network that is shown
smaller ones they are smaller in proportion, so that the same frames become keyframes.
"""

from dataclasses import dataclass

from stages.stage1_megasam.graph.proximity import Proximity
from stages.stage1_megasam.network import DroidConfig
from stages.stage1_megasam.reconstruction import Rules
from stages.stage1_megasam.refinement.likeness import Weights
from stages.stage1_megasam.tracking.back_end import BackEndRules
from stages.stage1_megasam.tracking.front_end import FrontEndRules


@dataclass(frozen=True)
class Thresholds:
    """Values of flags, under the original's names."""

    beta: float
    filter_thresh: float
    warmup: int
    keyframe_thresh: float
    frontend_thresh: float
    frontend_window: int
    frontend_radius: int
    frontend_nms: int
    backend_thresh: float
    backend_radius: int
    backend_nms: int
    w_grad: float
    w_normal: float


def rules_of(t: Thresholds, long_side_px: int) -> Rules:
    """For a network that is shown pictures of this size."""
    scale = long_side_px / DroidConfig().long_side_px
    near = Proximity(t.frontend_radius, t.frontend_nms, scale * t.frontend_thresh)
    front = FrontEndRules(
        first_keyframes=t.warmup,
        least_motion=scale * t.filter_thresh,
        least_distance=scale * t.keyframe_thresh,
        window=t.frontend_window,
        full_share=t.beta,
        proximity=near,
    )
    back = BackEndRules(
        radius=t.backend_radius,
        suppression=t.backend_nms,
        threshold=scale * t.backend_thresh,
        full_share=t.beta,
    )
    return Rules(front, back, Weights(edges=t.w_grad, normals=t.w_normal))
