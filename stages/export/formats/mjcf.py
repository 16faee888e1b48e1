"""MuJoCo: the robot on the place, and the motion as keyframes."""

from pathlib import Path

import mujoco
import numpy as np

from stages.artifacts.atomic import write_text
from stages.export.files import copy
from stages.export.motion import Motion
from stages.export.scene import add_place
from stages.robot.model import g1_file
from stages.robot.urdf import read_urdf


def write(motion: Motion, folder: Path) -> None:
    """`<name>/scene.xml` and `<name>/place.obj`; a keyframe a row, named by its number."""
    into = folder / motion.name
    mesh = copy(motion.place, into / "place.obj")
    spec = robot_spec(motion.joint_names)
    spec.modelname = motion.name
    spec.compiler.meshdir, spec.modelfiledir = "", str(into)
    add_place(spec, mesh, mesh.name)
    qpos = np.concatenate([motion.body_pos[:, 0], motion.body_wxyz[:, 0], motion.joint_pos], axis=1)
    qvel = np.concatenate([motion.body_lin_vel[:, 0], root_spin(motion), motion.joint_vel], axis=1)
    for row in range(len(qpos)):
        spec.add_key(name=str(row), time=row / motion.fps, qpos=qpos[row], qvel=qvel[row])
    spec.compile()
    write_text(into / "scene.xml", spec.to_xml())


def robot_spec(joint_names: list[str]) -> mujoco.MjSpec:
    """The G1 of the URDF with a floating root, whose named joints turn and no others."""
    spec = mujoco.MjSpec.from_file(str(g1_file()))
    # Links that are fixed stay bodies of their own: formats and contacts name them.
    spec.compiler.fusestatic = False
    spec.compiler.discardvisual = False
    spec.worldbody.first_body().add_freejoint()
    for joint in read_urdf(g1_file()).joints:
        if joint.moves and joint.name not in joint_names:
            spec.delete(spec.joint(joint.name))
        if not joint.moves and joint.name in joint_names:
            spec.body(joint.child).add_joint(
                name=joint.name,
                type=mujoco.mjtJoint.mjJNT_HINGE,
                axis=joint.axis,
                range=[joint.lower, joint.upper],
            )
    return spec


def root_spin(motion: Motion) -> np.ndarray:
    """The root's turning in its own axes, as MuJoCo has it of a free joint (rad/s)."""
    w, xyz = motion.body_wxyz[:, 0, :1], motion.body_wxyz[:, 0, 1:]
    spin = motion.body_ang_vel[:, 0]
    # v' = v + 2 u x (u x v + w v), with the conjugate's u.
    return spin - 2 * np.cross(xyz, w * spin - np.cross(xyz, spin))
