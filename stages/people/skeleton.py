"""Points of the body that measurements speak of: 18 keypoints and 4 points of the soles."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

from stages.body.joint_names import SMPL45_OF_COCO18
from stages.body.model import JOINT_COUNT, BodyModel
from stages.body.skeleton import Skeleton, skeleton_of
from stages.body.surface_parts import sole_parts

KEYPOINTS = 18
SOLES = 4  # left toes, left heel, right toes, right heel


@dataclass(frozen=True, eq=False)
class SkeletonBuilder:
    """Finds the skeleton and the points on it of a body model for any shape."""

    model: BodyModel

    @cached_property
    def _soles(self) -> list[np.ndarray]:
        """The vertices of each part of the soles; they are the mean body's."""
        feet = (self.model.left_foot_vertices, self.model.right_foot_vertices)
        return [part for foot in feet for part in sole_parts(self.model.v_template, foot)]

    def skeleton(self, betas: Float[np.ndarray, "10"]) -> Skeleton:
        """The skeleton of a shape; its points are the keypoints in order, then the soles."""
        keypoints = [
            row if row < JOINT_COUNT else self.model.extra_vertices[row - JOINT_COUNT, None]
            for row in SMPL45_OF_COCO18
        ]
        found = skeleton_of(self.model, betas, [*keypoints, *self._soles])
        # It is the lowest point of a part of the sole that touches the ground, not the mean one.
        y = self.model.v_template[:, 1] + self.model.shapedirs[:, 1] @ np.asarray(betas, np.float32)
        found.points[KEYPOINTS:, 1] = [y[part].min() for part in self._soles]
        return found
