"""Where a motion puts the soles of the robot's feet, and how fast they slide in contact."""

import numpy as np
from jaxtyping import Bool, Float

from stages.robot.limbs import sole_points_m
from stages.robot.model import Robot


def sole_trajectories(
    robot: Robot, R: Float[np.ndarray, "T L 3 3"], p: Float[np.ndarray, "T L 3"]
) -> Float[np.ndarray, "T 2 4 3"]:
    """World places of the sole points of the left and right foot: two at the heel, two in front."""
    feet = []
    for side in ("left", "right"):
        link = robot.link(f"{side}_ankle_roll_link")
        turned = np.einsum("tij,nj->tni", R[:, link], sole_points_m(robot, side))
        feet.append(p[:, link, None] + turned)
    return np.stack(feet, axis=1)


def foot_sliding_m_s(
    soles: Float[np.ndarray, "T 2 4 3"],
    contacts: Bool[np.ndarray, "T 2"],
    times_s: Float[np.ndarray, " T"],
) -> float:
    """Mean speed of the sole points between frames that are both in contact (m/s)."""
    both = contacts[1:] & contacts[:-1]
    if not both.any():
        return 0.0
    speed = np.linalg.norm(np.diff(soles, axis=0), axis=-1) / np.diff(times_s)[:, None, None]
    return float(speed.mean(axis=-1)[both].mean())
