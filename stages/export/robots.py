"""The G1's that trainers have: which joints turn, where they lie, and in which order they go.

Two robots are called the one of 23 joints: this project's and the original's, whose wrists are
fixed, and Unitree's, which has one joint in its waist and one in each wrist. And there are two
revisions of the waist: trainers have Unitree's revision 1.0, this project's file the one before.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Int

from stages.robot.model import Robot, g1_file, robot_from_urdf
from stages.robot.urdf import Urdf, UrdfJoint, read_urdf

_SIDES = ("left", "right")
_WRISTS = {f"{side}_wrist_{axis}_joint" for side in _SIDES for axis in ("roll", "pitch", "yaw")}
_WRIST_ROLLS = {f"{side}_wrist_roll_joint" for side in _SIDES}
_WAIST_BENDS = {"waist_roll_joint", "waist_pitch_joint"}

ROBOTS: dict[str, Callable[[UrdfJoint], bool]] = {
    "29": lambda joint: joint.moves or joint.name in _WRISTS,
    "23": lambda joint: joint.moves,
    "unitree23": lambda joint: (
        (joint.moves and joint.name not in _WAIST_BENDS) or joint.name in _WRIST_ROLLS
    ),
}
"""Which joints of the file turn, by the name for `--robot`."""

_BODIES_OF_UNITREE_23 = {
    "waist_yaw_link": ("torso_link", "torso_link"),
    **{
        f"{side}_wrist_roll_link": (f"{side}_wrist_roll_link", f"{side}_wrist_roll_rubber_hand")
        for side in _SIDES
    },
}
"""Where its bodies are not what the joints carry at first: the link, and its name there."""

_REVISION_1_0_Z_M = {"waist_roll_joint": 0.044, "waist_pitch_joint": 0.0}
"""Heights of the joints' frames in their parents': the waist rolls 9 mm higher, and the torso's
frame is 1 cm lower, so that all that is fixed to it lies 1 cm higher in it (Unitree's g1_29dof and
g1_23dof of revision 1.0).
"""
_TORSO_LOWERED_M = 0.01


@dataclass(frozen=True)
class G1:
    """One of the G1's, and the links that its bodies are: the root, then what each joint carries.

    The order is that of the file, which MuJoCo has too: depth first.
    """

    robot: Robot
    body_links: list[int]
    body_names: list[str]


def g1(name: str, revision_1_0: bool = True) -> G1:
    """The G1 whose joints are the named ones of `ROBOTS`; the others stay at zero."""
    urdf = read_urdf(g1_file())
    joints = tuple(replace(joint, moves=ROBOTS[name](joint)) for joint in urdf.joints)
    urdf = replace(urdf, joints=joints)
    robot = robot_from_urdf(_revised(urdf) if revision_1_0 else urdf, str(g1_file()))
    links, names = [], []
    for body in range(len(robot.joint_names) + 1):
        carried = robot.link_names[int(np.flatnonzero(robot.link_body == body)[0])]
        others = _BODIES_OF_UNITREE_23 if name == "unitree23" else {}
        link, called = others.get(carried, (carried, carried))
        links.append(robot.link(link))
        names.append(called)
    return G1(robot, links, names)


def _revised(urdf: Urdf) -> Urdf:
    joints = []
    for joint in urdf.joints:
        p = joint.p.copy()
        p[2] = _REVISION_1_0_Z_M.get(joint.name, p[2])
        if joint.parent == "torso_link":
            p[2] += _TORSO_LOWERED_M
        joints.append(replace(joint, p=p))
    return replace(urdf, joints=tuple(joints))


def breadth_first(robot: Robot) -> Int[np.ndarray, " J"]:
    """IsaacLab's order of the joints: all that hang on the root first, then those on these.

    Places in the robot's own order; body j + 1 is what joint j carries, so that 1 + these, after
    0 for the root, is the order of the bodies.
    """
    depth = np.zeros(len(robot.joint_names) + 1, int)
    for joint, parent in enumerate(robot.joint_parent):
        depth[joint + 1] = depth[parent] + 1
    return np.argsort(depth[1:], kind="stable")
