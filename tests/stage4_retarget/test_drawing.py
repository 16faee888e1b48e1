"""The picture of stage 4: robot and person at moments of the clip, from where both are seen."""

import numpy as np
import pytest
import trimesh

from stages.robot.model import load_g1
from stages.robot.rest import link_trajectories
from stages.stage4_retarget import drawing
from stages.stage4_retarget.drawing import COLUMNS

ROWS, PANEL_PX = 12, 160
NO_MESH = np.zeros((0, 3)), np.zeros((0, 3), int)


def standing():
    """A robot at rest that moves along x, and a person around it."""
    robot = load_g1()
    root = np.column_stack([np.linspace(0, 1, ROWS), np.zeros(ROWS), np.full(ROWS, 0.8)])
    at_rest = np.zeros((ROWS, len(robot.joint_names)))
    R, p = link_trajectories(robot, np.tile(np.eye(3), (ROWS, 1, 1)), root, at_rest)
    person = np.random.default_rng(0).uniform([-0.3, -0.3, -0.8], [0.3, 0.3, 0.9], (45, 3))
    return robot, R, p, root[:, None] + person, np.arange(ROWS) / 30


def colours(drawn):
    red, green, blue = drawn.astype(int).transpose(2, 0, 1)
    return (red > green + 25) & (green > blue + 10), blue > red + 40


@pytest.fixture(autouse=True)
def small_panels(monkeypatch):
    monkeypatch.setattr(drawing, "SIZE_PX", (PANEL_PX, PANEL_PX))


def drawn_with(vertices, faces):
    return drawing.picture(*standing(), vertices, faces)


def test_robot_and_person_are_in_every_panel():
    drawn = drawn_with(*NO_MESH)
    assert drawn.shape[1] > COLUMNS * PANEL_PX
    for rows in np.array_split(drawn, 2, axis=0):
        for panel in np.array_split(rows, COLUMNS, axis=1):
            orange, blue = colours(panel)
            assert orange.sum() > 60 and blue.sum() > 60


def test_a_wall_between_is_walked_around():
    """Of a robot that heads along x it hides the left, which would be the first choice."""
    wall = trimesh.creation.box(
        (20, 0.1, 20), trimesh.transformations.translation_matrix((0, 1, 0))
    )
    freely, behind = colours(drawn_with(*NO_MESH)), colours(drawn_with(wall.vertices, wall.faces))
    for free, walled in zip(freely, behind, strict=True):
        assert walled.sum() > 0.6 * free.sum()
