"""The clip as the depth measurement sees it: grey images, what stands still, and cameras."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, UInt8
from torch import Tensor


@dataclass(frozen=True)
class Views:
    """All frames of a clip at one resolution; pixel centres have integer coordinates."""

    images: UInt8[Tensor, "T H W"]
    moving: Bool[Tensor, "T H W"]
    """People and their margin: there the place is not seen."""
    intrinsic: Float[Tensor, "3 3"]
    Ts_camera_world: Float[Tensor, "T 4 4"]

    def __len__(self) -> int:
        return len(self.images)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.images.shape[1], self.images.shape[2]

    @property
    def device(self) -> torch.device:
        return self.images.device

    @cached_property
    def Ts_world_camera(self) -> Float[Tensor, "T 4 4"]:
        return torch.linalg.inv(self.Ts_camera_world)

    @cached_property
    def inverse_intrinsic(self) -> Float[Tensor, "3 3"]:
        return torch.linalg.inv(self.intrinsic)

    def grey(self, frame: int) -> Float[Tensor, "H W"]:
        """A frame's brightness, 0 to 1."""
        return self.images[frame] * (1 / 255)

    def still(self, frame: int) -> Float[Tensor, "H W"]:
        """1 where a frame shows the place, 0 on what moves."""
        return (~self.moving[frame]).float()

    def unseen(self, frame: int) -> Float[Tensor, "H W"]:
        """Infinite on what moves and a pixel around it, else 0."""
        touched = F.max_pool2d(self.moving[frame][None].float(), 3, 1, 1)[0]
        return torch.zeros_like(touched).masked_fill_(touched > 0, torch.inf)

    def halved(self) -> "Views":
        """The same views at half the resolution; both sides must be even."""
        K = self.intrinsic.clone()
        K[:2] *= 0.5
        K[:2, 2] -= 0.25  # The first of the new pixels has its centre at 0.5 of the old ones.
        images = torch.stack(
            [F.avg_pool2d(image[None].float(), 2)[0].round().byte() for image in self.images]
        )
        moving = self.moving.unflatten(1, (-1, 2)).unflatten(3, (-1, 2)).any(4).any(2)
        return Views(images, moving, K, self.Ts_camera_world)


def relative(views: Views, reference: int, other: int) -> tuple[Tensor, Tensor]:
    """A (3, 3) and b (3,) with: pixel x at inverse depth w is seen at the pixel A x + w b."""
    T = views.Ts_camera_world[other] @ views.Ts_world_camera[reference]
    K = views.intrinsic
    return K @ T[:3, :3] @ views.inverse_intrinsic, K @ T[:3, 3]


@lru_cache(maxsize=8)
def pixel_grid(height: int, width: int, device: torch.device) -> Float[Tensor, "3 H W"]:
    """Homogeneous pixel coordinates; the same tensor every time, not to be changed."""
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
    return _sampled(image, x, y, "bilinear")


def nearest(
    image: Float[Tensor, "H W"],
    x: Float[Tensor, "D h w"],
    y: Float[Tensor, "D h w"],
    outside: float,
) -> Float[Tensor, "D h w"]:
    """An image's nearest pixels; `outside` beyond its border."""
    if image.device.type == "cpu":
        found = torch.empty_like(x)
        source = image.numpy()
        for xs, ys, target in zip(x.numpy(), y.numpy(), found.numpy(), strict=True):
            cv2.remap(source, xs, ys, cv2.INTER_NEAREST, target, cv2.BORDER_CONSTANT, outside)
        return found
    height, width = image.shape
    found = _sampled(image, x, y, "nearest")
    within = (x > -0.5) & (x < width - 0.5) & (y > -0.5) & (y < height - 0.5)
    return torch.where(within, found, outside)


def _sampled(image: Tensor, x: Tensor, y: Tensor, mode: str) -> Float[Tensor, "D h w"]:
    height, width = image.shape
    grid = torch.stack([x * (2 / (width - 1)) - 1, y * (2 / (height - 1)) - 1], -1)
    count, h, w = x.shape
    at = grid.reshape(1, count * h, w, 2)
    values = F.grid_sample(image[None, None], at, mode, align_corners=True)
    return values.reshape(count, h, w)


def as_views(
    grey: Sequence[UInt8[np.ndarray, "H W"]],
    moving: Sequence[Bool[np.ndarray, "H W"]],
    intrinsic: Float[np.ndarray, "3 3"],
    Ts_camera_world: Float[np.ndarray, "T 4 4"],
    device: str,
) -> Views:
    """Views of grey images and masks of what moves, frame by frame."""
    return Views(
        torch.from_numpy(np.stack(grey)).to(device),
        torch.from_numpy(np.stack(moving)).to(device),
        torch.as_tensor(intrinsic, dtype=torch.float32, device=device),
        torch.as_tensor(Ts_camera_world, dtype=torch.float32, device=device),
    )
