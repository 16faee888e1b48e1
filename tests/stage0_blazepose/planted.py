"""A body whose pose is known, as BlazePose would see it."""

import numpy as np

from stages.body.joint_names import SMPL24_NAMES
from stages.body.model import DEMO_BODY, BodyModel, load_body
from stages.body.skeleton import posed_points, skeleton_of
from stages.geometry.rotations import matrix_from_rotvec
from stages.stage0_blazepose.correspondence import points_on, row
from stages.stage0_blazepose.observations import Observations

FPS = 30.0
DISTANCE_M = 4.0
FACING_CAMERA = matrix_from_rotvec(np.array([np.pi, 0.0, 0.0]))
"""From SMPL's axes, y up, to a camera's, y down."""


def body() -> BodyModel:
    return load_body(DEMO_BODY)


def turned(frames: int, yaw_rad: float = 0.6, **turns: np.ndarray | tuple) -> np.ndarray:
    """Local rotations (T, 24, 3, 3): rotation vectors of the named joints, the rest at rest."""
    rotvecs = np.zeros((frames, 24, 3))
    for side, sign in (("left", -1), ("right", 1)):
        rotvecs[:, SMPL24_NAMES.index(f"{side}_shoulder"), 2] = sign * 1.1
    for name, rotvec in turns.items():
        rotvecs[:, SMPL24_NAMES.index(name)] = rotvec
    rotmats = matrix_from_rotvec(rotvecs)
    yaw = matrix_from_rotvec(np.array([0.0, yaw_rad, 0.0]))
    rotmats[:, 0] = FACING_CAMERA @ yaw
    return rotmats


def sitting_down(frames: int) -> np.ndarray:
    """From standing to sitting."""
    bend = np.linspace(0, 1.5, frames)[:, None] * np.array([1.0, 0, 0])
    return turned(
        frames, left_hip=-bend, right_hip=-bend, left_knee=bend, right_knee=bend,
    )  # fmt: skip


def seen_as(rotmats: np.ndarray, betas: np.ndarray) -> Observations:
    """What a perfect network says."""
    model = body()
    skeleton = skeleton_of(model, betas, points_on(model))
    root = np.tile([0.0, 0.0, DISTANCE_M], (len(rotmats), 1))
    points = posed_points(rotmats, root, skeleton)
    hips = points[:, [row("left_hip"), row("right_hip")]].mean(axis=1, keepdims=True)
    return Observations(
        times_s=np.arange(len(rotmats)) / FPS,
        rays=points[..., :2] / points[..., 2:],
        visibility=np.ones(points.shape[:2]),
        R_camera_ray=np.tile(np.eye(3), (len(rotmats), 1, 1)),
        landmarks_m=points - hips,
    )


def joints_of(rotmats: np.ndarray, betas: np.ndarray) -> np.ndarray:
    """SMPL's joints from the pelvis, in the camera's axes."""
    skeleton = skeleton_of(body(), betas, list(range(24)))
    joints = posed_points(rotmats, np.zeros((len(rotmats), 3)), skeleton)
    return joints - joints[:, :1]
