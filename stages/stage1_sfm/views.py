"""The clip as the depth measurement sees it: grey images, what stands still, and cameras."""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Views:
    """All frames of a clip at one resolution; pixel centres have integer coordinates."""

    grey: Float[Tensor, "T H W"]
    """0 to 1."""
    still: Float[Tensor, "T H W"]
    """1 where the place is seen, 0 on people and their margin."""
    intrinsic: Float[Tensor, "3 3"]
    Ts_camera_world: Float[Tensor, "T 4 4"]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.grey.shape[1], self.grey.shape[2]

    def halved(self) -> "Views":
        """The same views at half the resolution; both sides must be even."""
        K = self.intrinsic.clone()
        K[:2] *= 0.5
        K[:2, 2] -= 0.25  # The first of the new pixels has its centre at 0.5 of the old ones.
        still = -F.max_pool2d(-self.still[:, None], 2)[:, 0]
        return Views(F.avg_pool2d(self.grey[:, None], 2)[:, 0], still, K, self.Ts_camera_world)


def relative(views: Views, reference: int, other: int) -> tuple[Tensor, Tensor]:
    """A (3, 3) and b (3,) with: pixel x at inverse depth w is seen at the pixel A x + w b."""
    T = views.Ts_camera_world[other] @ torch.linalg.inv(views.Ts_camera_world[reference])
    K = views.intrinsic
    return K @ T[:3, :3] @ torch.linalg.inv(K), K @ T[:3, 3]


def pixel_grid(height: int, width: int, device: torch.device) -> Float[Tensor, "3 H W"]:
    """Homogeneous pixel coordinates."""
    y, x = torch.meshgrid(
        torch.arange(height, device=device, dtype=torch.float32),
        torch.arange(width, device=device, dtype=torch.float32),
        indexing="ij",
    )
    return torch.stack([x, y, torch.ones_like(x)])


def box(images: Float[Tensor, "N H W"], window: int) -> Float[Tensor, "N H W"]:
    """Means over square windows; beyond the border the image goes on as at the border."""
    if images.device.type == "cpu":  # Ten times the speed of torch's pooling.
        blurred = torch.empty_like(images)
        for source, target in zip(images.numpy(), blurred.numpy(), strict=True):
            cv2.blur(source, (window, window), target, borderType=cv2.BORDER_REPLICATE)
        return blurred
    half = window // 2
    padded = F.pad(images[:, None], (half, half, half, half), mode="replicate")
    return F.avg_pool2d(F.avg_pool2d(padded, (1, window), 1), (window, 1), 1)[:, 0]


def sample(
    image: Float[Tensor, "H W"], x: Float[Tensor, "D h w"], y: Float[Tensor, "D h w"]
) -> Float[Tensor, "D h w"]:
    """An image at pixel coordinates, bilinearly; 0 outside."""
    if image.device.type == "cpu":  # Three times the speed of torch's, with its table of weights.
        found = torch.empty_like(x)
        source = image.numpy()
        for xs, ys, target in zip(x.numpy(), y.numpy(), found.numpy(), strict=True):
            cv2.remap(source, xs, ys, cv2.INTER_LINEAR, target, cv2.BORDER_CONSTANT)
        return found
    height, width = image.shape
    grid = torch.stack([x * (2 / (width - 1)) - 1, y * (2 / (height - 1)) - 1], -1)
    count, h, w = x.shape
    values = F.grid_sample(image[None, None], grid.reshape(1, count * h, w, 2), align_corners=True)
    return values.reshape(count, h, w)


def as_views(
    grey: list[np.ndarray],
    moving: list[np.ndarray],
    intrinsic: Float[np.ndarray, "3 3"],
    Ts_camera_world: Float[np.ndarray, "T 4 4"],
    device: str,
) -> Views:
    """Views of uint8 grey images and boolean masks of what moves."""
    return Views(
        torch.from_numpy(np.stack(grey)).to(device, torch.float32) / 255,
        (~torch.from_numpy(np.stack(moving))).to(device, torch.float32),
        torch.as_tensor(intrinsic, dtype=torch.float32, device=device),
        torch.as_tensor(Ts_camera_world, dtype=torch.float32, device=device),
    )
