"""SONIC (GR00T-WholeBodyControl): a folder of tables a motion, in IsaacLab's order, w, x, y, z."""

from pathlib import Path

import numpy as np

from stages.artifacts.atomic import write_text
from stages.export.files import save_csv
from stages.export.motion import Motion
from stages.export.robots import breadth_first

BODY_PARTS = [0, 4, 10, 18, 5, 11, 19, 9, 16, 22, 28, 17, 23, 29]
"""The bodies that its tables hold, by their place in IsaacLab's order of 30."""


def write(motion: Motion, folder: Path) -> None:
    """`<name>/joint_pos.csv` and six more."""
    joints = breadth_first(motion.g1.robot)
    links = np.array([0, *(joints + 1)])[BODY_PARTS]
    into, rows = folder / motion.name, len(motion.joint_pos)
    for name, prefix, values in [
        ("joint_pos", "joint", motion.joint_pos[:, joints]),
        ("joint_vel", "joint_vel", motion.joint_vel[:, joints]),
    ]:
        save_csv(into / f"{name}.csv", values, [f"{prefix}_{i}" for i in range(len(joints))])
    for name, suffix, axes, values in [
        ("body_pos", "", "xyz", motion.body_pos),
        ("body_quat", "", "wxyz", motion.body_wxyz),
        ("body_lin_vel", "vel_", "xyz", motion.body_lin_vel),
        ("body_ang_vel", "angvel_", "xyz", motion.body_ang_vel),
    ]:
        header = [f"body_{i}_{suffix}{axis}" for i in range(len(links)) for axis in axes]
        save_csv(into / f"{name}.csv", values[:, links].reshape(rows, -1), header)
    parts = " ".join(map(str, BODY_PARTS))
    write_text(
        into / "metadata.txt",
        f"Metadata for: {motion.name}\n{'=' * 30}\n\nBody part indexes:\n[{parts}]\n\n"
        f"Total timesteps: {rows}\n",
    )
