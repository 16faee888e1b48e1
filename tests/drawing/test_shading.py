"""What is in front, what is in the light, and what is not there at all."""

import numpy as np

from stages.drawing.camera import looking_at
from stages.drawing.shading import PAPER, Shape, shaded, shaded_over
from stages.drawing.shapes import capsules

RED, BLUE, GREY = (0.8, 0.1, 0.1), (0.1, 0.1, 0.8), (0.7, 0.7, 0.7)
SIZE = (80, 120)
CAMERA = looking_at(np.array([0.0, -5.0, 1.0]), np.array([0.0, 0.0, 1.0]), SIZE)
ON_PAPER = np.round(255 * np.array(PAPER))


def ball(centre, radius_m, colour):
    place = np.array([centre], float)
    return Shape(*capsules(place, place, np.array([radius_m])), colour)


def plate(low, high, z, colour=GREY):
    (x0, y0), (x1, y1) = low, high
    corners = np.array([[x0, y0, z], [x1, y0, z], [x1, y1, z], [x0, y1, z]], float)
    return Shape(corners, np.array([[0, 1, 2], [0, 2, 3]]), colour)


def test_a_ball_is_as_large_as_it_is_seen_and_paper_is_around_it():
    picture = shaded([ball([0, 0, 1], 0.5, RED)], CAMERA)
    covered = (abs(picture - ON_PAPER) > 3).any(-1)
    tangent = 0.5 / np.sqrt(25 - 0.25)
    expected = np.pi * (tangent * CAMERA.intrinsic[0, 0]) ** 2
    assert abs(covered.sum() / expected - 1) < 0.15
    assert covered[40, 60]
    assert (picture[0, 0] == ON_PAPER).all()
    assert picture[40, 60, 0] > 2 * picture[40, 60, 2]


def test_the_nearer_of_two_shapes_is_seen():
    near, far = ball([0, -1, 1], 0.3, RED), ball([0, 1, 1], 0.3, BLUE)
    for shapes in ([near, far], [far, near]):
        picture = shaded(shapes, CAMERA)
        assert picture[40, 60, 0] > picture[40, 60, 2]


def test_light_comes_over_the_left_shoulder():
    picture = shaded([ball([0, 0, 1], 0.8, GREY)], CAMERA).astype(int)
    assert picture[30, 50].sum() > picture[50, 70].sum() + 30


def test_a_roof_shades_the_ground_below_it():
    above = looking_at(np.array([0.0, -4.0, 4.0]), np.zeros(3), SIZE)
    floor, roof = plate((-3, -3), (3, 3), 0.0), plate((-1, -1), (1, 1), 0.3)
    open_ground, below = shaded([floor], above), shaded([floor, roof], above)
    in_shadow = below[..., 0] < 0.72 * open_ground[..., 0]
    assert in_shadow.sum() > 100


def test_the_corner_below_a_wall_gets_less_of_the_sky():
    away = looking_at(np.array([0.0, -4.0, 3.0]), np.array([0.0, 0.0, 0.0]), SIZE)
    wall = Shape(
        np.array([[-9, 0.3, 0], [9, 0.3, 0], [9, 0.3, 1], [-9, 0.3, 1]], float),
        np.array([[0, 1, 2], [0, 2, 3]]),
        GREY,
    )
    floor = plate((-9, -9), (9, 9), 0.0)
    at_wall, _ = away.project(np.array([[0.0, 0.2, 0.0], [0.0, -1.5, 0.0]]))
    (x, y), (u, v) = at_wall.round().astype(int)
    picture = shaded([floor, wall], away).astype(int)
    assert picture[y, x].sum() < picture[v, u].sum() - 20


def test_an_image_stays_as_it_is_where_no_shape_is():
    image = np.random.default_rng(0).integers(0, 255, (*SIZE, 3), np.uint8)
    picture = shaded_over(image, [ball([0, 0, 1], 0.5, RED)], CAMERA)
    np.testing.assert_array_equal(picture[:15], image[:15])
    assert abs(picture[35:45, 55:65].astype(int) - image[35:45, 55:65]).mean() > 20


def test_without_shapes_there_is_paper():
    assert (shaded([], CAMERA) == ON_PAPER).all()
