"""The picture of stage 2: bodies over the frames they are in, and a plan ahead of the camera."""

import h5py
import numpy as np
import pytest

from stages.artifacts.people_and_world import PEOPLE, WORLD, opened_people_and_world
from stages.body.model import DEMO_BODY, load_body
from stages.drawing.camera import Camera
from stages.drawing.panels import GAP_PX, TEXT_PX
from stages.geometry.rotations import matrix_from_rotvec
from stages.stage2_megahunter.drawing import COLUMNS, picture
from tests.stage3_postprocess.room import FRAMES, HEIGHT, WIDTH, write_room

PANEL_HEIGHT, PANEL_WIDTH = HEIGHT + TEXT_PX + 8 + GAP_PX, WIDTH + GAP_PX
FRAMES_WIDTH = COLUMNS * PANEL_WIDTH


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """A place that is grey, so that all colour is drawn, in a world that is not level.

    The person moves to the right by a step.
    """
    turned = matrix_from_rotvec(np.array([0.4, -1.2, 2.0]))
    path = write_room(tmp_path_factory.mktemp("room"), turned)
    with h5py.File(path, "r+") as file:
        for frame in file[WORLD].values():
            frame["rgbimg"][...] = 128
        file[PEOPLE]["1/root_transl"][:, 0] += np.outer(np.linspace(0, 0.6, FRAMES), turned[:, 0])
    with opened_people_and_world(path) as found:
        yield found


@pytest.fixture(scope="module")
def drawn(room):
    return picture(room.world, room.people, load_body(DEMO_BODY)).astype(int)


def is_orange(part):
    return (part[..., 0] > part[..., 1] + 25) & (part[..., 1] > part[..., 2] + 10)


def is_blue(part):
    return part[..., 2] > part[..., 0] + 60


def test_the_body_is_over_its_place_in_every_frame(room, drawn):
    for panel, index in ((0, 0), (5, FRAMES - 1)):
        row, column = divmod(panel, COLUMNS)
        top = row * PANEL_HEIGHT + TEXT_PX + 8 + GAP_PX // 2
        left = column * PANEL_WIDTH + GAP_PX // 2
        body = np.argwhere(is_orange(drawn[top : top + HEIGHT, left : left + WIDTH]))
        frame = room.world[room.world.names[index]]
        camera = Camera(frame.intrinsic, frame.T_world_camera, *frame.size)
        ((x, y),), _ = camera.project(room.people[1].root_transl[index][None])
        np.testing.assert_allclose(np.median(body, axis=0), [y, x], atol=12)
        assert np.ptp(body[:, 0]) > 60


def test_the_plan_has_the_person_ahead_of_the_camera_and_the_floor_around(drawn):
    plan = drawn[TEXT_PX + 8 + GAP_PX :, FRAMES_WIDTH:]
    person, camera = np.argwhere(is_orange(plan)), np.argwhere(is_blue(plan))
    assert len(person) and len(camera)
    assert person[:, 0].max() < camera[:, 0].min()
    floor = (plan == 128).all(-1)
    assert floor.mean() > 0.05


def test_the_camera_that_goes_right_goes_right_on_the_plan(room, drawn):
    """It moves by a metre and a half along x, and always looks ahead."""
    plan = drawn[TEXT_PX + 8 + GAP_PX :, FRAMES_WIDTH:]
    camera = np.argwhere(is_blue(plan))
    assert np.ptp(camera[:, 1]) > 2 * np.ptp(camera[:, 0])
