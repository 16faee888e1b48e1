"""Arrays and tables into files that are whole or not there."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from stages.artifacts.atomic import replacing
from stages.export.motion import XYZW, Motion


def save_npz(path: Path, arrays: Mapping[str, np.ndarray]) -> Path:
    """Numbers and texts; nothing that NumPy would have to unpickle."""
    with replacing(path) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
    return path


def save_csv(path: Path, rows: Float[np.ndarray, "T D"], header: Sequence[str] = ()) -> Path:
    """Rows with nine decimals; a line of names first, where there are some."""
    with replacing(path) as temporary:
        np.savetxt(temporary, rows, fmt="%.9f", delimiter=",", header=",".join(header), comments="")
    return path


def copy(source: Path, path: Path) -> Path:
    """A file under another name."""
    with replacing(path) as temporary:
        shutil.copyfile(source, temporary)
    return path


def root_xyzw_and_joints(motion: Motion) -> Float[np.ndarray, "T 7+J"]:
    """Rows of tables of motions as Unitree has them: root's place, its x, y, z, w, joints."""
    root = [motion.body_pos[:, 0], motion.body_wxyz[:, 0][:, XYZW]]
    return np.concatenate([*root, motion.joint_pos], axis=1)


def tracking_arrays(
    motion: Motion, joints: Sequence[int], links: Sequence[int]
) -> dict[str, np.ndarray]:
    """Arrays of BeyondMimic's motions (whole_body_tracking, csv_to_npz.py) in an order of joints
    and bodies; quaternions are w, x, y, z.
    """
    return {
        "fps": np.array([motion.fps]),
        "joint_pos": motion.joint_pos[:, joints].astype(np.float32),
        "joint_vel": motion.joint_vel[:, joints].astype(np.float32),
        "body_pos_w": motion.body_pos[:, links].astype(np.float32),
        "body_quat_w": motion.body_wxyz[:, links].astype(np.float32),
        "body_lin_vel_w": motion.body_lin_vel[:, links].astype(np.float32),
        "body_ang_vel_w": motion.body_ang_vel[:, links].astype(np.float32),
    }
