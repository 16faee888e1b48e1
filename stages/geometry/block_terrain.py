"""The ground that people walk on: a flat floor at z = 0 and boxes standing on it.

Motions ask it for heights, scenes draw it and the ground truth stores its surface as a mesh.
World frame: z up, metres.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True)
class Block:
    """A box that stands upright on the floor, turned by `yaw_rad` about z.

    `half_length_m` is along the block's own x axis, `half_width_m` along its y axis.
    """

    centre_xy_m: tuple[float, float]
    half_length_m: float
    half_width_m: float
    top_m: float
    yaw_rad: float = 0.0
    bottom_m: float = 0.0

    def local_xy(self, xy_m: Float[np.ndarray, "*n 2"]) -> Float[np.ndarray, "*n 2"]:
        """World floor coordinates in the block's own axes."""
        offset = np.asarray(xy_m, np.float64) - np.asarray(self.centre_xy_m)
        cos, sin = np.cos(self.yaw_rad), np.sin(self.yaw_rad)
        x, y = offset[..., 0], offset[..., 1]
        return np.stack([cos * x + sin * y, cos * y - sin * x], axis=-1)

    def covers(self, xy_m: Float[np.ndarray, "*n 2"]) -> np.ndarray:
        """Whether floor points lie under the block's top (bool, shape of the points)."""
        local = np.abs(self.local_xy(xy_m))
        return (local[..., 0] <= self.half_length_m) & (local[..., 1] <= self.half_width_m)

    def corners(self) -> Float[np.ndarray, "8 3"]:
        """Corners in the world: bottom four counter-clockwise from above, then the top four."""
        local = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], np.float64)
        local = local * [self.half_length_m, self.half_width_m]
        cos, sin = np.cos(self.yaw_rad), np.sin(self.yaw_rad)
        xy = local @ np.array([[cos, sin], [-sin, cos]]) + np.asarray(self.centre_xy_m)
        bottom = np.column_stack([xy, np.full(4, self.bottom_m)])
        top = np.column_stack([xy, np.full(4, self.top_m)])
        return np.concatenate([bottom, top])


@dataclass(frozen=True)
class Terrain:
    """A floor at z = 0 with blocks on it.

    kind: `flat`, `jump_box`, `climb_box`, `stairs` or `two_people`. A path along the terrain starts
    at `start_xy_m` and heads along `heading_rad` (0 is +x); the blocks of `steps` are met in that
    order: the one box to jump or climb on, or the stairs from the lowest up. `objects` stand beside
    the path.
    """

    kind: str
    steps: tuple[Block, ...] = ()
    objects: tuple[Block, ...] = ()
    start_xy_m: tuple[float, float] = (0.0, 0.0)
    heading_rad: float = 0.0
    floor_half_m: float = 8.0
    floor_centre_xy_m: tuple[float, float] = field(default=(0.0, 0.0))

    @property
    def blocks(self) -> tuple[Block, ...]:
        return self.steps + self.objects

    def height_at(self, xy_m: Float[np.ndarray, "*n 2"]) -> Float[np.ndarray, "*n"]:
        """Height of the highest surface over floor points, metres."""
        xy = np.asarray(xy_m, np.float64)
        height = np.zeros(xy.shape[:-1])
        for block in self.blocks:
            height = np.where(block.covers(xy), np.maximum(height, block.top_m), height)
        return height
