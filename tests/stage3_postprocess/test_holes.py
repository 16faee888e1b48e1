"""What nobody saw continues what lies around it: ground behind boxes, steps under people."""

import numpy as np

from stages.stage3_postprocess.holes import filled

SPACING_M = 0.05
NOBODY = np.zeros((0, 3))
HALF_LENGTH_M, HALF_WIDTH_M, TOP_M = 0.4, 0.6, 0.3


def cloud(height, unseen=lambda x, y: np.zeros_like(x, bool)):
    """Points every 2.5 cm on a square of 3 m, where they are not `unseen`."""
    along = np.arange(-1.5, 1.5, 0.025)
    x, y = (grid.ravel() for grid in np.meshgrid(along, along))
    keep = ~unseen(x, y)
    return np.column_stack([x, y, height(x, y)])[keep]


def box(x, y):
    return np.where((np.abs(x) < HALF_LENGTH_M) & (np.abs(y) < HALF_WIDTH_M), TOP_M, 0.0)


def stairs(x, y):
    return np.where(np.abs(y) < HALF_WIDTH_M, np.clip(np.floor(x / 0.3) + 1, 0, 3) * 0.17, 0.0)


def floors(points, normals):
    return points[normals[:, 2] > 0.5]


def test_nothing_is_added_where_everything_was_seen():
    points, normals = filled(cloud(box), SPACING_M, NOBODY)
    assert len(points) == len(normals) == 0


def test_behind_a_box_there_is_ground_and_a_wall_and_no_ramp():
    def behind(x, y):
        return (np.abs(x) < HALF_LENGTH_M) & (y > HALF_WIDTH_M) & (y < 1.2)

    points, normals = filled(cloud(box, behind), SPACING_M, NOBODY)
    ground = floors(points, normals)
    assert len(ground) > 150
    np.testing.assert_allclose(ground[:, 2], 0.0, atol=0.01)
    wall = points[normals[:, 1] > 0.5]
    np.testing.assert_allclose(wall[:, 1], HALF_WIDTH_M, atol=SPACING_M)
    assert np.ptp(wall[:, 2]) > 0.8 * TOP_M


def test_the_top_of_a_box_goes_on_under_the_person_who_stands_on_it():
    def person(x, y):
        return np.hypot(x, y) < 0.2

    points, _ = filled(cloud(box, person), SPACING_M, NOBODY)
    assert len(points) > 30
    np.testing.assert_allclose(points[:, 2], TOP_M, atol=0.01)


def test_stairs_whose_middle_a_person_hides_stay_stairs():
    def person(x, y):
        return np.abs(y) < 0.2

    points, normals = filled(cloud(stairs, person), SPACING_M, NOBODY)
    ground = floors(points, normals)
    inner = np.abs((ground[:, 0] / 0.3) % 1 - 0.5) < 0.3  # Edges are as sharp as the cells.
    wanted = stairs(ground[:, 0], ground[:, 1])
    assert inner.sum() > 150
    np.testing.assert_allclose(ground[inner, 2], wanted[inner], atol=0.02)


def test_ground_between_two_boxes_of_one_height_stays_ground():
    def boxes(x, y):
        return np.where((np.abs(np.abs(x) - 0.8) < 0.3) & (np.abs(y) < 0.3), TOP_M, 0.0)

    def hidden(x, y):
        return np.hypot(x, y) < 0.3

    points, normals = filled(cloud(boxes, hidden), SPACING_M, NOBODY)
    np.testing.assert_allclose(floors(points, normals)[:, 2], 0.0, atol=0.01)


def test_the_ground_is_where_a_foot_was_although_a_box_seems_to_go_on_there():
    def log(x, y):
        return np.where(y > 0, TOP_M, 0.0)

    def hidden(x, y):
        return (np.abs(x) < 0.3) & (y > -0.3) & (y < 1.5)

    foot = np.array([[0.0, 0.2, 0.0], [0.05, 0.3, 0.0], [0.0, 0.25, 0.15]])
    by_guess, _ = filled(cloud(log, hidden), SPACING_M, NOBODY)
    points, normals = filled(cloud(log, hidden), SPACING_M, foot)

    def height(found):
        near = np.hypot(found[:, 0], found[:, 1] - 0.25) < 0.1
        return np.median(found[near, 2])

    assert height(by_guess) > 0.8 * TOP_M, "else the foot has nothing to say"
    np.testing.assert_allclose(height(floors(points, normals)), 0.0, atol=0.01)


def test_what_was_seen_stays_whatever_a_foot_does():
    foot = np.array([[0.0, 0.0, -0.2]])
    points, _ = filled(cloud(box), SPACING_M, foot)
    assert len(points) == 0


def test_a_foot_a_little_low_changes_nothing():
    def person(x, y):
        return np.hypot(x, y) < 0.2

    foot = np.array([[0.0, 0.0, TOP_M - 0.03]])
    points, _ = filled(cloud(box, person), SPACING_M, foot)
    np.testing.assert_allclose(points[:, 2], TOP_M, atol=0.01)
