"""Who is followed on, who is new, who is behind somebody and who comes out again."""

import numpy as np
import pytest

from stages.stage0_sam2.association import (
    HIDDEN_ALLOWED,
    MISSES_ALLOWED,
    Candidate,
    Track,
    associate,
    changed_places,
    fills,
    found_together,
    is_strange,
)
from stages.tracking.appearance import colours_of, likeness
from tests.tracking.dressed import BLUE, RED, block, dressed


def found(left: int, colour: tuple[int, int, int], **size: int) -> Candidate:
    mask = block(left, **size)
    return Candidate(mask, 0.9, dressed(mask, colour))


def followed(left: int, colour: tuple[int, int, int]) -> Track:
    return Track(0.9, block(left), dressed(block(left), colour), whole_px=200)


def test_specks_in_a_large_box_are_nobody() -> None:
    person, picture = np.array([0.0, 10.0, 14.0, 32.0]), np.array([0.0, 0.0, 60.0, 40.0])
    assert fills(block(2), person)
    assert fills(block(2), picture)
    assert not fills(block(2, width=4), picture)
    assert not fills(block(2, width=1, height=10), person)


def test_people_dressed_alike_keep_their_ids_whatever_the_order_of_the_detections() -> None:
    tracks = {7: followed(0, RED), 4: followed(30, RED)}
    prompts = associate(tracks, [found(31, RED), found(1, RED)], next_id=8)
    assert not prompts.new
    assert [prompts.boxes[person][0] for person in (7, 4)] == [1, 31]


def test_ids_are_paired_for_the_best_overlap_in_all_and_not_one_after_the_other() -> None:
    # The first detection overlaps both, and person 1 most of all; person 2 has no other.
    tracks = {1: followed(4, RED), 2: followed(7, RED)}
    prompts = associate(tracks, [found(5, RED), found(1, RED)], next_id=3)
    assert [prompts.boxes[person][0] for person in (1, 2)] == [1, 5]


def test_somebody_found_again_is_followed_from_the_new_box() -> None:
    tracks = {3: followed(5, RED)}
    prompts = associate(tracks, [found(6, RED)], next_id=4)
    assert list(prompts.boxes) == [3] and not prompts.new and not prompts.masks
    assert prompts.boxes[3].tolist() == found(6, RED).box.tolist()


def test_somebody_new_gets_the_next_id() -> None:
    tracks = {3: followed(5, RED)}
    prompts = associate(tracks, [found(5, RED), found(30, BLUE)], next_id=4)
    assert set(prompts.boxes) == {3, 4} and set(prompts.new) == {4}
    assert set(tracks) == {3, 4}


def test_a_part_of_somebody_is_a_sign_of_them_but_not_what_to_follow() -> None:
    tracks = {3: followed(5, RED)}
    for _ in range(MISSES_ALLOWED + 2):
        prompts = associate(tracks, [found(6, RED, width=4, height=6)], next_id=4)
        assert list(prompts.masks) == [3] and not prompts.new


def test_somebody_not_found_is_carried_on_for_a_while() -> None:
    tracks = {3: followed(5, RED)}
    for _ in range(MISSES_ALLOWED):
        assert list(associate(tracks, [], next_id=4).masks) == [3]
    assert not associate(tracks, [], next_id=4).masks
    assert not tracks


def behind_blue() -> dict[int, Track]:
    """Person 1, in red, has just gone behind person 2, in blue."""
    tracks = {1: followed(20, RED), 2: followed(21, BLUE)}
    prompts = associate(tracks, [found(21, BLUE)], next_id=3)
    assert set(prompts.boxes) == {2} and not prompts.masks
    assert tracks[1].hidden and not tracks[2].hidden
    return tracks


def test_somebody_who_comes_out_from_behind_somebody_is_known_by_their_clothes() -> None:
    tracks = behind_blue()
    prompts = associate(tracks, [found(21, BLUE), found(40, RED)], next_id=3)
    assert set(prompts.boxes) == {1, 2}
    assert set(prompts.new) == {1}, "to be followed back to where they came out"
    assert not tracks[1].hidden


def test_of_two_people_whose_masks_ran_together_each_is_known_by_their_clothes() -> None:
    both = block(20) | block(30)
    tracks = behind_blue()
    tracks[2].last = both
    prompts = associate(tracks, [found(20, RED), found(30, BLUE)], next_id=3)
    assert prompts.boxes[2].tolist() == found(30, BLUE).box.tolist()
    assert prompts.boxes[1].tolist() == found(20, RED).box.tolist()
    assert set(tracks) == {1, 2}


def test_what_is_left_of_somebody_who_vanishes_is_not_followed() -> None:
    tracks = {1: followed(5, RED)}
    tracks[1].last = block(5, width=3, height=9)
    assert not associate(tracks, [found(40, BLUE)], next_id=2).masks
    assert tracks[1].hidden


def test_somebody_whose_mask_shows_something_else_is_out_of_sight_unless_found_there() -> None:
    tracks = {1: followed(5, RED), 2: followed(30, RED)}
    prompts = associate(tracks, [found(30, RED)], next_id=3, strange=[1, 2])
    assert tracks[1].hidden and not prompts.masks
    assert list(prompts.boxes) == [2]


