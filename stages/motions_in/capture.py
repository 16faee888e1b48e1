"""A person as named joints in space, whatever it comes from."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True)
class Capture:
    """One person's joints in a z-up world, in metres."""

    fps: float
    joints: dict[str, Float[np.ndarray, "T 3"]]
    """By SMPL's names."""
    assumed: tuple[str, ...] = ()
    """What the file did not say, in words."""

    def __len__(self) -> int:
        return len(next(iter(self.joints.values())))


def at_rate(capture: Capture, fps: float) -> Capture:
    """The same motion with so many frames a second, between frames in straight lines."""
    times = np.arange(len(capture)) / capture.fps
    wanted = np.arange(int(times[-1] * fps + 1e-6) + 1) / fps
    joints = {
        name: np.stack([np.interp(wanted, times, column) for column in values.T], axis=1)
        for name, values in capture.joints.items()
    }
    return replace(capture, fps=fps, joints=joints)


def scaled(capture: Capture, scale: float) -> Capture:
    """The same motion of somebody so much larger, in a place as much larger."""
    return replace(capture, joints={k: v * scale for k, v in capture.joints.items()})
