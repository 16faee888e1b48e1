"""Between frames of a video and what the network and the alignment know of them."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, UInt8
from torch import Tensor

from stages.artifacts.world import WorldFrame
from stages.cameras.frames import Frames
from stages.stage1_align3r.picture_size import Cropping
from stages.stage1_align3r.prior import prior_map
from stages.stage1_align3r.reconstruction import Reconstruction

DepthOf = Callable[[UInt8[np.ndarray, "H W 3"]], Float[np.ndarray, "H W"]]
"""Depth of a single picture, in any unit."""


def shown(frames: Frames, cropping: Cropping) -> UInt8[Tensor, "n 3 h w"]:
    """All frames, of the size at which the network sees them.

    Raises:
        VideoError: one has another size than the first.
    """
    return torch.stack([_planes(cropping.picture(frames.rgb(k))) for k in range(len(frames))])


def priors(frames: Frames, depth_of: DepthOf, cropping: Cropping) -> Float[Tensor, "n 3 h w"]:
    """What single pictures, of their full size, tell of depth.

    Raises:
        ValueError: a depth is not a number.
    """
    found = (depth_of(frames.rgb(frame)) for frame in range(len(frames)))
    return torch.stack([_planes(prior_map(depth, cropping)) for depth in found])


def masked(frames: Frames, cropping: Cropping) -> Bool[Tensor, "n h w"] | None:
    """Where people are in all frames; None: nobody is masked.

    Raises:
        ArtifactError: a mask is missing or of another size than its frame.
    """
    if frames.masks is None:
        return None
    kept = [cropping.mask(frames.people(frame)) for frame in range(len(frames))]
    return torch.from_numpy(np.stack(kept))


def world_frames(
    made: Reconstruction, pictures: UInt8[Tensor, "n 3 h w"], frames: Frames, cropping: Cropping
) -> Iterator[WorldFrame]:
    """What is written of every frame, in turn.

    Confidence is the network's, from 1 up; where it is 3 or less the depth does not count as
    measured. The optical axis is that of the alignment.
    """
    intrinsic = camera_matrix(made.focal_px, cropping)
    for place, image in enumerate(frames.images):
        T_world_camera = np.eye(4, dtype=np.float32)
        T_world_camera[:3] = made.T_world_camera[place].cpu().numpy()
        yield WorldFrame(
            name=image.name,
            rgb=pictures[place].movedim(0, -1).cpu().numpy(),
            intrinsic=intrinsic,
            T_world_camera=T_world_camera,
            depth=made.depth[place].cpu().numpy(),
            confidence=made.confidence[place].cpu().numpy(),
            dynamic=made.moving[place].cpu().numpy(),
            measured=made.sure[place].cpu().numpy(),
            affine_original_from_reconstruction=cropping.affine_original_from_reconstruction,
        )


def camera_matrix(focal_px: float, cropping: Cropping) -> Float32[np.ndarray, "3 3"]:
    """K of the alignment's camera."""
    middle = (cropping.width / 2, cropping.height / 2)
    return np.array([[focal_px, 0, middle[0]], [0, focal_px, middle[1]], [0, 0, 1]], np.float32)


def _planes(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(array, -1, 0)))
