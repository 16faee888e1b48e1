"""Pinhole cameras to draw from: placed by hand, framed on something, or those of a video."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

Z_UP = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True)
class Camera:
    """A pinhole camera; camera axes are x right, y down, z forward, pixel centres whole numbers."""

    intrinsic: Float[np.ndarray, "3 3"]
    T_world_camera: Float[np.ndarray, "4 4"]
    height: int
    width: int

    @property
    def eye(self) -> Float[np.ndarray, "3"]:
        """Where it is in the world."""
        return self.T_world_camera[:3, 3]

    def scaled(self, factor: int) -> "Camera":
        """The same view with `factor` times as many pixels along each side."""
        intrinsic = self.intrinsic * factor
        intrinsic[:2, 2] += (factor - 1) / 2
        intrinsic[2, 2] = 1.0
        return Camera(intrinsic, self.T_world_camera, self.height * factor, self.width * factor)

    def resized(self, width: int) -> "Camera":
        """The same view in another width, the height in proportion."""
        height = round(self.height * width / self.width)
        intrinsic = self.intrinsic.astype(np.float64)
        for row, factor in enumerate((width / self.width, height / self.height)):
            intrinsic[row] *= factor
            intrinsic[row, 2] += (factor - 1) / 2
        return Camera(intrinsic, self.T_world_camera, height, width)

    def directions(self) -> Float[np.ndarray, "N 3"]:
        """World directions through all pixels, row by row; their length is 1 along z."""
        y, x = np.mgrid[: self.height, : self.width]
        (fx, _, cx), (_, fy, cy), _ = self.intrinsic
        right, down, forward = self.T_world_camera[:3, :3].T
        x, y = (x.ravel() - cx) / fx, (y.ravel() - cy) / fy
        return x[:, None] * right + y[:, None] * down + forward

    def project(
        self, points: Float[np.ndarray, "N 3"]
    ) -> tuple[Float[np.ndarray, "N 2"], Float[np.ndarray, " N"]]:
        """Pixels (x, y) of world points and their depths; pixels of points behind are NaN."""
        local = (points - self.eye) @ self.T_world_camera[:3, :3]
        depth = local[:, 2]
        ahead = np.where(depth > 1e-6, depth, np.nan)[:, None]
        return (local / ahead) @ self.intrinsic[:2].T, depth


def looking_at(
    eye: Float[np.ndarray, "3"],
    target: Float[np.ndarray, "3"],
    size: tuple[int, int],
    fov_deg: float = 40.0,
    up: Float[np.ndarray, "3"] = Z_UP,
) -> Camera:
    """A camera at `eye` with `target` in its middle.

    Args:
        size: height and width in pixels.
        fov_deg: angle of view along the picture's longer side.
        up: what is up in the picture, in the world; must not be the line of sight.
    """
    height, width = size
    focal = max(size) / 2 / np.tan(np.radians(fov_deg) / 2)
    forward = _unit(np.asarray(target) - eye)
    right = _unit(np.cross(forward, up))
    T = np.eye(4)
    T[:3, :3] = np.column_stack([right, np.cross(forward, right), forward])
    T[:3, 3] = eye
    K = np.array([[focal, 0, (width - 1) / 2], [0, focal, (height - 1) / 2], [0, 0, 1]])
    return Camera(K, T, height, width)


def framing(
    points: Float[np.ndarray, "N 3"],
    direction: Float[np.ndarray, "3"],
    size: tuple[int, int],
    room: float = 1.05,
    fov_deg: float = 40.0,
    up: Float[np.ndarray, "3"] = Z_UP,
) -> Camera:
    """The camera that looks along `direction` from so far away that it sees all points.

    Args:
        room: distance in those at which the picture's edge touches them.
    """
    middle = (points.min(0) + points.max(0)) / 2
    camera = looking_at(middle - _unit(direction), middle, size, fov_deg, up)
    local = (points - middle) @ camera.T_world_camera[:3, :3]
    reach = np.array([size[1], size[0]]) / 2 / camera.intrinsic[0, 0]
    distance = room * float((np.abs(local[:, :2]) / reach - local[:, 2:]).max())
    return looking_at(middle - distance * _unit(direction), middle, size, fov_deg, up)


def from_side(azimuth_deg: float, elevation_deg: float) -> Float[np.ndarray, "3"]:
    """The direction of sight of somebody at this azimuth (from x towards y) and this high up."""
    azimuth, elevation = np.radians([azimuth_deg, elevation_deg])
    flat = np.cos(elevation)
    return -np.array([flat * np.cos(azimuth), flat * np.sin(azimuth), np.sin(elevation)])


def _unit(vector: Float[np.ndarray, "3"]) -> Float[np.ndarray, "3"]:
    return vector / np.linalg.norm(vector)
