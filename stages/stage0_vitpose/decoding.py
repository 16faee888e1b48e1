"""From heat maps to keypoints: the maximum, moved a quarter pixel towards its larger neighbour."""

import numpy as np
import torch
from jaxtyping import Float, Float32, Int

QUARTER = 0.25


def mirrored_order(pairs: Int[np.ndarray, "P 2"], count: int) -> Int[np.ndarray, " count"]:
    """Places of keypoints in a mirror, where left and right of each pair change places."""
    order = np.arange(count)
    order[pairs[:, 0]], order[pairs[:, 1]] = pairs[:, 1], pairs[:, 0]
    return order


def flip_average(
    heat: Float32[torch.Tensor, "N K h w"],
    heat_of_mirrored: Float32[torch.Tensor, "N K h w"],
    mirrored_order: Int[torch.Tensor, " K"],
) -> Float32[torch.Tensor, "N K h w"]:
    """Mean of the heat maps and of those of the mirrored picture, mirrored back.

    Mirrored maps come out one cell to the left, because the network has no half-pixel shift.

    Args:
        mirrored_order: of each keypoint the place of the one that it is in a mirror.
    """
    back = heat_of_mirrored[:, mirrored_order].flip(-1)
    back = torch.cat([back[..., :1], back[..., :-1]], dim=-1)
    return (heat + back) * 0.5


def decode(
    heat: Float32[torch.Tensor, "N K h w"],
) -> Float[torch.Tensor, "N K 3"]:
    """Positions in heat-map pixels (x, y) and scores, on the device of the heat maps.

    A map without a positive value gives the position (-1, -1) and its maximum as the score.
    """
    height, width = heat.shape[2:]
    flat = heat.flatten(2)
    score, best = flat.max(-1)
    x, y = best % width, best // width

    def at(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return flat.gather(-1, (y * width + x)[..., None])[..., 0]

    xi, yi = x.clamp(1, width - 2), y.clamp(1, height - 2)
    dx = torch.sign(at(xi + 1, yi) - at(xi - 1, yi))
    dy = torch.sign(at(xi, yi + 1) - at(xi, yi - 1))
    inner = (x > 1) & (x < width - 1) & (y > 1) & (y < height - 1)
    position = torch.stack([x + QUARTER * dx * inner, y + QUARTER * dy * inner], -1)
    position = torch.where(score[..., None] > 0, position, -1.0)
    return torch.cat([position, score[..., None]], -1)
