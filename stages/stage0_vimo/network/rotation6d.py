"""6-D rotations in HMR2's layout: the first two columns of the matrix, one after the other."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor


def matrix_from_6d(pose: Float[Tensor, "*b joints*6"]) -> Float[Tensor, "*b joints 3 3"]:
    """Gram-Schmidt on the two columns (Zhou et al., CVPR 2019)."""
    first, second = pose.unflatten(-1, (-1, 2, 3)).unbind(-2)
    x = F.normalize(first, dim=-1)
    y = F.normalize(second - (x * second).sum(-1, keepdim=True) * x, dim=-1)
    return torch.stack([x, y, torch.cross(x, y, dim=-1)], dim=-1)


def matrix_to_6d(rotmat: Float[Tensor, "*b joints 3 3"]) -> Float[Tensor, "*b joints*6"]:
    """Inverse of `matrix_from_6d` on rotation matrices."""
    return rotmat[..., :2].transpose(-1, -2).flatten(-3)
