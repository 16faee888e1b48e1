"""The demo body is a human in SMPL's zero pose, whole and symmetric."""

import numpy as np
import pytest
import trimesh
from scipy.spatial.transform import Rotation

from stages.body.joint_names import SMPL24_NAMES, SMPL45_NAMES, SMPL_EXTRA_VERTICES
from stages.body.kinematics import smpl45
from stages.body.shape_fitting import limb_lengths_m, stature_m
from stages.body.skin import posed_vertices

FLIP = np.array([-1.0, 1.0, 1.0])


def posed(body, **turns_deg):
    local = np.tile(np.eye(3), (24, 1, 1))
    for name, turn in turns_deg.items():
        local[SMPL24_NAMES.index(name)] = Rotation.from_rotvec(np.deg2rad(turn)).as_matrix()
    joints = np.asarray(smpl45(body, np.zeros(10), local))
    return dict(zip(SMPL45_NAMES, joints, strict=True))


def test_it_faces_forward_with_its_left_arm_to_the_left(demo_body):
    at = posed(demo_body)
    assert at["left_hand"][0] > 0.6 and at["right_hand"][0] < -0.6
    assert at["nose"][2] > at["head"][2] + 0.05
    assert at["left_big_toe"][2] > at["left_heel"][2] + 0.2
    assert at["head"][1] > at["neck"][1] > at["pelvis"][1] > at["left_knee"][1] > at["left_heel"][1]


def test_arms_lie_along_x_and_legs_hang_down(demo_body):
    at = posed(demo_body)
    for a, b in (("shoulder", "elbow"), ("elbow", "wrist")):
        arm = at[f"left_{b}"] - at[f"left_{a}"]
        assert arm[0] / np.linalg.norm(arm) > 0.995
    for a, b in (("hip", "knee"), ("knee", "ankle")):
        leg = at[f"left_{b}"] - at[f"left_{a}"]
        assert -leg[1] / np.linalg.norm(leg) > 0.99


def test_bending_joints_moves_limbs_as_in_smpl(demo_body):
    rest = posed(demo_body)
    assert posed(demo_body, left_knee=[90, 0, 0])["left_ankle"][2] < rest["left_ankle"][2] - 0.3
    assert posed(demo_body, right_hip=[-90, 0, 0])["right_knee"][2] > rest["right_knee"][2] + 0.3
    assert posed(demo_body, left_elbow=[0, -90, 0])["left_wrist"][2] > rest["left_wrist"][2] + 0.2
    assert posed(demo_body, left_shoulder=[0, 0, 60])["left_wrist"][1] > rest["head"][1]
    assert posed(demo_body, right_shoulder=[0, 0, 60])["right_wrist"][1] < rest["spine_3"][1]


def test_a_bent_knee_leaves_the_other_leg_alone(demo_body):
    local = np.tile(np.eye(3), (24, 1, 1))
    local[4] = Rotation.from_rotvec([1.5, 0, 0]).as_matrix()
    moved = posed_vertices(demo_body, np.zeros(10), local) - demo_body.v_template
    still = demo_body.v_template[:, 0] < -0.02
    assert np.abs(moved[still]).max() < 1e-5
    assert np.abs(moved[demo_body.left_foot_vertices]).max() > 0.4


def test_the_skin_is_one_closed_surface_that_faces_outwards(demo_body):
    mesh = trimesh.Trimesh(demo_body.v_template, demo_body.faces, process=False)
    assert len(mesh.vertices) == 6890
    assert mesh.is_watertight and mesh.is_winding_consistent
    assert 0.05 < mesh.volume < 0.08
    assert mesh.body_count == 1


@pytest.mark.parametrize("part", ["v_template", "shapedirs"])
def test_left_and_right_are_mirror_images(demo_body, part):
    array = getattr(demo_body, part).reshape(6890, 3, -1)
    mirrored = array[demo_body.mirror_vertices] * FLIP[:, None]
    np.testing.assert_allclose(array, mirrored, atol=1e-6)


def test_weights_and_regressor_are_mixtures(demo_body):
    for mixture in (demo_body.weights, demo_body.J_regressor):
        assert mixture.min() >= 0
        np.testing.assert_allclose(mixture.sum(1), 1, atol=1e-5)