def test_a_part_of_somebody_in_the_picture_is_not_something_else() -> None:
    person = Track(0.9, block(5), (dressed(block(5), RED) + dressed(block(5), BLUE)) / 2, 200)
    red, green = (np.full((*block(5).shape, 3), shade, np.uint8) for shade in (RED, (0, 200, 0)))
    assert not is_strange(person, red, block(5))
    assert is_strange(person, green, block(5))
    assert not is_strange(person, green, block(5) & False)


def test_a_stranger_is_not_taken_for_somebody_hidden() -> None:
    tracks = behind_blue()
    prompts = associate(tracks, [found(21, BLUE), found(40, (30, 200, 30))], next_id=3)
    assert set(prompts.new) == {3}
    assert tracks[1].hidden


def test_somebody_who_left_the_picture_is_known_when_they_return() -> None:
    tracks = {1: Track(0.9, np.zeros((40, 60), bool), dressed(block(0), RED), whole_px=200)}
    assert not associate(tracks, [], next_id=2).masks
    assert set(associate(tracks, [found(45, RED)], next_id=2).new) == {1}


def test_the_hidden_are_forgotten_in_the_end() -> None:
    tracks = behind_blue()
    for _ in range(HIDDEN_ALLOWED):
        assert set(tracks) == {1, 2}
        associate(tracks, [found(21, BLUE)], next_id=3)
    assert set(tracks) == {2}


def test_people_are_found_together_while_the_detector_sees_one_and_both_are_in_view() -> None:
    both = Candidate(block(20, width=20), 0.9, dressed(block(20), RED))
    tracks = {1: followed(20, RED), 2: followed(30, BLUE)}
    assert found_together(tracks, [both])
    assert not found_together(tracks, [found(20, RED), found(30, BLUE)])
    assert not found_together(tracks, [found(20, RED)]), "missed, but not a part of anybody"
    tracks[2].last = block(30, width=1)
    assert not found_together(tracks, [both]), "next to nothing of person 2 is to be seen"


def test_people_are_not_found_together_while_somebody_like_the_missing_one_is_found_elsewhere() -> (
    None
):
    tracks = {1: followed(0, RED), 2: followed(2, BLUE)}
    blue_here, stranger = found(1, BLUE), (30, 200, 30)
    assert found_together(tracks, [blue_here])
    assert found_together(tracks, [blue_here, found(40, stranger)])
    assert not found_together(tracks, [blue_here, found(40, RED)])


def test_a_mask_that_collapsed_is_known_once_the_person_is_found_whole() -> None:
    tracks = {1: followed(0, RED), 2: followed(30, BLUE)}
    tracks[1].last = block(2, width=4)
    prompts = associate(tracks, [found(0, RED), found(30, BLUE)], next_id=3)
    assert prompts.regained == {1}
    assert set(prompts.boxes) == {1, 2}


def test_after_people_crossed_clothes_decide_and_places_only_between_equals() -> None:
    tracks = {1: followed(10, RED), 2: followed(40, BLUE)}
    prompts = associate(tracks, [found(10, BLUE), found(40, RED)], next_id=3, crossed=True)
    assert [prompts.boxes[person][0] for person in (1, 2)] == [40, 10]
    tracks = {1: followed(10, RED), 2: followed(40, RED)}
    prompts = associate(tracks, [found(41, RED), found(11, RED)], next_id=3, crossed=True)
    assert [prompts.boxes[person][0] for person in (1, 2)] == [11, 41]


def test_clothes_say_that_masks_went_over_to_one_another() -> None:
    tracks = {1: followed(10, RED), 2: followed(40, BLUE)}
    assert changed_places(tracks, [found(10, BLUE), found(40, RED)])
    assert not changed_places(tracks, [found(40, BLUE), found(10, RED)])
    assert not changed_places(tracks, [found(10, BLUE)]), "red is nowhere: no two have changed"
    tracks = {1: followed(10, RED), 2: followed(40, RED)}
    assert not changed_places(tracks, [found(12, RED), found(38, RED)]), "dressed alike"


def test_two_pieces_of_one_person_are_one_person() -> None:
    tracks = {1: followed(20, RED)}
    upper = Candidate(block(20, height=12), 0.9, dressed(block(20), RED))
    lower = block(20) & ~block(20, height=9)
    prompts = associate(tracks, [upper, Candidate(lower, 0.5, upper.colours)], next_id=2)
    assert not prompts.new
    assert prompts.boxes[1].tolist() == found(20, RED).box.tolist()


def test_halves_in_different_clothes_are_one_person_while_the_mask_is_no_larger_than_that() -> None:
    mask = block(20)
    upper, lower = mask & block(20, height=9), mask & ~block(20, height=9)
    image = np.full((*mask.shape, 3), 128, np.uint8)
    image[upper], image[lower] = RED, BLUE
    image[block(20, width=6)] = (30, 200, 30)
    halves = [Candidate(half, 0.5, colours_of(image, half)) for half in (upper, lower)]
    tracks = {1: Track(0.9, mask, colours_of(image, mask), whole_px=200)}
    prompts = associate(tracks, halves, next_id=2)
    assert not prompts.new
    assert prompts.boxes[1].tolist() == found(20, RED).box.tolist()
    assert likeness(tracks[1].colours, colours_of(image, mask)) == pytest.approx(1)
