"""The picture of stage 3: the mesh from three sides, with people and their paths."""

import numpy as np

from stages.artifacts.people_and_world import opened_people_and_world
from stages.body.model import DEMO_BODY, load_body
from stages.drawing import mesh_sides as drawing
from tests.stage3_postprocess.room import true_mesh, write_room


def test_the_person_stands_in_the_place_on_all_sides(tmp_path):
    mesh = true_mesh()
    place = np.asarray(mesh.vertices), np.asarray(mesh.faces)
    with opened_people_and_world(write_room(tmp_path, np.eye(3))) as file:
        drawn = drawing.picture(*place, file.people, load_body(DEMO_BODY), (180, 240)).astype(int)
        empty = drawing.picture(*place, {}, load_body(DEMO_BODY), (180, 240)).astype(int)
    assert drawn.shape[0] > 180 and drawn.shape[1] > len(drawing.SIDES) * 240
    orange = (drawn[..., 0] > drawn[..., 1] + 25) & (drawn[..., 1] > drawn[..., 2] + 10)
    for side in np.array_split(orange, len(drawing.SIDES), axis=1):
        assert side.sum() > 40
    assert not ((empty[..., 0] > empty[..., 1] + 25) & (empty[..., 1] > empty[..., 2] + 10)).any()
