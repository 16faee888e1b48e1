"""People known by clothes and places."""

import numpy as np
import pytest

from stages.tracking.appearance import ALIKE, likeness
from stages.tracking.pairing import best_pairs, by_clothes, by_place, contained
from tests.tracking.dressed import BLUE, RED, block, dressed


def test_clothes_are_told_apart() -> None:
    red, blue = dressed(block(0), RED), dressed(block(20), BLUE)
    assert red.sum() == pytest.approx(1)
    assert likeness(red, dressed(block(30), RED)) == pytest.approx(1)
    assert likeness(red, blue) == 0


def test_an_empty_mask_has_no_colours_and_is_like_nobody() -> None:
    nothing = dressed(np.zeros((40, 60), bool), RED)
    assert nothing.shape == (64,)
    assert likeness(nothing, dressed(block(0), RED)) == 0


def test_a_part_is_wholly_contained_however_small() -> None:
    assert contained(block(0, width=2, height=3), block(0)) == 1
    assert contained(block(0), block(0, width=2, height=3)) == 1
    assert contained(block(0), block(5)) == pytest.approx(0.5)
    assert contained(block(0), np.zeros((40, 60), bool)) == 0


def test_pairs_fit_best_in_all_and_not_one_after_the_other() -> None:
    assert best_pairs(np.array([[0.9, 0.8], [0.8, 0.1]])) == {0: 1, 1: 0}


def test_what_does_not_fit_is_no_pair() -> None:
    assert best_pairs(np.array([[0.0, 0.0], [0.0, 0.4]])) == {1: 1}
    assert best_pairs(np.zeros((0, 3))) == {}


def test_by_place_clothes_decide_only_between_people_in_the_same_place() -> None:
    shared, alike = np.array([[0.9, 0.8, 0.2]]), np.array([[0.1, 0.7, 1.0]])
    assert best_pairs(by_place(shared, alike)) == {0: 1}
    assert best_pairs(by_place(shared, np.zeros((1, 3)))) == {0: 0}


def test_by_clothes_place_decides_only_between_people_dressed_alike() -> None:
    alike = np.array([[ALIKE, ALIKE, ALIKE - 0.01]])
    assert best_pairs(by_clothes(np.array([[0.2, 0.6, 1.0]]), alike)) == {0: 1}
