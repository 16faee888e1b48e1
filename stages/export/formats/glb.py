"""glTF for Blender and browsers: the place, the robot and the person, moving."""

from pathlib import Path

import numpy as np

from stages.artifacts.atomic import replacing
from stages.artifacts.clock import frame_number
from stages.artifacts.meshes import read_mesh
from stages.artifacts.people_and_world import (
    BODY_UNKNOWN,
    MEGAHUNTER_FILE,
    PersonMotion,
    opened_people_and_world,
)
from stages.body.joint_names import SMPL24_NAMES
from stages.body.model import BodyModel, load_body
from stages.body.skin import forward_kinematics
from stages.drawing.shapes import capsules
from stages.export.gltf import Gltf
from stages.export.motion import XYZW, Motion, without_jumps
from stages.geometry.rotations import wxyz_from_matrix

PLACE_RGB, ROBOT_RGB, PERSON_RGB = (0.62, 0.6, 0.57), (0.3, 0.34, 0.4), (0.85, 0.55, 0.4)
BONES_OF_A_VERTEX = 4
"""glTF's; of the other bones that move it, none has more."""


def write(motion: Motion, folder: Path) -> None:
    """`<name>.glb`; the robot as its collision capsules, the person without what a pose changes of
    the shape.
    """
    file = Gltf()
    vertices, faces = read_mesh(motion.place)
    if len(faces):
        file.add_node("place", mesh=file.add_mesh(vertices, faces, PLACE_RGB))
    times = file.add_array((np.arange(len(motion.joint_pos)) / motion.fps).astype(np.float32))
    _add_robot(file, motion, times)
    person = _person_of(motion)
    if person is not None and person.frames:
        _add_person(file, motion, person, load_body(motion.body_model))
    with replacing(folder / f"{motion.name}.glb") as temporary:
        temporary.write_bytes(file.to_bytes())


def _add_robot(file: Gltf, motion: Motion, times: int) -> None:
    robot = motion.g1.robot
    shapes, link = robot.capsules, robot.capsules.link
    start, end = (
        robot.link_p[link] + np.einsum("nij,nj->ni", robot.link_R[link], ends)
        for ends in (shapes.start, shapes.end)
    )
    for body, name in enumerate(motion.body_names):
        own = robot.link_body[link] == body
        more = {}
        if own.any():
            mesh = file.add_mesh(*capsules(start[own], end[own], shapes.radius[own]), ROBOT_RGB)
            more = {"mesh": mesh}
        node = file.add_node(f"robot/{name}", **more)
        file.animate(times, node, motion.body_pos[:, body], motion.body_wxyz[:, body][:, XYZW])


def _person_of(motion: Motion) -> PersonMotion | None:
    """Whom the robot follows, as stage 3 has them; None where no body is known."""
    path = motion.place.parent / MEGAHUNTER_FILE
    if not path.exists():
        return None
    with opened_people_and_world(path) as found:
        if found.metadata.get(BODY_UNKNOWN, False):
            return None
        person = motion.source.metadata.get("person", next(iter(found.people), 0))
        return found.people.get(int(person))


def _add_person(file: Gltf, motion: Motion, person: PersonMotion, body: BodyModel) -> None:
    betas = np.asarray(person.betas.mean(axis=0), np.float64)
    rest = body.rest_joints(betas)
    local = np.concatenate([person.R_world_root[:, None], person.body_pose], axis=1)
    R, p = forward_kinematics(local, rest, person.root_transl)
    numbers = np.array([frame_number(name) for name in person.frames])
    own_fps = motion.source.fps
    shown = np.interp(numbers, motion.source.frame_numbers, np.arange(len(motion.source.joints)))
    inside = (numbers >= motion.source.frame_numbers[0]) & (
        numbers <= motion.source.frame_numbers[-1]
    )
    if not inside.any():
        return
    times = file.add_array((shown[inside] / own_fps).astype(np.float32))
    wxyz = without_jumps(wxyz_from_matrix(R[inside]))
    joints = []
    for joint, name in enumerate(SMPL24_NAMES):
        node = file.add_node(f"person/{name}")
        file.animate(times, node, p[inside, joint], wxyz[:, joint][:, XYZW])
        joints.append(node)
    inverse = np.tile(np.eye(4), (len(rest), 1, 1))
    inverse[:, :3, 3] = -rest
    skin = file.add_skin(joints, inverse)
    chosen = np.argsort(-body.weights, axis=1)[:, :BONES_OF_A_VERTEX]
    weights = np.take_along_axis(np.asarray(body.weights), chosen, axis=1)
    mesh = file.add_mesh(
        body.v_template + body.shapedirs @ betas,
        body.faces,
        PERSON_RGB,
        JOINTS_0=chosen.astype(np.uint8),
        WEIGHTS_0=(weights / weights.sum(axis=1, keepdims=True)).astype(np.float32),
    )
    file.add_node("person", mesh=mesh, skin=skin)
