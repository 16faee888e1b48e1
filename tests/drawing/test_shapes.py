"""Meshes of capsules, skeletons, robots and people are where they should be."""

import numpy as np
import trimesh

from stages.artifacts.people_and_world import PersonMotion
from stages.body.joint_names import SMPL_PARENTS
from stages.body.model import DEMO_BODY, load_body
from stages.drawing.shapes import capsules, path, person, robot_capsules, skeleton
from stages.robot.model import load_g1
from stages.robot.rest import link_poses_at_rest

START = np.array([[0, 0, 0], [1, 1, 1], [2, 0, 0]], float)
END = np.array([[0, 0, 0.5], [1.4, 1, 0.7], [2, 0, 0]], float)
RADIUS = np.array([0.1, 0.2, 0.3])


def distance_to_segments(points, start, end):
    along = end - start
    share = ((points - start) * along).sum(-1) / np.maximum((along**2).sum(-1), 1e-12)
    return np.linalg.norm(points - start - np.clip(share, 0, 1)[..., None] * along, axis=-1)


def test_capsules_are_closed_and_lie_at_their_radius_around_their_segments():
    vertices, faces = capsules(START, END, RADIUS)
    for index, part in enumerate(vertices.reshape(3, -1, 3)):
        away = distance_to_segments(part, START[index], END[index])
        np.testing.assert_allclose(away, RADIUS[index], atol=1e-9)
    mesh = trimesh.Trimesh(vertices, faces, validate=True)  # joins rings that meet
    assert mesh.is_watertight
    length = np.linalg.norm(END - START, axis=1)
    volume = (np.pi * RADIUS**2 * length + 4 / 3 * np.pi * RADIUS**3).sum()
    assert 0.9 * volume < mesh.volume < volume


def test_a_path_is_a_tube_through_its_places():
    places = np.array([[0, 0, 0], [1, 0, 0], [1, 2, 0]], float)
    vertices, _ = path(places, 0.05)
    np.testing.assert_allclose(vertices.min(0), [-0.05, -0.05, -0.05], atol=2e-3)
    np.testing.assert_allclose(vertices.max(0), [1.05, 2.05, 0.05], atol=2e-3)
    assert len(path(places[:1])[0]) == 0


def test_bones_lead_from_joints_to_their_parents():
    joints = np.random.default_rng(0).normal(size=(24, 3))
    vertices, _ = skeleton(joints, SMPL_PARENTS, 0.01)
    parts = vertices.reshape(23, -1, 3)
    for bone, child in zip(parts, range(1, 24), strict=True):
        away = distance_to_segments(bone, joints[SMPL_PARENTS[child]], joints[child])
        np.testing.assert_allclose(away, 0.01, atol=1e-9)


def test_a_robots_capsules_move_with_it():
    robot = load_g1()
    R, p = link_poses_at_rest(robot)
    at_rest, faces = robot_capsules(robot, R, p)
    height_m = np.ptp(at_rest[:, 2])
    assert 1.1 < height_m < 1.5
    turn = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]])
    moved, same = robot_capsules(robot, turn @ R, p @ turn.T + [0, 0, 2])
    shifts = abs(moved.min(0) - (at_rest @ turn.T + [0, 0, 2]).min(0))
    assert shifts.max() < 5e-3
    assert np.array_equal(faces, same)


def test_a_persons_skin_is_that_of_the_asked_frame():
    body = load_body(DEMO_BODY)
    pose = np.tile(np.eye(3, dtype=np.float32), (2, 23, 1, 1))
    root = np.array([[0, 0, 0], [1, 2, 3]], np.float32)
    motion = PersonMotion(["00001", "00002"], pose, pose[:, 0], root, np.zeros((2, 10), np.float32))
    first, second = (person(body, motion, row)[0] for row in (0, 1))
    np.testing.assert_allclose(second - first, np.tile([1, 2, 3], (len(first), 1)), atol=1e-5)
    assert len(first) == len(body.v_template)
