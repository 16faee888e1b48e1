"""The G1's description says what the published robot is."""

from pathlib import Path

import numpy as np
import pytest
import yourdfpy

from stages.robot.model import G1_FILE, load_g1

FILE = Path(__file__).resolve().parents[2] / "data" / "robots" / G1_FILE
JOINTS = [
    *(f"left_{name}_joint" for name in
      ("hip_pitch", "hip_roll", "hip_yaw", "knee", "ankle_pitch", "ankle_roll")),
    *(f"right_{name}_joint" for name in
      ("hip_pitch", "hip_roll", "hip_yaw", "knee", "ankle_pitch", "ankle_roll")),
    "waist_yaw_joint", "waist_roll_joint", "waist_pitch_joint",
    *(f"left_{name}_joint" for name in
      ("shoulder_pitch", "shoulder_roll", "shoulder_yaw", "elbow")),
    *(f"right_{name}_joint" for name in
      ("shoulder_pitch", "shoulder_roll", "shoulder_yaw", "elbow")),
]  # fmt: skip
LEG = ("hip_pitch_link", "hip_roll_link", "hip_yaw_link", "knee_link", "ankle_pitch_link",
       "ankle_roll_link", "foot_link")  # fmt: skip
ARM = ("shoulder_pitch_link", "shoulder_roll_link", "shoulder_yaw_link", "elbow_link",
       "wrist_roll_link", "wrist_pitch_link", "wrist_yaw_link", "rubber_hand")  # fmt: skip
LINKS = [
    "pelvis", "pelvis_contour_link",
    *(f"left_{name}" for name in LEG), *(f"right_{name}" for name in LEG),
    "waist_yaw_link", "waist_roll_link", "torso_link", "logo_link", "head_link",
    "waist_support_link", "imu_link", "d435_link", "mid360_link",
    *(f"left_{name}" for name in ARM), *(f"right_{name}" for name in ARM),
]  # fmt: skip
# Positions in the pelvis frame with all joints at zero, to the four digits published.
ZERO_POSE_M = {
    "left_hip_pitch_link": (0, 0.0645, -0.1027),
    "left_hip_roll_link": (0, 0.1165, -0.1332),
    "left_hip_yaw_link": (0.0462, 0.1165, -0.2510),
    "left_knee_link": (0, 0.1186, -0.4393),
    "left_ankle_pitch_link": (0, 0.1185, -0.7393),
    "left_ankle_roll_link": (0, 0.1185, -0.7569),
    "torso_link": (-0.0040, 0, 0.0540),
    "left_shoulder_pitch_link": (0, 0.1002, 0.2918),
    "left_shoulder_roll_link": (0, 0.1406, 0.2890),
    "left_elbow_link": (0.0158, 0.1468, 0.1052),
    "left_wrist_yaw_link": (0.1998, 0.1487, 0.0952),
    "left_rubber_hand": (0.2413, 0.1517, 0.0952),
    "d435_link": (0.0537, 0.0175, 0.4739),
    "mid360_link": (-0.0037, 0, 0.4602),
    "imu_link": (-0.0436, -0.0022, 0.1919),
}
TRACKED = ["pelvis", "torso_link"] + [
    f"{side}_{name}"
    for side in ("left", "right")
    for name in ("hip_pitch_link", "knee_link", "ankle_roll_link", "shoulder_pitch_link",
                 "elbow_link", "wrist_yaw_link")
]  # fmt: skip


@pytest.fixture(scope="module")
def urdf() -> yourdfpy.URDF:
    return yourdfpy.URDF.load(str(FILE))


def test_actuated_joints_have_their_order(urdf):
    assert list(urdf.actuated_joint_names) == JOINTS
    assert list(load_g1().joint_names) == JOINTS


def test_links_have_their_order(urdf):
    assert list(urdf.link_map) == LINKS
    assert list(load_g1().link_names) == LINKS


def test_shapes_are_called_by_their_links(urdf):
    # The original's retargeting takes the names of links from them.
    without_shape = {"imu_link", "d435_link", "mid360_link"}
    assert list(urdf.scene.geometry) == [link for link in LINKS if link not in without_shape]


def test_it_weighs_what_the_robot_weighs(urdf):
    mass = sum(link.inertial.mass for link in urdf.link_map.values() if link.inertial)
    assert mass == pytest.approx(35.12, abs=0.01)


@pytest.mark.parametrize("link", ZERO_POSE_M)
def test_links_stand_where_published_at_zero(urdf, link):
    urdf.update_cfg(np.zeros(23))
    place = urdf.get_transform(link, "pelvis")[:3, 3]
    np.testing.assert_allclose(place, ZERO_POSE_M[link], atol=6e-5)


def test_right_is_the_mirror_of_left(urdf):
    urdf.update_cfg(np.zeros(23))
    for name in LINKS:
        if name.startswith("left_"):
            left = urdf.get_transform(name, "pelvis")[:3, 3]
            right = urdf.get_transform(name.replace("left_", "right_"), "pelvis")[:3, 3]
            np.testing.assert_allclose(right, left * [1, -1, 1], atol=2e-5)


def test_limits_are_the_published_ones(urdf):
    robot = load_g1()
    published = {
        "left_hip_roll_joint": (-0.5236, 2.9671, 32),
        "right_hip_roll_joint": (-2.9671, 0.5236, 32),
        "right_knee_joint": (-0.087267, 2.8798, 20),
        "left_ankle_pitch_joint": (-0.87267, 0.5236, 37),
        "waist_pitch_joint": (-0.52, 0.52, 37),
        "left_shoulder_roll_joint": (-1.5882, 2.2515, 37),
        "right_shoulder_roll_joint": (-2.2515, 1.5882, 37),
        "right_elbow_joint": (-1.0472, 2.0944, 37),
    }
    for name, numbers in published.items():
        j = robot.joint(name)
        assert (robot.lower[j], robot.upper[j], robot.velocity[j]) == numbers
        limit = urdf.joint_map[name].limit
        assert (limit.lower, limit.upper, limit.velocity) == numbers


def test_every_tracked_link_is_drawn():
    robot = load_g1()
    drawn = [name for name, seen in zip(robot.link_names, robot.visual, strict=True) if seen]
    assert set(TRACKED) <= set(drawn)
    assert "left_foot_link" in drawn
    assert "imu_link" not in drawn


def test_the_foot_link_is_between_the_front_sole_spheres(urdf):
    urdf.update_cfg(np.zeros(23))
    T = urdf.get_transform("left_foot_link", "left_ankle_roll_link")
    np.testing.assert_allclose(T[:3, :3], np.eye(3))
    spheres = [c.origin[:3, 3] for c in urdf.link_map["left_ankle_roll_link"].collisions
               if c.geometry.sphere]  # fmt: skip
    front = [centre for centre in spheres if centre[0] > 0]
    np.testing.assert_allclose(T[:3, 3], np.mean(front, axis=0))
