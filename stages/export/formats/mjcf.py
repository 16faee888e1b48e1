"""MuJoCo: the robot on the place, and the motion as keyframes."""

from pathlib import Path
from typing import Any

import mujoco
import numpy as np

from stages.artifacts.atomic import write_text
from stages.export.files import copy
from stages.export.motion import Motion
from stages.export.physics import tried
from stages.export.scene import add_place
from stages.robot.model import g1_file
from stages.robot.urdf import read_urdf

MESH_NAME = "place.obj"


def write(motion: Motion, folder: Path) -> dict[str, Any]:
    """`<name>/scene.xml` and `<name>/place.obj`; a keyframe a row, named by its number.

    Returns:
        what physics says of it.
    """
    into = folder / motion.name
    copy(motion.place, into / MESH_NAME)
    spec = scene_spec(motion, into)
    spec.compile()
    write_text(into / "scene.xml", spec.to_xml())
    return {"physics": tried(motion, spec)}


def scene_spec(motion: Motion, folder: Path) -> mujoco.MjSpec:
    """The scene of a motion, whose mesh lies in a folder."""
    spec = robot_spec(motion.joint_names)
    spec.modelname, spec.compiler.meshdir, spec.modelfiledir = motion.name, "", str(folder)
    add_place(spec, folder / MESH_NAME, MESH_NAME)
    qvel = np.concatenate([motion.body_lin_vel[:, 0], motion.root_spin, motion.joint_vel], axis=1)
    for row, qpos in enumerate(motion.qpos):
        spec.add_key(name=str(row), time=row / motion.fps, qpos=qpos, qvel=qvel[row])
    return spec


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
