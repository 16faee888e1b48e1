"""Points of the body that measurements speak of: 18 keypoints, 4 points of the soles, and, where
anything but feet touches the world, the middle of each part that may."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

from stages.body.joint_names import SMPL45_OF_COCO18
from stages.body.model import JOINT_COUNT, BodyModel
from stages.body.skeleton import Skeleton, skeleton_of
from stages.body.surface_parts import sole_parts
from stages.people.contact_parts import contact_parts

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

    @cached_property
    def _parts(self) -> list[np.ndarray]:
        return contact_parts(self.model)

    def skeleton(self, betas: Float[np.ndarray, "10"], with_parts: bool = False) -> Skeleton:
        """The skeleton of a shape; its points are the keypoints in order, then the soles, then,
        if asked for, the parts of `contact_parts`.
        """
        keypoints = [
            row if row < JOINT_COUNT else self.model.extra_vertices[row - JOINT_COUNT, None]
            for row in SMPL45_OF_COCO18
        ]
        parts = self._parts if with_parts else []
        found = skeleton_of(self.model, betas, [*keypoints, *self._soles, *parts])
        # It is the lowest point of a part of the sole that touches the ground, not the mean one.
        y = self.model.v_template[:, 1] + self.model.shapedirs[:, 1] @ np.asarray(betas, np.float32)
        soles = slice(KEYPOINTS, KEYPOINTS + SOLES)
        found.points[soles, 1] = [y[part].min() for part in self._soles]
        return found
