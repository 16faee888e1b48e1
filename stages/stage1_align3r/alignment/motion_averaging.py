"""What frames have in common with all their pairs at once, however few of these are right.

Govindu, "Lie-algebraic averaging for globally consistent motion estimation" (CVPR 2004); weights
that fall with the error as in Chatterjee and Govindu, "Efficient and robust large-scale rotation
averaging" (ICCV 2013).
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from stages.geometry.rotations import matrix_from_rotvec, rotvec_from_matrix
from stages.stage1_align3r.alignment.medians import weighted_median

_ROUNDS = 10
_TINY = 1e-9


def averaged(
    pairs: Int[Tensor, "e 2"], difference: Float[Tensor, "e k"], weight: Float[Tensor, " e"]
) -> Float[Tensor, "n k"]:
    """Values x of frames, zero in the first, of which x[second] - x[first] fits best.

    Weighted least squares, again and again: a pair counts less the more it is off, half of it at
    1.5 times the middle error (a Cauchy loss). In float64.
    """
    first, second = pairs.unbind(1)
    frames = int(pairs.max()) + 1
    incidence = difference.new_zeros(len(pairs), frames, dtype=torch.float64)
    rows = torch.arange(len(pairs), device=pairs.device)
    incidence[rows, second], incidence[rows, first] = 1, -1
    free, difference, weight = incidence[:, 1:], difference.double(), weight.double()
    trusted = weight
    for _ in range(_ROUNDS):
        scaled = trusted[:, None] * free
        found = torch.linalg.solve(free.mT @ scaled, scaled.mT @ difference)
        off = torch.linalg.vector_norm(free @ found - difference, dim=-1)
        usual = 1.5 * weighted_median(off, weight) + _TINY
        trusted = weight / (1 + (off / usual).square())
    return torch.cat([found.new_zeros(1, found.shape[1]), found])


def averaged_rotations(
    pairs: Int[Tensor, "e 2"],
    R_first_second: Float[Tensor, "e 3 3"],
    weight: Float[Tensor, " e"],
    R_world_frame: Float[Tensor, "n 3 3"],
) -> Float[Tensor, "n 3 3"]:
    """From rotations to begin with to those that fit all pairs best; the first frame's stays."""
    first, second = pairs.unbind(1)
    R, between = R_world_frame.double(), R_first_second.double()
    for _ in range(_ROUNDS):
        off = R[first] @ between @ R[second].mT
        R = _matrix(averaged(pairs, _rotvec(off), weight)) @ R
    return R.to(R_world_frame)


def _rotvec(R: Tensor) -> Tensor:
    return torch.from_numpy(rotvec_from_matrix(R.cpu().numpy())).to(R)


def _matrix(rotvec: Tensor) -> Tensor:
    return torch.from_numpy(matrix_from_rotvec(rotvec.cpu().numpy())).to(rotvec)
