"""Points of the body that measurements speak of: 18 keypoints and 4 points of the soles.

A mark is fixed to the skeleton by weights over the joints, as a skinned vertex is; a joint is a
mark that belongs to itself alone. Pose-dependent skin corrections (millimetres at feet) are left
out.
"""

from dataclasses import dataclass
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from stages.body import BodyModel, forward_kinematics
from stages.body.joint_names import SMPL45_OF_COCO18

KEYPOINTS = 18
JOINT_MARKS = 12  # of the keypoints: shoulders, elbows, wrists, hips, knees, ankles
SOLES = 4  # left toes, left heel, right toes, right heel
PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21)

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

    def skeleton(self, betas: Float[np.ndarray, "10"]) -> Skeleton:
        """The skeleton of a shape."""
        model = self.model
        skin = model.v_template + model.shapedirs @ np.asarray(betas, np.float32)
        joints = model.joint_template + model.joint_directions @ np.asarray(betas, np.float32)
        picks = model.extra_vertices[np.array(SMPL45_OF_COCO18[JOINT_MARKS:]) - 24]
        vertices, weights = list(skin[picks]), list(model.weights[picks])
        for foot in (model.left_foot_vertices, model.right_foot_vertices):
            for part in _sole_parts(skin, foot):
                vertices.append(skin[part].mean(axis=0))
                weights.append(model.weights[part].mean(axis=0))
        depths = np.zeros(KEYPOINTS, np.float32)
        for mark, joint in enumerate(KEYPOINT_JOINTS):
            depths[mark] = np.linalg.norm(skin - joints[joint], axis=1).min()
        return Skeleton(
            joints.astype(np.float32),
            np.array(vertices, np.float32),
            np.array(weights, np.float32),
            depths,
        )


def _sole_parts(
    skin: Float[np.ndarray, "V 3"], foot: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Vertices under the ball of the foot and under the heel: the lowest of each half."""
    y, z = skin[foot, 1], skin[foot, 2]
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
    R, p = forward_kinematics(rotmats, skeleton.joints, PARENTS)
    p = p + (root - skeleton.joints[0])
    origin = p - jnp.einsum("jab,jb->ja", R, skeleton.joints)
    blended = jnp.einsum("vj,jab->vab", skeleton.vertex_weights, R)
    vertices = jnp.einsum("vab,vb->va", blended, skeleton.vertices)
    vertices = vertices + skeleton.vertex_weights @ origin
    keypoints = jnp.concatenate([p[KEYPOINT_JOINTS], vertices[: KEYPOINTS - JOINT_MARKS]])
    return Marks(keypoints, vertices[KEYPOINTS - JOINT_MARKS :])
