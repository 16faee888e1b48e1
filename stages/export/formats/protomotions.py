"""ProtoMotions: a `.motion` file of PyTorch with its 33 bodies of the G1; x, y, z, w."""

from pathlib import Path

import numpy as np
from jaxtyping import Float

from stages.artifacts.atomic import replacing
from stages.export.motion import XYZW, Motion
from stages.geometry.rotations import matrix_from_wxyz

MORE_BODIES = {
    "head": ("pelvis", (0.0, 0.0, 0.4)),
    "left_rubber_hand": ("left_wrist_yaw_link", (0.12, 0.0, 0.0)),
    "right_rubber_hand": ("right_wrist_yaw_link", (0.12, 0.0, 0.0)),
}
"""Bodies of its MJCF of the G1 (g1_bm.xml) beside those of the joints, each fixed to one of these
at an offset in metres. A body comes right after the branch, depth first: the head after the pelvis,
a hand after its wrist.
"""
FEET = ("left_ankle_roll_link", "right_ankle_roll_link")


def write(motion: Motion, folder: Path) -> None:
    """`<name>.motion`."""
    # A second to import; no other format needs it.
    import torch

    names, source, offsets = body_list(motion.body_names)
    arms = np.einsum("tbij,bj->tbi", matrix_from_wxyz(motion.body_wxyz[:, source]), offsets)
    ang_vel = motion.body_ang_vel[:, source]
    contacts = np.zeros((len(arms), len(names)), bool)
    for foot, planted in zip(FEET, (motion.left_foot, motion.right_foot), strict=True):
        contacts[:, names.index(foot)] = planted
    position = motion.body_pos[:, source] + arms
    arrays = {
        "dof_pos": motion.joint_pos,
        "dof_vel": motion.joint_vel,
        "rigid_body_pos": position,
        "rigid_body_rot": motion.body_wxyz[:, source][..., XYZW],
        "rigid_body_vel": np.gradient(position, 1 / motion.fps, axis=0),
        "rigid_body_ang_vel": ang_vel,
    }
    tensors = {name: torch.tensor(values, dtype=torch.float32) for name, values in arrays.items()}
    whole = {
        "fps": motion.fps,
        **tensors,
        "rigid_body_contacts": torch.tensor(contacts),
        "state_conversion": "COMMON",
    }
    with replacing(folder / f"{motion.name}.motion") as temporary:
        torch.save(whole, temporary)


def body_list(names: list[str]) -> tuple[list[str], list[int], Float[np.ndarray, "B 3"]]:
    """Names of all bodies, which of the motion's bodies carries each, and where on it (m)."""
    listed, source, offsets = [], [], []
    for place, name in enumerate(names):
        listed.append(name)
        source.append(place)
        offsets.append((0.0, 0.0, 0.0))
        for more, (carrier, offset) in MORE_BODIES.items():
            if carrier == name:
                listed.append(more)
                source.append(place)
                offsets.append(offset)
    return listed, source, np.array(offsets)
