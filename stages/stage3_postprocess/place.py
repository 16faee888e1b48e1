"""The point clouds of the place, from the frames' point maps and the people in them."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from stages.artifacts.world import FrameGroup, WorldFrameView
from stages.geometry.depth_maps import camera_depth
from stages.stage3_postprocess.clouds import Cloud, VoxelSum
from stages.stage3_postprocess.filtering import WINDOW_FRAMES, boxes_around, inside, trusted

LESS_MARGIN_PX = 20
MORE_MARGIN_PX = 10
LESS_VOXEL_M = 0.03
MOST_FRAMES = 40
"""Neighbouring frames see the same; so many, evenly spread, carry the cloud."""


@dataclass(frozen=True)
class Settings:
    """Thresholds of the filters; see the flags of stage3-postprocess."""

    gradient_thr: float
    conf_thr: float
    scale_bbox3d: float
    voxel_m: float


def clouds(
    world: FrameGroup,
    R_zup_stage2: Float32[np.ndarray, "3 3"],
    joints_by_frame: dict[str, Float32[np.ndarray, "J 3"]],
    settings: Settings,
) -> tuple[Cloud, Cloud]:
    """The less and the more filtered cloud in the z-up world.

    Less filtered: every trusted static pixel of the frames with people. More filtered: those that
    are also inside the box around the people of a frame at most five frames away; the mesh is
    made of them.

    Args:
        joints_by_frame: joints of all people in the z-up world, for the frames with people.
    """
    names = [name for name in world.names if name in joints_by_frame]
    joints = np.stack([_extremes(joints_by_frame[name]) for name in names])
    centres, halves = boxes_around(joints, settings.scale_bbox3d)
    less, more = VoxelSum(LESS_VOXEL_M), VoxelSum(settings.voxel_m)
    picked = np.unique(np.linspace(0, len(names) - 1, min(MOST_FRAMES, len(names))).round())
    for index in picked.astype(int):
        name = names[index]
        points, colours, near_people, camera = _static(world[name], R_zup_stage2, settings)
        less.add(points[~near_people], colours[~near_people], camera)
        window = slice(max(0, index - WINDOW_FRAMES), index + WINDOW_FRAMES + 1)
        near = inside(points, centres[window], halves[window])
        more.add(points[near], colours[near], camera)
    return less.cloud(), more.cloud(min_count=2)


def _extremes(joints: np.ndarray) -> np.ndarray:
    """Two opposite corners, so that frames with different numbers of people stack."""
    return np.stack([joints.min(0), joints.max(0)])


def _static(
    frame: WorldFrameView, R_zup_stage2: np.ndarray, settings: Settings
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Trusted points, their colours, whether they lie close to a person's mask, the camera."""
    points_stage2, T_world_camera = frame.points, frame.T_world_camera
    depth_m = camera_depth(points_stage2, T_world_camera)
    confidence, dynamic = frame.confidence, frame.dynamic
    keep, far = (
        trusted(depth_m, confidence, dynamic, settings.gradient_thr, settings.conf_thr, margin)
        for margin in (MORE_MARGIN_PX, LESS_MARGIN_PX)
    )
    points = points_stage2[keep] @ R_zup_stage2.T
    return points, frame.rgb[keep], ~far[keep], R_zup_stage2 @ T_world_camera[:3, 3]
