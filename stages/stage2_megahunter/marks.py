"""Points of the body that measurements speak of: 18 keypoints and 4 points of the soles.

A mark is fixed to the skeleton by weights over the joints, as a skinned vertex is; a joint is a
mark that belongs to itself alone. Pose-dependent skin corrections (millimetres at feet) are left
out.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from stages.body.joint_names import SMPL45_OF_COCO18
from stages.body.model import BodyModel

KEYPOINTS = 18
JOINT_MARKS = 12  # of the keypoints: shoulders, elbows, wrists, hips, knees, ankles
SOLES = 4  # left toes, left heel, right toes, right heel
PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21)


def _ancestors() -> np.ndarray:
    """above[j, k] = 1 if joint k is j or lies between j and the root."""
    above = np.eye(len(PARENTS))
    for joint in range(1, len(PARENTS)):
        above[joint] += above[PARENTS[joint]]
    return above


def _climb() -> np.ndarray:
    """For each of four rounds the ancestor that each joint composes with; 24 for none."""
    up = np.array([24, *PARENTS[1:], 24])
    rounds = []
    for _ in range(4):
        rounds.append(up[:24].copy())
        up = np.append(up[up[:24]], 24)
    return np.array(rounds)


_ABOVE = _ancestors()
_CLIMB = _climb()
KEYPOINT_JOINTS = np.array(SMPL45_OF_COCO18[:JOINT_MARKS])
_SOLE_BAND_M = 0.02


class Skeleton(NamedTuple):
    """One person's skeleton in the rest pose, metres, model axes."""

    joints: Float[np.ndarray, "24 3"]
    vertices: Float[np.ndarray, "10 3"]  # 6 toe and heel keypoints, 4 sole points
    vertex_weights: Float[np.ndarray, "10 24"]
    depths: Float[np.ndarray, "18"]  # from the skin down to each keypoint


@dataclass(frozen=True, eq=False)
class MarkPicker:
    """Finds the marks of a body model for any shape."""

    model: BodyModel

    @cached_property
    def _groups(self) -> list[np.ndarray]:
        """The vertices of each skin mark; those of the soles are the mean body's."""
        picks = self.model.extra_vertices[np.array(SMPL45_OF_COCO18[JOINT_MARKS:]) - 24]
        groups = [np.array([pick]) for pick in picks]
        for foot in (self.model.left_foot_vertices, self.model.right_foot_vertices):
            groups += _sole_parts(self.model.v_template, foot)
        return groups

    def skeleton(self, betas: Float[np.ndarray, "10"]) -> Skeleton:
        """The skeleton of a shape."""
        model, betas = self.model, np.asarray(betas, np.float32)
        skin = model.v_template + model.shapedirs @ betas
        joints = model.joint_template + model.joint_directions @ betas
        marks = np.array([skin[g].mean(axis=0) for g in self._groups], np.float32)
        # It is the lowest point of a part of the sole that touches the ground, not the mean one.
        marks[-SOLES:, 1] = [skin[g, 1].min() for g in self._groups[-SOLES:]]
        depths = [np.linalg.norm(skin - joints[j], axis=1).min() for j in KEYPOINT_JOINTS]
        return Skeleton(
            joints.astype(np.float32),
            marks,
            np.array([model.weights[g].mean(axis=0) for g in self._groups], np.float32),
            np.array(depths + [0.0] * (KEYPOINTS - JOINT_MARKS), np.float32),
        )


def _sole_parts(skin: Float[np.ndarray, "V 3"], foot: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vertices under the ball of the foot and under the heel: the lowest of each half."""
    z = skin[foot, 2]
    middle = 0.5 * (z.min() + z.max())
    parts = []
    for half in (foot[z >= middle], foot[z < middle]):
        heights = skin[half, 1]
        parts.append(half[heights < heights.min() + 0.5 * _SOLE_BAND_M])
    return parts[0], parts[1]


class Marks(NamedTuple):
    """Where the marks are, world, metres."""

    keypoints: Float[Array, "18 3"]
    soles: Float[Array, "4 3"]


def place_marks(
    rotmats: Float[Array, "24 3 3"], root: Float[Array, "3"], skeleton: Skeleton
) -> Marks:
    """Marks of a pose; `rotmats[0]` takes the root to the world, `root` is the pelvis there."""
    return _place(rotmats, root, skeleton)[0]


def turned_marks(
    rotmats: Float[Array, "24 3 3"], root: Float[Array, "3"], skeleton: Skeleton
) -> Float[Array, "22 3 72"]:
    """Derivatives of all marks, soles last, by the turns (rad) of the joints in the axes of their
    parents; the root's in the world's.

    A turn about the unit axis w of joint k moves a point q on a limb below it by w x (q - p_k).
    """
    _, arms, R_world_parent = _place(rotmats, root, skeleton)
    x, y, z = jnp.swapaxes(R_world_parent, 0, 1).reshape(3, -1)
    a, b, c = jnp.repeat(jnp.moveaxis(arms, -1, 0), 3, axis=2)
    return jnp.stack([y * c - z * b, z * a - x * c, x * b - y * a], axis=1)


def _place(
    rotmats: Float[Array, "24 3 3"], root: Float[Array, "3"], skeleton: Skeleton
) -> tuple[Marks, Float[Array, "22 24 3"], Float[Array, "24 3 3"]]:
    """Marks, the lever arm of every mark on every joint, and the joints' parents' rotations."""
    R, p = joint_poses(rotmats, root, skeleton.joints)
    origin = p - jnp.einsum("jab,jb->ja", R, skeleton.joints)
    # Where each vertex would be if it belonged to one joint alone, times its weight there.
    w = skeleton.vertex_weights
    parts = w[..., None] * (jnp.einsum("jab,vb->vja", R, skeleton.vertices) + origin)
    vertices = parts.sum(axis=1)
    joints = p[KEYPOINT_JOINTS]
    feet = KEYPOINTS - JOINT_MARKS
    marks = Marks(jnp.concatenate([joints, vertices[:feet]]), vertices[feet:])
    above = jnp.asarray(_ABOVE, p.dtype)
    joint_arms = above[KEYPOINT_JOINTS][..., None] * (joints[:, None] - p)
    vertex_arms = jnp.einsum("vja,jk->vka", parts, above) - (w @ above)[..., None] * p
    arms = jnp.concatenate([joint_arms, vertex_arms])
    R_world_parent = jnp.concatenate([jnp.eye(3, dtype=R.dtype)[None], R[np.array(PARENTS[1:])]])
    return marks, arms, R_world_parent


def joint_poses(
    rotmats: Float[Array, "24 3 3"], root: Float[Array, "3"], joints: Float[Array, "24 3"]
) -> tuple[Float[Array, "24 3 3"], Float[Array, "24 3"]]:
    """Rotations to the world and positions of the joints.

    Pointer doubling: in each of four rounds every joint composes the transform up to some
    ancestor with that ancestor's own, which reaches the root from any depth up to 16. One small
    loop compiles several times faster than a level of the tree at a time.
    """
    bones = jnp.concatenate([root[None], joints[1:] - joints[np.array(PARENTS[1:])]])
    local = jnp.concatenate([rotmats, bones[..., None]], axis=-1)
    nothing = jnp.eye(3, 4, dtype=local.dtype)[None]

    def climb(transforms, ancestor):
        upper = jnp.concatenate([transforms, nothing])[ancestor]
        moved = upper[..., :3] @ transforms
        return moved.at[..., 3].add(upper[..., 3]), None

    transforms, _ = lax.scan(climb, local, jnp.asarray(_CLIMB))
    return transforms[..., :3], transforms[..., 3]