def test_the_mean_is_an_adult_and_the_first_beta_is_stature(demo_body):
    zero, one = np.zeros(10), np.eye(10)[0]
    assert stature_m(demo_body, zero) == pytest.approx(1.72, abs=0.03)
    assert 0.05 < stature_m(demo_body, one) - stature_m(demo_body, zero) < 0.15
    thigh = [("left_hip", "left_knee")]
    assert limb_lengths_m(demo_body, one, thigh) > limb_lengths_m(demo_body, zero, thigh)


def winding_numbers(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """How often a closed surface goes around points: 1 inside, 0 outside."""
    a, b, c = np.moveaxis(corners[None] - points[:, None, None], 2, 0)
    la, lb, lc = (np.linalg.norm(x, axis=-1) for x in (a, b, c))
    volume = np.einsum("pfi,pfi->pf", a, np.cross(b, c))
    flat = la * lb * lc + (a * b).sum(-1) * lc + (b * c).sum(-1) * la + (c * a).sum(-1) * lb
    return np.arctan2(volume, flat).sum(1) / (2 * np.pi)


def test_joint_centres_stay_inside_every_shape_within_three_sigma(demo_body):
    rng = np.random.default_rng(0)
    for betas in [*(3 * np.eye(10)[:4]), *(-3 * np.eye(10)[:4]), *rng.normal(size=(4, 10))]:
        joints = demo_body.rest_joints(betas)
        skin = demo_body.v_template + demo_body.shapedirs @ betas
        np.testing.assert_allclose(winding_numbers(joints, skin[demo_body.faces]), 1, atol=0.01)


def test_picked_vertices_lie_where_smplx_looks_for_them(demo_body):
    np.testing.assert_array_equal(demo_body.extra_vertices, SMPL_EXTRA_VERTICES)


def test_extra_joints_lie_on_the_parts_that_they_name(demo_body):
    at = posed(demo_body)
    skin = demo_body.v_template
    assert at["nose"][2] == pytest.approx(skin[skin[:, 1] > at["neck"][1], 2].max(), abs=1e-4)
    assert at["left_ear"][0] > 0.05 and at["left_eye"][0] > 0.02
    assert at["left_eye"][2] > at["left_ear"][2] + 0.05
    assert at["left_middle"][0] > at["left_thumb"][0] > at["left_wrist"][0]
    assert at["left_thumb"][2] > at["left_pinky"][2]
    assert at["left_small_toe"][0] > at["left_big_toe"][0]
    for name in ("big_toe", "small_toe", "heel"):
        assert at[f"left_{name}"][1] < skin[:, 1].min() + 0.04
    for name in SMPL45_NAMES:
        if name.startswith("left_"):
            other = at[name.replace("left_", "right_")]
            np.testing.assert_allclose(at[name], other * FLIP, atol=2e-3)


def test_face_and_hand_points_run_in_the_order_of_coco_wholebody(demo_body):
    points = demo_body.v_template[demo_body.keypoint_vertices]
    face, left, right = points[:68], points[68:89], points[89:]
    assert np.all(np.diff(face[:17, 0]) > 0)  # jaw: from the right ear to the left one
    assert np.all(np.diff(face[17:27, 0]) > 0)  # brows
    assert np.all(np.diff(face[27:31, 1]) < 0)  # the nose downwards
    assert face[36, 0] < face[39, 0] < face[42, 0] < face[45, 0]  # eye corners
    assert face[37, 1] > face[41, 1] and face[44, 1] > face[46, 1]  # upper above lower lids
    assert face[48, 0] < face[51, 0] < face[54, 0] and face[51, 1] > face[57, 1]  # mouth
    np.testing.assert_allclose(left, right * FLIP, atol=1e-5)
    for finger in range(5):
        assert np.all(np.diff(left[1 + 4 * finger : 5 + 4 * finger, 0]) > 0)


def test_soles_are_the_lowest_part_of_the_feet(demo_body):
    skin = demo_body.v_template
    sole, foot = demo_body.left_sole_vertices, demo_body.left_foot_vertices
    assert np.isin(sole, foot).all() and 50 < len(sole) < len(foot)
    assert skin[sole, 1].max() < skin[:, 1].min() + 0.03
    assert skin[sole, 0].min() > 0 and np.ptp(skin[sole, 2]) > 0.2
    np.testing.assert_array_equal(
        np.sort(demo_body.mirror_vertices[foot]), np.sort(demo_body.right_foot_vertices)
    )
