"""Which joint of a person goes with which link of the G1, and which pairs form limbs.

The table and the tree are those of VideoMimic's retargeting, so that its weights keep meaning.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from stages.body.joint_names import smpl45_row
from stages.robot.model import Robot

# (SMPL joint, G1 link)
SMPL_TO_G1: tuple[tuple[str, str], ...] = (
    ("pelvis", "pelvis"),
    ("left_hip", "left_hip_roll_link"),
    ("right_hip", "right_hip_roll_link"),
    ("left_elbow", "left_elbow_link"),
    ("right_elbow", "right_elbow_link"),
    ("left_knee", "left_knee_link"),
    ("right_knee", "right_knee_link"),
    ("left_wrist", "left_rubber_hand"),
    ("right_wrist", "right_rubber_hand"),
    ("left_ankle", "left_ankle_pitch_link"),
    ("right_ankle", "right_ankle_pitch_link"),
    ("left_shoulder", "left_shoulder_roll_link"),
    ("right_shoulder", "right_shoulder_roll_link"),
    ("left_foot", "left_foot_link"),
    ("right_foot", "right_foot_link"),
)

# Limbs, left and right of each kind side by side: the kind's length ratio is shared by both.
LIMBS: tuple[tuple[tuple[str, str], tuple[str, str]], ...] = (
    (("pelvis", "left_hip"), ("pelvis", "right_hip")),
    (("pelvis", "left_shoulder"), ("pelvis", "right_shoulder")),
    (("left_hip", "left_knee"), ("right_hip", "right_knee")),
    (("left_knee", "left_ankle"), ("right_knee", "right_ankle")),
    (("left_ankle", "left_foot"), ("right_ankle", "right_foot")),
    (("left_shoulder", "left_elbow"), ("right_shoulder", "right_elbow")),
    (("left_elbow", "left_wrist"), ("right_elbow", "right_wrist")),
)

# SMPL's root axes (x left, y up, z forward) written in a robot's (x forward, y left, z up).
R_SMPL_ROBOT: Float[np.ndarray, "3 3"] = np.array(
    [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
)


@dataclass(frozen=True, eq=False)
class Correspondence:
    """The table as indices: N matched points, E limbs between them, K kinds of limb.

    `smpl` indexes SMPL-45 joints, `link` the robot's links, `limbs` pairs of matched points,
    `kind` the limb's kind (left and right share one).
    """

    smpl: Int[np.ndarray, " N"]
    link: Int[np.ndarray, " N"]
    limbs: Int[np.ndarray, "E 2"]
    kind: Int[np.ndarray, " E"]


def g1_correspondence(robot: Robot) -> Correspondence:
    """The G1's table. Raises KeyError when the robot lacks one of the links."""
    row = {name: i for i, (name, _) in enumerate(SMPL_TO_G1)}
    limbs = [(kind, limb) for kind, pair in enumerate(LIMBS) for limb in pair]
    return Correspondence(
        smpl=np.array([smpl45_row(name) for name, _ in SMPL_TO_G1], dtype=np.int32),
        link=np.array([robot.link(link) for _, link in SMPL_TO_G1], dtype=np.int32),
        limbs=np.array([(row[a], row[b]) for _, (a, b) in limbs], dtype=np.int32),
        kind=np.array([kind for kind, _ in limbs], dtype=np.int32),
    )


def root_rotation(
    R_world_smpl: Float[np.ndarray, "*batch 3 3"],
) -> Float[np.ndarray, "*batch 3 3"]:
    """The robot's root rotation that faces and stands as an SMPL root does."""
    return np.asarray(R_world_smpl) @ R_SMPL_ROBOT
