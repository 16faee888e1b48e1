"""Pictures for networks: sizes, crops, colour changes and compression, batched on the device."""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
CROP_PADDING = 1.25


def as_float(rgb: UInt8[Tensor, "B H W 3"]) -> Float[Tensor, "B 3 H W"]:
    """Bytes to 0..1, channels first."""
    return rgb.permute(0, 3, 1, 2).float() / 255


def normalised(pictures: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B 3 H W"]:
    """By ImageNet's mean and deviation, as all of the networks want it."""
    mean = torch.tensor(MEAN, device=pictures.device).view(3, 1, 1)
    std = torch.tensor(STD, device=pictures.device).view(3, 1, 1)
    return (pictures - mean) / std


def resized(pictures: Float[Tensor, "B 3 H W"], height: int, width: int) -> Tensor:
    """Bilinear with the averaging that shrinking asks for, as picture libraries do it."""
    return F.interpolate(
        pictures, size=(height, width), mode="bilinear", align_corners=False, antialias=True
    )


def recoloured(pictures: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B 3 H W"]:
    """Random exposure, gamma, white balance, saturation, blur and noise, one draw a picture."""
    count, device = len(pictures), pictures.device

    def draw(low: float, high: float, channels: int = 1) -> Tensor:
        return low + (high - low) * torch.rand(count, channels, 1, 1, device=device)

    soft = F.avg_pool2d(F.pad(pictures, (1, 1, 1, 1), mode="replicate"), 3, 1)
    pictures = torch.lerp(pictures, soft, draw(-0.3, 0.8).clamp(min=0))
    grey = pictures.mean(1, keepdim=True)
    pictures = grey + (pictures - grey) * draw(0.6, 1.3)
    pictures = pictures * draw(0.75, 1.25) * draw(0.93, 1.07, 3)
    pictures = pictures.clamp(1e-4, 1) ** draw(0.8, 1.25)
    pictures = pictures + torch.randn_like(pictures) * draw(-0.01, 0.025).clamp(min=0)
    return pictures.clamp(0, 1)


def _cosines(device: torch.device) -> Float[Tensor, "8 8"]:
    k = torch.arange(8, device=device, dtype=torch.float32)
    rows = torch.cos(math.pi / 8 * (k[None] + 0.5) * k[:, None]) * 0.5
    rows[0] *= math.sqrt(0.5)
    return rows


def compressed(pictures: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B 3 H W"]:
    """Rounds 8x8 cosine coefficients as JPEG and H.264 do, by a random strength a picture.

    Height and width must be multiples of 8.
    """
    count, _, height, width = pictures.shape
    C = _cosines(pictures.device)
    blocks = pictures.view(count, 3, height // 8, 8, width // 8, 8)
    coefficients = torch.einsum("ki,bchiwj,lj->bchkwl", C, blocks, C)
    frequency = torch.arange(8, device=pictures.device, dtype=torch.float32)
    table = 1 + 0.6 * (frequency[:, None] + frequency[None])
    strength = 0.06 * torch.rand(count, 1, 1, 1, 1, 1, device=pictures.device) ** 2 + 0.004
    step = strength * table[None, None, None, :, None, :]
    coefficients = (coefficients / step).round() * step
    blocks = torch.einsum("ki,bchkwl,lj->bchiwj", C, coefficients, C)
    return blocks.reshape(count, 3, height, width).clamp(0, 1)


def affine_about(
    centre: Float[Tensor, "B 2"],
    scale: Float[Tensor, " B"],
    turn_rad: Float[Tensor, " B"],
    height: int,
    width: int,
) -> Float[Tensor, "B 2 3"]:
    """Scales and turns about a frame point, which lands in the crop's middle."""
    cos, sin = turn_rad.cos() * scale, turn_rad.sin() * scale
    A = torch.stack([torch.stack([cos, -sin], -1), torch.stack([sin, cos], -1)], 1)
    middle = torch.tensor([width / 2, height / 2], device=centre.device)
    shift = middle - (A @ centre[..., None])[..., 0]
    return torch.cat([A, shift[..., None]], -1)


def apply_affine(A: Float[Tensor, "B 2 3"], points: Float[Tensor, "B K 2"]) -> Tensor:
    return points @ A[:, :, :2].transpose(1, 2) + A[:, None, :, 2]


def crops(
    pictures: Float[Tensor, "N 3 H W"],
    which: Tensor,
    A_crop_frame: Float[Tensor, "B 2 3"],
    height: int,
    width: int,
) -> Float[Tensor, "B 3 h w"]:
    """Bilinear crops of pictures[which]; black outside the frame."""
    frame_height, frame_width = pictures.shape[-2:]
    device = pictures.device
    y, x = torch.meshgrid(
        torch.arange(height, device=device, dtype=torch.float32),
        torch.arange(width, device=device, dtype=torch.float32),
        indexing="ij",
    )
    at = torch.stack([x, y], -1).view(1, -1, 2) - A_crop_frame[:, None, :, 2]
    at = at @ torch.linalg.inv(A_crop_frame[:, :, :2]).transpose(1, 2)
    size = torch.tensor([frame_width, frame_height], device=device)
    grid = ((at + 0.5) / size * 2 - 1).view(-1, height, width, 2)
    return F.grid_sample(
        pictures[which], grid, mode="bilinear", padding_mode="zeros", align_corners=False
    )
