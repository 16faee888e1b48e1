"""How VIMO ties a crop to its picture: box information and the full-picture translation."""

import torch
from jaxtyping import Float
from torch import Tensor


def bbox_info(
    center_px: Float[Tensor, "b 2"],
    size_px: Float[Tensor, " b"],
    focal_px: Float[Tensor, " b"],
    image_center_px: Float[Tensor, "b 2"],
) -> Float[Tensor, "b 3"]:
    """Where the crop lies in the picture, in CLIFF's normalisation (Li et al. 2022).

    `size_px` is the side of the square crop. Returns the crop centre's offset and the crop size,
    both relative to the focal length.
    """
    offset = (center_px - image_center_px) / focal_px[:, None] * 2.8
    size = (size_px - 0.24 * focal_px) / (0.06 * focal_px)
    return torch.cat([offset, size[:, None]], dim=1)


def camera_translation(
    weak_camera: Float[Tensor, "b 3"],
    center_px: Float[Tensor, "b 2"],
    size_px: Float[Tensor, " b"],
    focal_px: Float[Tensor, " b"],
    image_center_px: Float[Tensor, "b 2"],
) -> Float[Tensor, "b 3"]:
    """Body translation in the full picture's camera, metres, from the crop's (s, tx, ty)."""
    scale, shift = weak_camera[:, :1], weak_camera[:, 1:]
    scaled_size = size_px[:, None] * scale
    xy = shift + 2 * (center_px - image_center_px) / scaled_size
    return torch.cat([xy, 2 * focal_px[:, None] / scaled_size], dim=1)
