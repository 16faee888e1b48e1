"""Rotation matrices about the axes of a body (x to its left, y up, z forward), vectorised."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

Angles = Float[np.ndarray, "*n"] | float
Matrices = Float[np.ndarray, "*n 3 3"]


def _about(first: int, second: int, angle_rad: Angles) -> Matrices:
    angle = np.asarray(angle_rad, np.float64)
    R = np.zeros((*angle.shape, 3, 3))
    R[..., 0, 0] = R[..., 1, 1] = R[..., 2, 2] = 1.0
    cos, sin = np.cos(angle), np.sin(angle)
    R[..., first, first] = R[..., second, second] = cos
    R[..., first, second] = -sin
    R[..., second, first] = sin
    return R


def about_x(angle_rad: Angles) -> Matrices:
    """Positive tips forward: up (y) goes to forward (z)."""
    return _about(1, 2, angle_rad)


def about_y(angle_rad: Angles) -> Matrices:
    """Positive turns to the left: forward (z) goes to the left (x)."""
    return _about(2, 0, angle_rad)


def about_z(angle_rad: Angles) -> Matrices:
    """Positive raises the left side: left (x) goes up (y)."""
    return _about(0, 1, angle_rad)


def body_to_world(heading_rad: Angles) -> Matrices:
    """Upright body axes to the z-up world, facing (cos heading, sin heading, 0)."""
    heading = np.asarray(heading_rad, np.float64)
    cos, sin = np.cos(heading), np.sin(heading)
    R = np.zeros((*heading.shape, 3, 3))
    R[..., 0, 0], R[..., 1, 0] = -sin, cos
    R[..., 2, 1] = 1.0
    R[..., 0, 2], R[..., 1, 2] = cos, sin
    return R


def transpose(R: Matrices) -> Matrices:
    return np.swapaxes(R, -1, -2)


def angle_between(Ra: Matrices, Rb: Matrices) -> Angles:
    """Angle of the rotation from one to the other, rad (accurate for small angles too)."""
    chord = np.linalg.norm(Ra - Rb, axis=(-2, -1)) / (2 * np.sqrt(2))
    return 2 * np.arcsin(np.clip(chord, 0.0, 1.0))


def slerp(Ra: Matrices, Rb: Matrices, weight: Angles) -> Matrices:
    """Along the shortest arc from `Ra` (weight 0) to `Rb` (weight 1)."""
    step = transpose(Ra) @ Rb
    cos = np.clip((np.trace(step, axis1=-2, axis2=-1) - 1) / 2, -1.0, 1.0)
    angle = np.arccos(cos)
    skew = (step - transpose(step)) / 2
    sin = np.sin(angle)
    safe = np.where(sin > 1e-8, sin, 1.0)
    axis = skew / safe[..., None, None]
    part = (np.asarray(weight) * angle)[..., None, None]
    turned = np.eye(3) + np.sin(part) * axis + (1 - np.cos(part)) * (axis @ axis)
    return Ra @ turned
