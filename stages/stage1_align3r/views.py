"""Between frames of a video and what the network and the alignment know of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, UInt8
from torch import Tensor

from stages.artifacts.world import WorldFrame
from stages.cameras.frames import Frames
from stages.stage1_align3r.picture_size import Cropping, cropping
from stages.stage1_align3r.prior import prior_map
from stages.stage1_align3r.reconstruction import Reconstruction

DepthOf = Callable[[UInt8[np.ndarray, "H W 3"]], tuple[Float[np.ndarray, "H W"], float]]
"""Depth of a single picture, in any unit, and its focal length in its pixels."""


@dataclass(frozen=True)
class Views:
    """All frames as the network sees them."""

    cropping: Cropping
    pictures: UInt8[Tensor, "n 3 h w"]
    priors: Float[Tensor, "n 3 h w"]
    people: Bool[Tensor, "n h w"] | None
    """None: nobody is masked."""

    def to(self, device: torch.device | str) -> "Views":
        """The same on a device."""
        people = None if self.people is None else self.people.to(device)
        return Views(self.cropping, self.pictures.to(device), self.priors.to(device), people)


def views(frames: Frames, depth_of: DepthOf) -> Views:
    """Of all frames.

    Raises:
        ValueError: pictures are too long and thin, or a depth is not a number.
        VideoError: a frame has another size than the first.
    """
    crop = cropping(frames.height, frames.width)
    pictures, priors, people = [], [], []
    for place in range(len(frames)):
        rgb = frames.rgb(place)
        pictures.append(_planes(crop.picture(rgb)))
        priors.append(_planes(prior_map(*depth_of(rgb), crop)))
        people.append(torch.from_numpy(crop.mask(frames.people(place))))
    masked = None if frames.masks is None else torch.stack(people)
    return Views(crop, torch.stack(pictures), torch.stack(priors), masked)


def world_frames(made: Reconstruction, seen: Views, frames: Frames) -> Iterator[WorldFrame]:
    """What is written of every frame, in turn.

    Confidence is the network's, from 1 up; where it is 3 or less the depth does not count as
    measured. The optical axis is that of the alignment.
    """
    crop = seen.cropping
    intrinsic = camera_matrix(made.focal_px, crop)
    for place, image in enumerate(frames.images):
        T_world_camera = np.eye(4, dtype=np.float32)
        T_world_camera[:3] = made.T_world_camera[place].cpu().numpy()
        yield WorldFrame(
            name=image.name,
            rgb=seen.pictures[place].movedim(0, -1).cpu().numpy(),
            intrinsic=intrinsic,
            T_world_camera=T_world_camera,
            depth=made.depth[place].cpu().numpy(),
            confidence=made.confidence[place].cpu().numpy(),
            dynamic=made.moving[place].cpu().numpy(),
            measured=made.sure[place].cpu().numpy(),
            affine_original_from_reconstruction=crop.affine_original_from_reconstruction,
        )


def camera_matrix(focal_px: float, crop: Cropping) -> Float32[np.ndarray, "3 3"]:
    """K of the alignment's camera."""
    return np.array(
        [[focal_px, 0, crop.width / 2], [0, focal_px, crop.height / 2], [0, 0, 1]], np.float32
    )


def _planes(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(array, -1, 0)))
