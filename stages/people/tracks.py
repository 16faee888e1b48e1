"""What is known of one person over a video, and of the cameras that see them."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int


@dataclass(frozen=True)
class Cameras:
    """Cameras of the reconstruction; lengths in its own units (SfM units).

    Attributes:
        intrinsics: at the reconstruction's resolution.
        Ts_world_camera: camera to world.
        affine_original_from_reconstruction: pixels of the reconstruction to the original image's.
        times_s: of the frames in the video, increasing; not evenly spaced.

    Raises:
        ValueError: times that do not increase.
    """

    intrinsics: Float[np.ndarray, "T 3 3"]
    Ts_world_camera: Float[np.ndarray, "T 4 4"]
    affine_original_from_reconstruction: Float[np.ndarray, "2 3"]
    times_s: Float[np.ndarray, " T"]

    def __post_init__(self) -> None:
        if not (np.diff(self.times_s) > 0).all():
            raise ValueError("times of frames do not increase")

    def to_reconstruction(self, pixels: Float[np.ndarray, "*B 2"]) -> Float[np.ndarray, "*B 2"]:
        """Pixels of the original image at the reconstruction's resolution."""
        A = self.affine_original_from_reconstruction
        return (pixels - A[:, 2]) @ np.linalg.inv(A[:, :2]).T

    def at(self, frames: Int[np.ndarray, " F"]) -> "Cameras":
        """Those of some frames."""
        return replace(
            self,
            intrinsics=self.intrinsics[frames],
            Ts_world_camera=self.Ts_world_camera[frames],
            times_s=self.times_s[frames],
        )

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
        contacts: left and right foot touch the ground; False where unknown.
        part_contacts: the parts of `contact_parts` touch something; None where nobody asked.
    """

    person: int
    detected: Bool[np.ndarray, " T"]
    valid: Bool[np.ndarray, " T"]
    pixels: Float[np.ndarray, "T 18 2"]
    scores: Float[np.ndarray, "T 18"]
    boxes: Float[np.ndarray, "T 4"]
    rotmats: Float[np.ndarray, "T 24 3 3"]
    betas: Float[np.ndarray, "10"]
    contacts: Bool[np.ndarray, "T 2"]
    part_contacts: Bool[np.ndarray, "T 5"] | None = None

    @property
    def sizes_px(self) -> Float[np.ndarray, " T"]:
        """Square root of the box area."""
        sides = np.maximum(self.boxes[:, 2:] - self.boxes[:, :2], 1.0)
        return np.sqrt(sides[:, 0] * sides[:, 1])
