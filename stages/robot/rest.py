"""Forward kinematics in NumPy, for set-up, checks and files; `kinematics` is its JAX twin."""

import numpy as np
from jaxtyping import Float

from stages.robot.model import Robot

LinkArrays = tuple[Float[np.ndarray, "L 3 3"], Float[np.ndarray, "L 3"]]


def link_poses_at_rest(robot: Robot) -> LinkArrays:
    """Rotations and positions of all links in the root link's frame, all joints at zero."""
    R, p = link_trajectories(
        robot, np.eye(3)[None], np.zeros((1, 3)), np.zeros((1, len(robot.joint_names)))
    )
    return R[0], p[0]


def link_trajectories(
    robot: Robot,
    R_world_root: Float[np.ndarray, "T 3 3"],
    p_world_root: Float[np.ndarray, "T 3"],
    joints: Float[np.ndarray, "T J"],
) -> tuple[Float[np.ndarray, "T L 3 3"], Float[np.ndarray, "T L 3"]]:
    """World rotations and positions (m) of all links, frame by frame, in float64."""
    R = [np.asarray(R_world_root, np.float64)]
    p = [np.asarray(p_world_root, np.float64)]
    for j, parent in enumerate(robot.joint_parent):
        p.append(p[parent] + R[parent] @ robot.joint_p[j])
        R.append(R[parent] @ robot.joint_R[j] @ _turns(robot.joint_axis[j], joints[:, j]))
    bodies_R, bodies_p = np.stack(R, axis=1), np.stack(p, axis=1)
    R_link = bodies_R[:, robot.link_body] @ robot.link_R
    offset = np.einsum("tlij,lj->tli", bodies_R[:, robot.link_body], robot.link_p)
    return R_link, bodies_p[:, robot.link_body] + offset


def _turns(axis: np.ndarray, angle: np.ndarray) -> np.ndarray:
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    s, c = np.sin(angle)[:, None, None], np.cos(angle)[:, None, None]
    return c * np.eye(3) + (1 - c) * np.outer(axis, axis) + s * cross
