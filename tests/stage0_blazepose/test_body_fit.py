"""SMPL's pose and shape from landmarks: planted poses come back."""

import numpy as np
import pytest

from stages.body.joint_names import SMPL24_NAMES
from stages.body.shape_fitting import stature_m
from stages.body.skeleton import posed_points, skeleton_of
from stages.geometry.rotations import rotvec_from_matrix
from stages.stage0_blazepose.body_fit import fit_body
from stages.stage0_blazepose.correspondence import points_on, row
from stages.stage0_blazepose.first_pose import first_pose
from tests.stage0_blazepose.planted import body, joints_of, seen_as, sitting_down, turned

BETAS = np.zeros(10)


def error_m(rotmats: np.ndarray, truth: np.ndarray, betas: np.ndarray = BETAS) -> float:
    """Mean error of the joints, pelvis in place."""
    apart = joints_of(rotmats, betas) - joints_of(truth, BETAS)
    return float(np.linalg.norm(apart, axis=-1).mean())


def test_bones_of_the_first_pose_point_where_they_are_seen():
    truth = sitting_down(10)
    seen, model = seen_as(truth, BETAS), body()
    skeleton = skeleton_of(model, BETAS, points_on(model))
    found = posed_points(first_pose(seen.landmarks_m, skeleton), np.zeros((10, 3)), skeleton)
    for side in ("left", "right"):
        for start, end in (("hip", "knee"), ("knee", "ankle"), ("elbow", "wrist")):
            rows = [row(f"{side}_{start}"), row(f"{side}_{end}")]
            bones = [
                points[:, rows[1]] - points[:, rows[0]] for points in (found, seen.landmarks_m)
            ]
            cosine = (bones[0] * bones[1]).sum(-1) / np.prod(
                [np.linalg.norm(bone, axis=-1) for bone in bones], axis=0
            )
            assert cosine.min() > np.cos(np.radians(3))


def test_somebody_who_sits_down_is_seen_to_sit_down():
    truth = sitting_down(40)
    seen = seen_as(truth, BETAS)
    noise = np.random.default_rng(0).normal(size=seen.landmarks_m.shape) * [0.03, 0.03, 0.08]
    found = fit_body(seen._replace(landmarks_m=seen.landmarks_m + noise), body())
    assert error_m(found.rotmats, truth, found.betas) < 0.035
    knees = [SMPL24_NAMES.index(f"{side}_knee") for side in ("left", "right")]
    bend = np.linalg.norm(rotvec_from_matrix(found.rotmats[:, knees]), axis=-1)
    assert bend[:3].max() < 0.5 and bend[-3:].min() > 1.2
    frozen = found.rotmats[:1].repeat(40, 0)
    assert error_m(frozen, truth, found.betas) > 0.09


def test_a_limb_whose_depth_flips_for_a_moment_goes_on_as_before():
    swing = 0.7 * np.sin(np.linspace(0, 6, 60))[:, None] * np.array([1.0, 0, 0])
    truth = turned(60, yaw_rad=0.2, left_hip=swing - [0.4, 0, 0], left_knee=(0.8, 0, 0))
    seen = seen_as(truth, BETAS)
    flipped = seen.landmarks_m.copy()
    of_leg = [row(f"left_{name}") for name in ("knee", "ankle", "heel", "big_toe")]
    hip_z = flipped[20:26, [row("left_hip")], 2]
    flipped[20:26, of_leg, 2] = 2 * hip_z - flipped[20:26, of_leg, 2]
    found = fit_body(seen._replace(landmarks_m=flipped), body())
    assert error_m(found.rotmats[20:26], truth[20:26], found.betas) < 0.04


@pytest.mark.parametrize("yaw_rad", [0.0, np.pi / 2, np.pi])
def test_left_stays_left_whichever_way_somebody_faces(yaw_rad):
    truth = turned(8, yaw_rad=yaw_rad, left_elbow=(0, -1.2, 0), right_knee=(0.9, 0, 0))
    found = fit_body(seen_as(truth, BETAS), body())
    assert error_m(found.rotmats, truth, found.betas) < 0.03


def test_the_body_is_as_tall_as_the_landmarks_say():
    tall = np.zeros(10)
    tall[0] = 2.0
    for betas in (BETAS, tall):
        found = fit_body(seen_as(turned(8), betas), body())
        assert stature_m(body(), found.betas) == pytest.approx(stature_m(body(), betas), abs=0.03)


def test_one_frame_is_enough():
    truth = sitting_down(5)[-1:]
    found = fit_body(seen_as(truth, BETAS), body())
    assert (
        found.rotmats.shape == (1, 24, 3, 3) and error_m(found.rotmats, truth, found.betas) < 0.04
    )


def test_points_that_are_not_seen_leave_the_pose_usual():
    truth = turned(10)
    seen = seen_as(truth, BETAS)
    hidden = [row(f"left_{name}") for name in ("elbow", "wrist", "hand")]
    wrong, visibility = seen.rays.copy(), seen.visibility.copy()
    wrong[:, hidden] += 0.5
    visibility[:, hidden] = 0.0
    found = fit_body(seen._replace(rays=wrong, visibility=visibility), body())
    assert error_m(found.rotmats, truth, found.betas) < 0.03
