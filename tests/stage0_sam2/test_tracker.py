"""Boxes to people, and people to one id map a frame: the parts that need no network."""

import numpy as np
import torch

from stages.stage0_sam2.detector import Detection, overlap, resized_to, without_duplicates
from stages.stage0_sam2.propagation import id_map
from stages.stage0_sam2.tracker import add_people, best_meeting, only

SIZE = (6, 8)


def box(*corners: float) -> np.ndarray:
    return np.array(corners, np.float64)


def logits(left: int, value: float) -> np.ndarray:
    """Outside everywhere but for three columns from `left`."""
    found = np.full(SIZE, -1.0, np.float32)
    found[:, left : left + 3] = value
    return found


def ids_of(people: dict[int, np.ndarray]) -> np.ndarray:
    """The id map of some people's logits."""
    stacked = torch.from_numpy(np.stack(list(people.values())))
    return id_map(stacked, torch.tensor(list(people), dtype=torch.int32)).numpy().astype(np.uint16)


def test_a_box_around_a_part_gives_way_to_the_better_one():
    whole, part = Detection(box(10, 10, 30, 80), 0.9), Detection(box(12, 12, 28, 40), 0.5)
    beside = Detection(box(40, 10, 60, 80), 0.4)
    assert without_duplicates([part, beside, whole]) == [whole, beside]


def test_two_people_side_by_side_are_two():
    left, right = Detection(box(0, 0, 20, 80), 0.6), Detection(box(14, 0, 34, 80), 0.8)
    assert without_duplicates([left, right]) == [right, left]


def test_a_box_without_area_overlaps_nothing():
    assert overlap(box(5, 5, 5, 9), box(0, 0, 10, 10)) == 0


def test_a_picture_is_resized_by_its_shorter_edge_unless_the_longer_would_exceed():
    picture = np.zeros((360, 640, 3), np.uint8)
    assert resized_to(picture, 180, 1000).size == (320, 180)
    assert resized_to(picture, 180, 160).size == (160, 90)


def test_where_two_people_overlap_the_surer_one_has_the_pixel():
    ids = ids_of({3: logits(0, 1.0), 5: logits(2, 2.0)})
    assert ids[0].tolist() == [3, 3, 5, 5, 5, 0, 0, 0]


def test_people_found_later_take_background_only():
    ids = ids_of({1: logits(0, 0.5)})
    add_people(ids, ids_of({2: logits(2, 9.0)}))
    assert ids[0].tolist() == [1, 1, 1, 2, 2, 0, 0, 0]
    add_people(ids, np.zeros(SIZE, np.uint16))
    assert ids[0].tolist() == [1, 1, 1, 2, 2, 0, 0, 0]


def test_both_directions_meet_where_they_agree_on_who_is_where():
    apart = ids_of({1: logits(0, 1.0), 2: logits(4, 1.0)})
    swapped = ids_of({2: logits(0, 1.0), 1: logits(4, 1.0)})
    half = ids_of({1: logits(1, 1.0), 2: logits(4, 1.0)})
    assert best_meeting([apart, half, apart, swapped], [swapped, apart, apart, apart]) == 2


def test_what_agrees_nowhere_was_wrong_from_the_start():
    whole, elsewhere = ids_of({1: logits(0, 1.0)}), ids_of({1: logits(5, 1.0)})
    part = np.where(np.arange(SIZE[1]) == 0, whole, 0)
    assert best_meeting([elsewhere, part, elsewhere], [whole, whole, whole]) == 0


def test_an_id_map_of_some_people_leaves_out_the_others():
    ids = ids_of({1: logits(0, 1.0), 2: logits(4, 1.0)})
    assert only(ids, [2])[0].tolist() == [0, 0, 0, 0, 2, 2, 2, 0]
    assert not only(ids, []).any()
