"""People's sizes by the floor that all of them stand on."""

from dataclasses import replace

import numpy as np
import pytest

from stages.artifacts.layout import DataFolder
from stages.artifacts.world import heights_of, opened_world
from stages.stage1_ground.levels import fit_levels
from stages.stage1_ground.sizes import resized, sizes_on_one_floor
from tests.stage1_ground.planted import BOX, CAMERA_HEIGHT_M, FLAT, cameras, person, write_video
from tests.stage1_ground.test_ground import seen, watched
from tests.stage1_ground.test_stage import STANDS, processed, stage

HEIGHTS_M = {1: 1.7, 2: 1.7}
BESIDE = tuple((right + 0.8, ahead + 0.4, 0.0) for right, ahead, _ in FLAT)


def two_people(size_of_second: float, second=BESIDE, first=FLAT):
    """Footholds as if the second one were taken for a person larger by a factor."""
    views, track = watched(first)
    found = seen(views, track, person(second, views, number=2))
    return resized(found.footholds, {2: size_of_second}), fit_levels(found.footholds, found.up)


def factors(size_of_second, heights_m=HEIGHTS_M, noted=frozenset(), **places):
    footholds, levels = two_people(size_of_second, **places)
    return footholds, levels, sizes_on_one_floor(footholds, levels, heights_m, set(noted))


@pytest.mark.parametrize("taken_larger", [1.1, 1.28, 0.85])
def test_somebody_taken_for_larger_stands_on_the_same_floor_at_their_true_size(taken_larger):
    footholds, levels, found = factors(taken_larger)
    assert found == {2: pytest.approx(1 / taken_larger, rel=0.01)}
    again = fit_levels(resized(footholds, found), levels.up)
    assert again.offsets_m == pytest.approx([-CAMERA_HEIGHT_M], abs=0.02)


def test_a_floor_that_nobodys_size_explains_is_another_floor():
    assert factors(1.4)[2] == {}


def test_nobody_becomes_a_giant():
    assert factors(0.8, {1: 1.7, 2: 1.7})[2] == {1: pytest.approx(0.8, rel=0.01)}


def test_known_heights_stay_and_their_floor_counts():
    assert factors(1.1, noted={2})[2] == {1: pytest.approx(1.1, rel=0.01)}
    assert factors(1.1, noted={1, 2})[2] == {}


def test_the_size_of_whoever_is_seen_longer_counts():
    footholds, levels = two_people(1.1)
    brief = [
        replace(each, seconds=0.3 * each.seconds) if each.person == 1 else each
        for each in footholds
    ]
    found = sizes_on_one_floor(brief, levels, HEIGHTS_M, set())
    assert found == {1: pytest.approx(1.1, rel=0.01)}


def test_people_of_one_size_stay_as_they_are():
    assert factors(1.0)[2] == {}


def test_whoever_stands_on_the_box_of_another_keeps_their_size():
    on_the_box = ((-0.5, 5.5, 0.3),) * len(BOX)
    assert factors(1.0, first=BOX, second=on_the_box)[2] == {}


def test_the_world_says_the_heights_that_it_goes_with_and_the_line_says_them_aloud(tmp_path):
    views = cameras(STANDS[: 15 * len(FLAT)])
    nearer = person(((1.2, 4.5, 0.0),) * len(FLAT), views, number=2)
    shift = CAMERA_HEIGHT_M * 0.1
    raised = replace(nearer, pixels=person(((1.2, 4.5, shift),) * len(FLAT), views).pixels)
    people = [person(FLAT, views), raised]
    video = write_video(DataFolder(tmp_path), "two", people, STANDS[: 15 * len(FLAT)])
    made = stage(video)
    done = processed(made, video)
    with opened_world(made.outputs(video.name)[0]) as (_, about):
        heights_m = heights_of(about)
    assert "0 raised pieces" in done.note
    assert len(heights_m) == 1 and "for one floor under all, person" in done.note
    ((someone, height_m),) = heights_m.items()
    assert f"person {someone} for {height_m:.2f} m tall" in done.note
    assert np.isfinite(height_m)
