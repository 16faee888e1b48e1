"""Rays against triangle meshes, by Embree."""

from typing import NamedTuple

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from jaxtyping import Bool, Float, Int


class Hits(NamedTuple):
    """What each ray meets first."""

    distance: Float[np.ndarray, " N"]
    """In lengths of the ray's direction; infinite where there is nothing."""
    triangle: Int[np.ndarray, " N"]
    """-1 where there is nothing."""
    weights: Float[np.ndarray, "N 3"]
    """Of the triangle's corners in the place that is met (barycentric coordinates)."""


class RayCaster:
    """A triangle mesh to shoot rays at; may be empty.

    Embree computes in single precision. Places are taken from the middle of the mesh, so that far
    from the world's origin they are as exact as near it: within a micrometre over some metres.
    """

    def __init__(self, vertices: Float[np.ndarray, "V 3"], faces: Int[np.ndarray, "F 3"]) -> None:
        self._scene = None
        if len(faces) > 0:
            # Robust: no ray slips through between two triangles.
            self._scene = EmbreeScene(robust=True)
            self._middle = (vertices.min(0) + vertices.max(0)) / 2
            TriangleMesh(self._scene, self._local(vertices), faces.astype(np.int32))

    def first_hits(
        self, origins: Float[np.ndarray, "N 3"], directions: Float[np.ndarray, "N 3"]
    ) -> Hits:
        """The nearest triangle that each ray meets, from either side."""
        if self._scene is None or len(origins) == 0:
            count = len(origins)
            return Hits(np.full(count, np.inf), np.full(count, -1), np.zeros((count, 3)))
        found = self._scene.run(
            self._local(origins), np.ascontiguousarray(directions, np.float32), output=True
        )
        triangle, u, v = found["primID"], found["u"], found["v"]
        distance = np.where(triangle < 0, np.inf, found["tfar"].astype(np.float64))
        return Hits(distance, triangle, np.column_stack([1 - u - v, u, v]))

    def hits_anything(
        self, origins: Float[np.ndarray, "N 3"], directions: Float[np.ndarray, "N 3"]
    ) -> Bool[np.ndarray, " N"]:
        """Whether each ray meets the mesh at all; faster than what it meets."""
        if self._scene is None or len(origins) == 0:
            return np.zeros(len(origins), bool)
        directions = np.ascontiguousarray(directions, np.float32)
        return self._scene.run(self._local(origins), directions, query="OCCLUDED") >= 0

    def _local(self, places: Float[np.ndarray, "N 3"]) -> Float[np.ndarray, "N 3"]:
        return np.ascontiguousarray(places - self._middle, np.float32)
