"""The G1's proportions, as targets for fitting a person's shape to the robot."""

import numpy as np
from jaxtyping import Float

from stages.robot.correspondence import SMPL_TO_G1, g1_correspondence
from stages.robot.model import Robot
from stages.robot.rest import link_poses_at_rest


def limb_lengths_m(robot: Robot) -> dict[tuple[str, str], float]:
    """Length of each limb of the G1, by the names of the SMPL joints at its ends (metres).

    Both sides are present. Lengths do not depend on the pose except where a limb spans several
    joints (pelvis to hip, pelvis to shoulder, ankle to foot); those are taken at zero.
    """
    table = g1_correspondence(robot)
    points = link_poses_at_rest(robot)[1][table.link]
    names = [name for name, _ in SMPL_TO_G1]
    return {
        (names[a], names[b]): float(np.linalg.norm(points[b] - points[a])) for a, b in table.limbs
    }


def standing_height_m(robot: Robot) -> float:
    """From the lowest to the highest collision shape at zero (metres)."""
    R, p = link_poses_at_rest(robot)
    capsules = robot.capsules
    ends = np.concatenate([capsules.start, capsules.end])
    links = np.concatenate([capsules.link, capsules.link])
    radius = np.concatenate([capsules.radius, capsules.radius])
    z = (p[links] + np.einsum("nij,nj->ni", R[links], ends))[:, 2]
    return float((z + radius).max() - (z - radius).min())


def sole_points_m(robot: Robot, side: str) -> Float[np.ndarray, "4 3"]:
    """Lowest points of one foot's sole in its ankle roll link (metres).

    Two at the heel, then two at the toes: the contact spheres of the description, lowered by
    their radius. `side` is "left" or "right".

    Raises:
        ValueError: the ankle roll link does not carry four spheres.
    """
    link = robot.link(f"{side}_ankle_roll_link")
    capsules = robot.capsules
    spheres = (capsules.link == link) & (capsules.start == capsules.end).all(axis=1)
    if spheres.sum() != 4:
        raise ValueError(f"{robot.name}: {side}_ankle_roll_link has {spheres.sum()} spheres, not 4")
    points = capsules.start[spheres] - capsules.radius[spheres, None] * np.array([0.0, 0.0, 1.0])
    return points[np.argsort(points[:, 0], kind="stable")]
