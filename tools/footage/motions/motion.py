"""A human motion in the world, as joint rotations over time."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float

from tools.footage.motions.rotations import slerp


@dataclass(frozen=True)
class Motion:
    """SMPL pose over frames, in a world with z up, metres.

    `local_rotmats[:, 0]` is R_world_root, the others are relative to the parent joint; `root_m` is
    where the pelvis joint is; `contacts` says for the left and right foot whether the whole sole
    lies on the ground (within 1 cm, slower than 5 cm/s).
    """

    fps: float
    local_rotmats: Float[np.ndarray, "T 24 3 3"]
    root_m: Float[np.ndarray, "T 3"]
    betas: Float[np.ndarray, " 10"]
    contacts: Bool[np.ndarray, "T 2"]

    def __len__(self) -> int:
        return len(self.root_m)

    def cut(self, start: int, stop: int) -> Motion:
        """Frames from `start` up to but not including `stop`."""
        part = slice(start, stop)
        return replace(
            self,
            local_rotmats=self.local_rotmats[part],
            root_m=self.root_m[part],
            contacts=self.contacts[part],
        )

    def resampled(self, fps: float) -> Motion:
        """The same motion at another rate: rotations on the arc, contacts of the nearest frame."""
        count = int(np.floor((len(self) - 1) / self.fps * fps + 1e-6)) + 1
        at = np.arange(count) * self.fps / fps
        low = np.minimum(at.astype(int), len(self) - 2)
        weight = at - low
        return replace(
            self,
            fps=float(fps),
            local_rotmats=slerp(
                self.local_rotmats[low], self.local_rotmats[low + 1], weight[:, None]
            ),
            root_m=self.root_m[low] * (1 - weight[:, None])
            + self.root_m[low + 1] * weight[:, None],
            contacts=self.contacts[np.minimum(np.round(at).astype(int), len(self) - 1)],
        )

    def moved(self, turn_rad: float, by_m: tuple[float, float]) -> Motion:
        """Turned about the world's vertical, then shifted over the floor."""
        cos, sin = np.cos(turn_rad), np.sin(turn_rad)
        R = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
        rotmats = self.local_rotmats.copy()
        rotmats[:, 0] = R @ rotmats[:, 0]
        root = self.root_m @ R.T + np.array([*by_m, 0.0])
        return replace(self, local_rotmats=rotmats, root_m=root)
