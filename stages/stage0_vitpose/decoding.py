"""From heat maps to keypoints: the maximum, moved a quarter pixel towards its larger neighbour."""

import numpy as np
import torch
from jaxtyping import Float32, Int

QUARTER = 0.25


def flip_average(
    heat: Float32[torch.Tensor, "N K h w"],
    heat_of_mirrored: Float32[torch.Tensor, "N K h w"],
    pairs: Int[np.ndarray, "P 2"],
) -> Float32[torch.Tensor, "N K h w"]:
    """Mean of the heat maps and of those of the mirrored picture, mirrored back.

    Mirrored maps come out one cell to the left, because the network has no half-pixel shift.

    Args:
        pairs: left and right keypoints that change places in a mirror.
    """
    order = np.arange(heat.shape[1])
    order[pairs[:, 0]], order[pairs[:, 1]] = pairs[:, 1], pairs[:, 0]
    back = heat_of_mirrored[:, torch.from_numpy(order)].flip(-1)
    back = torch.cat([back[..., :1], back[..., :-1]], dim=-1)
    return (heat + back) * 0.5


def decode(
    heat: Float32[np.ndarray, "N K h w"],
) -> tuple[Float32[np.ndarray, "N K 2"], Float32[np.ndarray, "N K"]]:
    """Positions in heat-map pixels (x, y) and scores.

    A map without a positive value gives the position (-1, -1) and its maximum as the score.
    """
    count, keypoints, height, width = heat.shape
    flat = heat.reshape(count, keypoints, -1)
    best, score = flat.argmax(-1), flat.max(-1)
    x, y = best % width, best // width
    xi, yi = np.clip(x, 1, width - 2), np.clip(y, 1, height - 2)
    n, k = np.ogrid[:count, :keypoints]
    dx = np.sign(heat[n, k, yi, xi + 1] - heat[n, k, yi, xi - 1])
    dy = np.sign(heat[n, k, yi + 1, xi] - heat[n, k, yi - 1, xi])
    inner = (x > 1) & (x < width - 1) & (y > 1) & (y < height - 1)
    position = np.stack([x + QUARTER * dx * inner, y + QUARTER * dy * inner], -1)
    position[score <= 0] = -1
    return position.astype(np.float32), score.astype(np.float32)
