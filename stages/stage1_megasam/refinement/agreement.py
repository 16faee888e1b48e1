"""How well depth agrees with cameras, with flow, and with the depth of other frames."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from stages.flow.grid import cell_grid
from stages.geometry import se3
from stages.stage1_megasam.refinement.flow_pairs import FlowPairs, sampled

RATIO_WEIGHT = 1.0
FLOW_WEIGHT = 0.2
DOUBT = 0.25
"""Price of doubting a pixel, per unit of the logarithm of one over its confidence."""

_NEAREST = 0.1
_DISPARITIES = (1e-3, 1e2)


@dataclass(frozen=True)
class Cameras:
    """Cameras of all frames, and their lens at the size of the maps."""

    T_camera_world: Float[Tensor, "f 7"]
    intrinsics: Float[Tensor, " 4"]
    """fx, fy, cx, cy in pixels; the first pixel has its middle at (0, 0)."""

    def rays(self, like: Float[Tensor, "*B h w"]) -> Float[Tensor, "h w 3"]:
        """Directions of all pixels, of depth one."""
        level = (cell_grid(like) - self.intrinsics[2:]) / self.intrinsics[:2]
        return torch.cat([level, torch.ones_like(level[..., :1])], dim=-1)


def disagreements(
    disparity: Float[Tensor, "f h w"],
    confidence: Float[Tensor, "f h w"],
    pairs: FlowPairs,
    cameras: Cameras,
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Their sum over the trusted pixels of pairs, and the number of these.

    Of a pixel of a source: by how much its depth, as the target's camera has it, is too large or
    too small by the target's own depth, as a share; and how far its place there is from where flow
    says (both coordinates, mean). Both count by the pixel's confidence, which has its price.
    """
    poses = cameras.T_camera_world
    motion = se3.multiply(poses[pairs.targets], se3.inverse(poses[pairs.sources]))
    here = cameras.rays(disparity) / disparity[pairs.sources][..., None]
    turned = here.flatten(1, 2) @ se3.rotation_matrix(motion).mT
    there = turned.view(here.shape) + motion[:, None, None, :3]
    depth = there[..., 2]
    wanted = cell_grid(disparity) + pairs.flow
    ends = wanted.new_tensor(disparity.shape[:0:-1]) - 1
    # What leaves the picture has no depth there to agree with.
    inside = ((wanted >= 0) & (wanted <= ends)).all(dim=-1)
    counts = pairs.trusted & inside & (depth > _NEAREST)

    level = there[..., :2] / depth.clamp(min=_NEAREST)[..., None]
    places = level * cameras.intrinsics[:2] + cameras.intrinsics[2:]
    astray = (places - wanted).abs().mean(dim=-1)

    theirs = sampled(disparity[pairs.targets][:, None], wanted)[:, 0].clamp(*_DISPARITIES)
    ours = (1 / depth.clamp(min=_NEAREST)).clamp(*_DISPARITIES)
    ratio = torch.maximum(theirs / ours, ours / theirs) - 1

    sure = confidence[pairs.sources]
    price = -DOUBT * sure.log() * (RATIO_WEIGHT + FLOW_WEIGHT)
    each = sure * (RATIO_WEIGHT * ratio + FLOW_WEIGHT * astray) + price
    return torch.where(counts, each, 0).sum(), counts.sum()
