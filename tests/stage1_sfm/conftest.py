"""A small textured place that cameras can look at: floor, wall and a box, with true depth."""

from dataclasses import dataclass

import cv2
import numpy as np
import pytest

FOCAL_SHARE = 0.9


def _texture(rng: np.random.Generator, size: int = 512) -> np.ndarray:
    """Grey noise with detail at all scales, as of stone; tiles without a seam."""
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.fftfreq(size)[None])
    spectrum = np.fft.fft2(rng.normal(size=(size, size))) / (frequency + 4 / size)
    noise = np.fft.ifft2(spectrum).real
    return np.clip(128 + 45 * noise / noise.std(), 0, 255).astype(np.float32)


@dataclass(frozen=True)
class _Face:
    """A rectangle at one value of one axis, bounded along the other two."""

    axis: int
    at: float
    low: tuple[float, float]
    high: tuple[float, float]
    texture: np.ndarray


@dataclass(frozen=True)
class Place:
    """World: x right, y down, z ahead, metres; the camera at the origin looks along z."""

    faces: list[_Face]
    width: int
    height: int

    @property
    def focal_px(self) -> float:
        return FOCAL_SHARE * max(self.width, self.height)

    @property
    def intrinsic(self) -> np.ndarray:
        return np.array(
            [
                [self.focal_px, 0, (self.width - 1) / 2],
                [0, self.focal_px, (self.height - 1) / 2],
                [0, 0, 1],
            ]
        )

    def look(self, T_world_camera: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Grey image (uint8) and z-depth of the surface at every pixel's centre."""
        x, y = np.meshgrid(np.arange(self.width), np.arange(self.height))
        pixels = np.stack([x, y, np.ones_like(x)], -1)
        rays = pixels @ np.linalg.inv(self.intrinsic).T @ T_world_camera[:3, :3].T
        origin = T_world_camera[:3, 3]
        depth = np.full((self.height, self.width), np.inf)
        grey = np.zeros((self.height, self.width), np.float32)
        for face in self.faces:
            across = [axis for axis in range(3) if axis != face.axis]
            with np.errstate(divide="ignore", invalid="ignore"):
                t = (face.at - origin[face.axis]) / rays[..., face.axis]
                at = origin[across] + t[..., None] * rays[..., across]
                hit = (t > 0.1) & (t < depth) & (at >= face.low).all(-1) & (at <= face.high).all(-1)
            place = np.where(hit[..., None], at * 60 % 512, 0).astype(np.float32)
            seen = cv2.remap(
                face.texture, place[..., 0], place[..., 1], cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_WRAP,
            )  # fmt: skip
            depth, grey = np.where(hit, t, depth), np.where(hit, seen, grey)
        return np.rint(grey).astype(np.uint8), depth


@pytest.fixture(scope="session")
def place() -> Place:
    """A wall at 5 m, a floor 1.4 m below the camera, a box of 80 cm at 3 m."""
    rng = np.random.default_rng(5)
    faces = [
        _Face(2, 5.0, (-20, -20), (20, 20), _texture(rng)),
        _Face(1, 1.4, (-20, -20), (20, 20), _texture(rng)),
        _Face(2, 3.0, (-0.9, 0.6), (-0.1, 1.4), _texture(rng)),
        _Face(1, 0.6, (-0.9, 3.0), (-0.1, 3.8), _texture(rng)),
        _Face(0, -0.1, (0.6, 3.0), (1.4, 3.8), _texture(rng)),
    ]
    return Place(faces, 320, 184)


def _turned(yaw_rad: float, pitch_rad: float) -> np.ndarray:
    c, s = np.cos(yaw_rad), np.sin(yaw_rad)
    cp, sp = np.cos(pitch_rad), np.sin(pitch_rad)
    around_y = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    return around_y @ np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])


@pytest.fixture(scope="session")
def walk() -> np.ndarray:
    """Camera-to-world poses of 14 frames of a walk of 1.3 m to the right, looking at the box."""
    poses = np.tile(np.eye(4), (14, 1, 1))
    for frame, T in enumerate(poses):
        share = frame / 13
        T[:3, :3] = _turned(-0.28 * share, -0.1 + 0.02 * np.sin(frame))
        T[:3, 3] = [1.3 * share, 0.03 * np.sin(1.7 * frame), 0.3 * share**2]
    return poses
