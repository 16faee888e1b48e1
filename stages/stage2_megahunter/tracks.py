"""What is known of one person and what is around them, and how short gaps are filled."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float

from stages.geometry.rotations import slerp

SHORT_GAP = 3


@dataclass(frozen=True)
class Cameras:
    """Cameras of the reconstruction; lengths in its own units (SfM units).

    Attributes:
        intrinsics: at the reconstruction's resolution.
        Ts_world_camera: camera to world.
        affine_original_from_reconstruction: pixels of the reconstruction to the original image's.
    """

    intrinsics: Float[np.ndarray, "T 3 3"]
    Ts_world_camera: Float[np.ndarray, "T 4 4"]
    affine_original_from_reconstruction: Float[np.ndarray, "2 3"]

    def to_reconstruction(self, pixels: Float[np.ndarray, "*B 2"]) -> Float[np.ndarray, "*B 2"]:
        """Pixels of the original image at the reconstruction's resolution."""
        A = self.affine_original_from_reconstruction
        return (pixels - A[:, 2]) @ np.linalg.inv(A[:, :2]).T

    @property
    def R_world_camera(self) -> Float[np.ndarray, "T 3 3"]:
        return self.Ts_world_camera[:, :3, :3]

    @property
    def centres(self) -> Float[np.ndarray, "T 3"]:
        return self.Ts_world_camera[:, :3, 3]


@dataclass(frozen=True)
class Track:
    """One person. Rows of frames without a detection hold anything.

    Attributes:
        person: id.
        detected: frames with a body, keypoints and a box.
        valid: frames the optimisation uses: detected, or in a filled gap.
        pixels: 18 keypoints at the reconstruction's resolution.
        scores: of the keypoints, 0 where unknown.
        boxes: x1, y1, x2, y2 at the reconstruction's resolution.
        rotmats: local rotations; the first is R_camera_root.
        betas: one shape for all frames.
        planted: left and right foot stand; False where unknown.
    """

    person: int
    detected: Bool[np.ndarray, " T"]
    valid: Bool[np.ndarray, " T"]
    pixels: Float[np.ndarray, "T 18 2"]
    scores: Float[np.ndarray, "T 18"]
    boxes: Float[np.ndarray, "T 4"]
    rotmats: Float[np.ndarray, "T 24 3 3"]
    betas: Float[np.ndarray, "10"]
    planted: Bool[np.ndarray, "T 2"]

    @property
    def sizes_px(self) -> Float[np.ndarray, " T"]:
        """Square root of the box area."""
        sides = np.maximum(self.boxes[:, 2:] - self.boxes[:, :2], 1.0)
        return np.sqrt(sides[:, 0] * sides[:, 1])


@dataclass(frozen=True)
class Surroundings:
    """What the reconstruction says around one person, in its own units.

    Attributes:
        depths, trust: of the surface at the 18 keypoints; trust 0 where unknown.
        ground_points, ground_normals, ground_weights: planes that may be under the left and right
            foot, in the axes of each frame's camera; weight 0 where there is none.
    """

    depths: Float[np.ndarray, "T 18"]
    trust: Float[np.ndarray, "T 18"]
    ground_points: Float[np.ndarray, "T 2 K 3"]
    ground_normals: Float[np.ndarray, "T 2 K 3"]
    ground_weights: Float[np.ndarray, "T 2 K"]


def fill_short_gaps(track: Track) -> Track:
    """Interpolates gaps of up to 3 frames between detections: rotations along arcs, the rest
    linearly. Longer gaps, and what lies before the first and after the last detection, stay
    invalid.
    """
    known = np.flatnonzero(track.detected)
    valid = track.detected.copy()
    arrays = {
        name: getattr(track, name).copy() for name in ("pixels", "scores", "boxes", "rotmats")
    }
    for before, after in pairwise(known):
        if not 1 < after - before <= SHORT_GAP + 1:
            continue
        times = np.arange(before + 1, after)
        valid[times] = True
        share = (times - before) / (after - before)
        for name in ("pixels", "scores", "boxes"):
            values = arrays[name]
            weight = share.reshape((-1,) + (1,) * (values.ndim - 1))
            values[times] = (1 - weight) * values[before] + weight * values[after]
        # A keypoint seen on one side only has no place to be interpolated from.
        arrays["scores"][times] *= (arrays["scores"][before] > 0) & (arrays["scores"][after] > 0)
        for joint in range(24):
            ends = arrays["rotmats"][[before, after], joint]
            arrays["rotmats"][times, joint] = slerp(
                np.array([0.0, 1.0]), ends.astype(np.float64), share
            )
    return replace(track, valid=valid, **arrays)
