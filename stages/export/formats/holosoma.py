"""holosoma 0.0.3: arrays with names, the root among the joints, and the place as an OBJ."""

from pathlib import Path

import numpy as np

from stages.export.files import copy, save_npz
from stages.export.motion import Motion

WORLD = "world"
"""MuJoCo's body 0, which holosoma's files have; it never moves."""


def write(motion: Motion, folder: Path) -> None:
    """`<name>.npz`, quaternions w, x, y, z, joints and bodies in MuJoCo's order; `<name>.obj`."""
    rows = len(motion.joint_pos)
    still = np.zeros((rows, 1, 3))
    upright = np.tile([1.0, 0, 0, 0], (rows, 1, 1))
    root = [motion.body_pos[:, 0], motion.body_wxyz[:, 0]]
    root_vel = [motion.body_lin_vel[:, 0], motion.body_ang_vel[:, 0]]
    arrays = {
        "joint_pos": np.concatenate([*root, motion.joint_pos], axis=1),
        "joint_vel": np.concatenate([*root_vel, motion.joint_vel], axis=1),
        "body_pos_w": np.concatenate([still, motion.body_pos], axis=1),
        "body_quat_w": np.concatenate([upright, motion.body_wxyz], axis=1),
        "body_lin_vel_w": np.concatenate([still, motion.body_lin_vel], axis=1),
        "body_ang_vel_w": np.concatenate([still, motion.body_ang_vel], axis=1),
    }
    named = {
        "fps": np.array([motion.fps]),
        "joint_names": np.array(motion.joint_names),
        "body_names": np.array([WORLD, *motion.body_names]),
    }
    numbers = {name: values.astype(np.float32) for name, values in arrays.items()}
    save_npz(folder / f"{motion.name}.npz", {**named, **numbers})
    copy(motion.place, folder / f"{motion.name}.obj")
