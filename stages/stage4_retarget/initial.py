"""Where the solver starts: the robot upright where the person is, facing as they do."""

import numpy as np
from jaxtyping import Float

from stages.robot.correspondence import Correspondence, root_rotation
from stages.robot.model import Robot
from stages.robot.rest import link_poses_at_rest

# A rest pose: knees bent a little, feet level, arms down with the elbows half bent (rad).
REST_ANGLES = {
    "hip_pitch": -0.25,
    "knee": 0.5,
    "ankle_pitch": -0.25,
    "shoulder_pitch": 0.2,
    "elbow": 0.9,
}


def resting_joints(robot: Robot) -> Float[np.ndarray, " J"]:
    """The rest pose as joint angles (rad); joints that the table does not name are zero."""
    angles = np.zeros(len(robot.joint_names))
    for name, angle in REST_ANGLES.items():
        for side in ("left", "right"):
            angles[robot.joint(f"{side}_{name}_joint")] = angle
    return angles


def limb_ratios(
    table: Correspondence, robot: Robot, joints: Float[np.ndarray, "T 45 3"]
) -> Float[np.ndarray, " K"]:
    """Length of the person's limbs over the robot's, one for each kind of limb."""
    person = np.median(_lengths(joints[:, table.smpl], table), axis=0)
    machine = _lengths(link_poses_at_rest(robot)[1][None, table.link], table)[0]
    kinds = range(int(table.kind.max()) + 1)
    return np.array(
        [person[table.kind == kind].mean() / machine[table.kind == kind].mean() for kind in kinds]
    )


def body_scale(table: Correspondence, robot: Robot, joints: Float[np.ndarray, "T 45 3"]) -> float:
    """Size of the robot over the person's: the ratio of the total lengths of their limbs."""
    person = np.median(_lengths(joints[:, table.smpl], table), axis=0).sum()
    machine = _lengths(link_poses_at_rest(robot)[1][None, table.link], table).sum()
    return float(machine / person)


def _lengths(points: Float[np.ndarray, "T N 3"], table: Correspondence) -> np.ndarray:
    ends = points[:, table.limbs]
    return np.linalg.norm(ends[:, :, 1] - ends[:, :, 0], axis=-1)


def initial_root(
    joints: Float[np.ndarray, "T 45 3"], R_world_smpl: Float[np.ndarray, "T 3 3"], scale: float
) -> tuple[Float[np.ndarray, "T 3 3"], Float[np.ndarray, "T 3"]]:
    """Root rotation and position: over the person's feet, the pelvis lowered for shorter legs."""
    pelvis, feet = joints[:, 0].astype(float), joints[:, (10, 11)].astype(float)
    lowest = feet[..., 2].min(axis=1)
    p = pelvis.copy()
    p[:, 2] = lowest + scale * (pelvis[:, 2] - lowest)
    return root_rotation(R_world_smpl.astype(float)), p
