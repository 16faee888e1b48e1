"""Rigid motions of PyTorch tensors: position and unit quaternion, batched over leading axes.

A pose is `x, y, z, qw, qx, qy, qz`; it takes a point p to R p + t. A tangent is a translation and
then a rotation vector (radians). Formulas: Barfoot, "State Estimation for Robotics" (2nd edition,
2024), chapter 8; Solà et al., "A micro Lie theory for state estimation in robotics" (2018),
appendix D. Everything can be differentiated, and keeps the type of its arguments.
"""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

_SERIES_BELOW = 0.3
"""Radians. There series are more exact than quotients of differences, in float64 too."""


def exp(tangent: Float[Tensor, "*B 6"]) -> Float[Tensor, "*B 7"]:
    """The pose at the end of a screw motion; the inverse of `log`."""
    translation, rotation = tangent.split(3, dim=-1)
    angle = torch.linalg.vector_norm(rotation, dim=-1, keepdim=True)
    half_sinc = torch.sinc(angle / (2 * math.pi)) / 2
    once = torch.linalg.cross(rotation, translation)
    twice = torch.linalg.cross(rotation, once)
    position = translation + 2 * half_sinc**2 * once + _exp_twice(angle) * twice
    return torch.cat([position, torch.cos(angle / 2), half_sinc * rotation], dim=-1)


def log(pose: Float[Tensor, "*B 7"]) -> Float[Tensor, "*B 6"]:
    """The screw motion, of an angle of at most pi, that leads to a pose."""
    position, quaternion = pose.split((3, 4), dim=-1)
    quaternion = torch.where(quaternion[..., :1] < 0, -quaternion, quaternion)
    real, vector = quaternion.split((1, 3), dim=-1)
    sine = torch.linalg.vector_norm(vector, dim=-1, keepdim=True)
    angle = 2 * torch.atan2(sine, real)
    # Half the angle's sine over half the angle, of which the sinc has no hole at zero.
    rotation = vector / (torch.sinc(angle / (2 * math.pi)) / 2)
    once = torch.linalg.cross(rotation, position)
    twice = torch.linalg.cross(rotation, once)
    translation = position - once / 2 + _log_twice(angle) * twice
    return torch.cat([translation, rotation], dim=-1)


def multiply(a: Float[Tensor, "*B 7"], b: Float[Tensor, "*B 7"]) -> Float[Tensor, "*B 7"]:
    """First b, then a; the quaternion's length is put right."""
    position = act(a, b[..., :3])
    aw, av = a[..., 3:4], a[..., 4:]
    bw, bv = b[..., 3:4], b[..., 4:]
    real = aw * bw - (av * bv).sum(dim=-1, keepdim=True)
    vector = aw * bv + bw * av + torch.linalg.cross(av, bv)
    quaternion = torch.nn.functional.normalize(torch.cat([real, vector], dim=-1), dim=-1)
    return torch.cat([position, quaternion], dim=-1)


def inverse(pose: Float[Tensor, "*B 7"]) -> Float[Tensor, "*B 7"]:
    """The motion back."""
    quaternion = pose[..., 3:] * pose.new_tensor([1, -1, -1, -1])
    return torch.cat([-rotate(quaternion, pose[..., :3]), quaternion], dim=-1)


def rotate(wxyz: Float[Tensor, "*B 4"], vectors: Float[Tensor, "*B 3"]) -> Float[Tensor, "*B 3"]:
    """Vectors turned by unit quaternions; leading axes are broadcast."""
    real, vector = wxyz.split((1, 3), dim=-1)
    vector, vectors = torch.broadcast_tensors(vector, vectors)
    once = 2 * torch.linalg.cross(vector, vectors)
    return vectors + real * once + torch.linalg.cross(vector, once)


def act(pose: Float[Tensor, "*B 7"], points: Float[Tensor, "*B 3"]) -> Float[Tensor, "*B 3"]:
    """Points moved; leading axes are broadcast."""
    return rotate(pose[..., 3:], points) + pose[..., :3]


def rotation_matrix(pose: Float[Tensor, "*B 7"]) -> Float[Tensor, "*B 3 3"]:
    """The rotation as a matrix."""
    w, x, y, z = pose[..., 3:].unbind(-1)
    rows = [
        *(1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        *(2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        *(2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    ]
    return torch.stack(rows, dim=-1).unflatten(-1, (3, 3))


def matrix(pose: Float[Tensor, "*B 7"]) -> Float[Tensor, "*B 4 4"]:
    """The motion as a matrix on homogeneous points."""
    upper = torch.cat([rotation_matrix(pose), pose[..., :3, None]], dim=-1)
    lower = pose.new_tensor([0, 0, 0, 1]).expand(*pose.shape[:-1], 1, 4)
    return torch.cat([upper, lower], dim=-2)


def adjoint(pose: Float[Tensor, "*B 7"]) -> Float[Tensor, "*B 6 6"]:
    """A with `pose exp(tangent) = exp(A tangent) pose`."""
    turned = rotation_matrix(pose)
    shifted = cross_matrix(pose[..., :3]) @ turned
    upper = torch.cat([turned, shifted], dim=-1)
    lower = torch.cat([torch.zeros_like(turned), turned], dim=-1)
    return torch.cat([upper, lower], dim=-2)


def cross_matrix(vectors: Float[Tensor, "*B 3"]) -> Float[Tensor, "*B 3 3"]:
    """The matrix of the cross product with each vector from the left."""
    x, y, z = vectors.unbind(-1)
    o = torch.zeros_like(x)
    return torch.stack([o, -z, y, z, o, -x, -y, x, o], dim=-1).unflatten(-1, (3, 3))


def retract(pose: Float[Tensor, "*B 7"], tangent: Float[Tensor, "*B 6"]) -> Float[Tensor, "*B 7"]:
    """A pose moved from the left: `exp(tangent) pose`."""
    return multiply(exp(tangent), pose)


def _exp_twice(angle: Tensor) -> Tensor:
    """(angle - sin angle) / angle^3."""
    return _series_or(
        angle,
        (1 / 6, -1 / 120, 1 / 5040, -1 / 362880, 1 / 39916800),
        lambda a: (a - torch.sin(a)) / a**3,
    )


def _log_twice(angle: Tensor) -> Tensor:
    """1 / angle^2 - cot(angle / 2) / (2 angle), which is 1 / pi^2 at half a turn."""
    return _series_or(
        angle,
        (1 / 12, 1 / 720, 1 / 30240, 1 / 1209600, 1 / 47900160, 691 / 1307674368000),
        lambda a: 1 / a**2 - torch.cos(a / 2) / (2 * a * torch.sin(a / 2)),
    )


def _series_or(
    angle: Tensor, series: tuple[float, ...], quotient: Callable[[Tensor], Tensor]
) -> Tensor:
    small = angle < _SERIES_BELOW
    square = torch.where(small, angle, 0) ** 2
    powers = torch.zeros_like(angle)
    for coefficient in reversed(series):
        powers = powers * square + coefficient
    # Where the series holds, the quotient gets an angle at which it and its slope are finite.
    return torch.where(small, powers, quotient(torch.where(small, 1, angle)))
