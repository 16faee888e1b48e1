"""Cells of one frame seen in another, and how that changes with cameras, disparity and focal.

Teed and Deng, "DROID-SLAM" (NeurIPS 2021), equation 3; the focal's derivative is MegaSaM's (Li et
al., CVPR 2025). Poses are `T_camera_world` in the layout of `stages.geometry.se3`; disparity is
one over depth; intrinsics are fx, fy, cx, cy in cells, the same for all frames. Cells are points:
the first has its middle at (0, 0).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from stages.flow.grid import cell_grid
from stages.geometry import se3

NEAREST = 0.2
"""Depth in the other frame, over depth in its own, below which a cell counts as not seen."""


@dataclass(frozen=True)
class Scene:
    """What is estimated: cameras, depth and the lens."""

    T_camera_world: Float[Tensor, "f 7"]
    disparity: Float[Tensor, "f h w"]
    intrinsics: Float[Tensor, " 4"]

    @property
    def width(self) -> Float[Tensor, ""]:
        """Of a frame, in cells: the principal point is its middle."""
        return 2 * self.intrinsics[2]

    def double(self) -> "Scene":
        """The same in float64."""
        return Scene(
            self.T_camera_world.double(), self.disparity.double(), self.intrinsics.double()
        )


@dataclass(frozen=True)
class Seen:
    """Cells of the source frames of edges, seen in their target frames."""

    places: Float[Tensor, "n h w 2"]
    """Column and row, in cells."""
    depth: Float[Tensor, "n h w"]
    """In the target frame, over the cell's depth in the source frame."""

    @property
    def valid(self) -> Bool[Tensor, "n h w"]:
        """Far enough in front of the target's camera."""
        return self.depth > NEAREST


@dataclass(frozen=True)
class Jacobians:
    """Derivatives of `Seen.places`."""

    source: Float[Tensor, "n h w 2 6"]
    """By a tangent from the left of the source's pose: translation, rotation."""
    target: Float[Tensor, "n h w 2 6"]
    """The same of the target's pose."""
    disparity: Float[Tensor, "n h w 2"]
    focal: Float[Tensor, "n h w 2"]
    """By a growth of both focal lengths by the same, in widths of the frame."""


def see(scene: Scene, sources: Int[Tensor, " n"], targets: Int[Tensor, " n"]) -> Seen:
    """Where cells of the source frames lie in the target frames."""
    return see_after(scene, sources, motions(scene, sources, targets))


def motions(
    scene: Scene, sources: Int[Tensor, " n"], targets: Int[Tensor, " n"]
) -> Float[Tensor, "n 7"]:
    """`T_target_source` of every edge."""
    poses = scene.T_camera_world
    return se3.multiply(poses[targets], se3.inverse(poses[sources]))


def see_after(
    scene: Scene, sources: Int[Tensor, " n"], T_target_source: Float[Tensor, "n 7"]
) -> Seen:
    """Where cells of the source frames lie after any motions of the camera."""
    return _see(scene, _points(scene, sources, T_target_source))


def see_with_jacobians(
    scene: Scene, sources: Int[Tensor, " n"], targets: Int[Tensor, " n"]
) -> tuple[Seen, Jacobians]:
    """The same, with the derivatives."""
    points = _points(scene, sources, motions(scene, sources, targets))
    fx, fy, _, _ = scene.intrinsics
    x, y, _ = points.there.unbind(-1)
    per_depth = 1 / _safe_depth(points.there[..., 2])
    zero = torch.zeros_like(x)
    of_u = torch.stack([fx * per_depth, zero, -fx * x * per_depth**2], dim=-1)
    of_v = torch.stack([zero, fy * per_depth, -fy * y * per_depth**2], dim=-1)
    of_point = torch.stack([of_u, of_v], dim=-2)

    moved = of_point * points.disparity[..., None, None]
    turned = torch.linalg.cross(points.there[..., None, :], of_point)
    target = torch.cat([moved, turned], dim=-1)
    source = -target @ se3.adjoint(points.T_target_source)[:, None, None]
    disparity = of_point @ points.T_target_source[:, None, None, :3, None]

    return _see(scene, points), Jacobians(
        source, target, disparity[..., 0], _by_focal(scene, points)
    )


@dataclass(frozen=True)
class _Points:
    rays: Float[Tensor, "h w 3"]
    disparity: Float[Tensor, "n h w"]
    T_target_source: Float[Tensor, "n 7"]
    there: Float[Tensor, "n h w 3"]
    """In the target's frame, times the source's disparity: finite for points at infinity."""

    @property
    def rotation(self) -> Float[Tensor, "n 1 1 4"]:
        return self.T_target_source[:, None, None, 3:]


def _points(scene: Scene, sources: Tensor, motion: Tensor) -> _Points:
    disparity = scene.disparity[sources]
    level = (cell_grid(disparity) - scene.intrinsics[2:]) / scene.intrinsics[:2]
    rays = torch.cat([level, torch.ones_like(level[..., :1])], dim=-1)
    shift = motion[:, None, None, :3] * disparity[..., None]
    there = se3.rotate(motion[:, None, None, 3:], rays) + shift
    return _Points(rays, disparity, motion, there)


def _by_focal(scene: Scene, points: _Points) -> Float[Tensor, "n h w 2"]:
    """Of cells behind the camera too: the probe of the focal counts them, as the original's does.

    A longer focal spreads places in the target, and narrows the rays of the source.
    """
    depth = points.there[..., 2:]
    depth = torch.where(depth == 0, 1, depth)
    focals = scene.intrinsics[:2]
    level = points.there[..., :2] / depth
    narrowed = -points.rays[..., :2] / focals
    ray = torch.cat([narrowed, torch.zeros_like(narrowed[..., :1])], dim=-1)
    moved = se3.rotate(points.rotation, ray)
    return scene.width * (level + focals * (moved[..., :2] - level * moved[..., 2:]) / depth)


def _see(scene: Scene, points: _Points) -> Seen:
    depth = points.there[..., 2]
    level = points.there[..., :2] / _safe_depth(depth)[..., None]
    return Seen(level * scene.intrinsics[:2] + scene.intrinsics[2:], depth)


def _safe_depth(depth: Tensor) -> Tensor:
    return torch.where(depth < NEAREST / 2, 1, depth)
