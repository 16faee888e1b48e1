"""Meshes of what has none of its own: capsules, paths, skeletons, robots; and of people."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from stages.artifacts.people_and_world import PersonMotion
from stages.body.model import BodyModel
from stages.body.skin import posed_vertices
from stages.robot.model import Robot

AROUND, ALONG = 16, 5
"""Vertices of a capsule: around it, and from the rim to the pole of each half ball."""

Mesh = tuple[Float[np.ndarray, "V 3"], Int[np.ndarray, "F 3"]]


def capsules(
    start: Float[np.ndarray, "C 3"],
    end: Float[np.ndarray, "C 3"],
    radius: Float[np.ndarray, " C"],
) -> Mesh:
    """Cylinders with round ends from `start` to `end`; balls where these are the same place."""
    along = end - start
    length = np.linalg.norm(along, axis=1, keepdims=True)
    z = np.where(length > 1e-9, along / np.maximum(length, 1e-9), [[0.0, 0.0, 1.0]])
    x = np.cross(z, np.where(abs(z[:, :1]) < 0.7, [[1.0, 0.0, 0.0]], [[0.0, 1.0, 0.0]]))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    axes = np.stack([x, np.cross(z, x), z], axis=1)
    ball, faces, upper = _ball()
    vertices = radius[:, None, None] * (ball @ axes)
    vertices += np.where(upper[None, :, None], end[:, None], start[:, None])
    shifts = len(ball) * np.arange(len(start))[:, None, None]
    return vertices.reshape(-1, 3), (faces + shifts).reshape(-1, 3)


def _ball() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rings of a unit ball, two at its equator; triangles; which vertices are the upper half's."""
    climb = np.linspace(0, np.pi / 2, ALONG)
    climb = np.concatenate([-climb[::-1], climb])
    turn = 2 * np.pi * np.arange(AROUND) / AROUND
    rings = np.stack(
        [
            np.outer(np.cos(climb), np.cos(turn)),
            np.outer(np.cos(climb), np.sin(turn)),
            np.outer(np.sin(climb), np.ones(AROUND)),
        ],
        axis=-1,
    )
    index = np.arange(rings[..., 0].size).reshape(len(climb), AROUND)
    a, b = index[:-1].ravel(), np.roll(index, -1, axis=1)[:-1].ravel()
    c, d = index[1:].ravel(), np.roll(index, -1, axis=1)[1:].ravel()
    faces = np.concatenate([np.column_stack([a, b, d]), np.column_stack([a, d, c])])
    return rings.reshape(-1, 3), faces, np.repeat(np.arange(len(climb)) >= ALONG, AROUND)


def path(points: Float[np.ndarray, "T 3"], radius_m: float = 0.02) -> Mesh:
    """A tube through places in their order."""
    return capsules(points[:-1], points[1:], np.full(max(len(points) - 1, 0), radius_m))


def skeleton(
    joints: Float[np.ndarray, "J 3"], parents: Sequence[int], radius_m: float = 0.025
) -> Mesh:
    """Bones from every joint to its parent; a joint whose parent is below 0 has none."""
    child = np.flatnonzero(np.asarray(parents) >= 0)
    start = joints[np.asarray(parents)[child]]
    return capsules(start, joints[child], np.full(len(child), radius_m))


def robot_capsules(
    robot: Robot, R_world_link: Float[np.ndarray, "L 3 3"], p_world_link: Float[np.ndarray, "L 3"]
) -> Mesh:
    """The robot's collision capsules, its links in URDF order."""
    link = robot.capsules.link
    start, end = (
        p_world_link[link] + np.einsum("nij,nj->ni", R_world_link[link], ends)
        for ends in (robot.capsules.start, robot.capsules.end)
    )
    return capsules(start, end, robot.capsules.radius)


def person(body: BodyModel, motion: PersonMotion, row: int) -> Mesh:
    """The skin of a person in one of their frames."""
    rotmats = np.concatenate([motion.R_world_root[row][None], motion.body_pose[row]])
    return posed_vertices(body, motion.betas[row], rotmats, motion.root_transl[row]), body.faces
