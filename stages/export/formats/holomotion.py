"""HoloMotion: arrays of its motion file specification, with metadata in JSON; x, y, z, w."""

import json
from pathlib import Path

import numpy as np

from stages.export.files import save_npz
from stages.export.motion import XYZW, Motion


def write(motion: Motion, folder: Path) -> None:
    """`<name>.npz`, joints and bodies in the URDF's order."""
    rows = len(motion.joint_pos)
    metadata = {
        "motion_key": motion.name,
        "motion_fps": motion.fps,
        "num_frames": rows,
        "num_dofs": len(motion.joint_names),
        "num_bodies": len(motion.body_names),
        "clip_length": rows,
        "valid_prefix_len": rows,
    }
    arrays = {
        "ref_dof_pos": motion.joint_pos,
        "ref_dof_vel": motion.joint_vel,
        "ref_global_translation": motion.body_pos,
        "ref_global_rotation_quat": motion.body_wxyz[..., XYZW],
        "ref_global_velocity": motion.body_lin_vel,
        "ref_global_angular_velocity": motion.body_ang_vel,
    }
    numbers = {name: values.astype(np.float32) for name, values in arrays.items()}
    save_npz(folder / f"{motion.name}.npz", {"metadata": np.array(json.dumps(metadata)), **numbers})
