"""Who is who between two looks of the detector."""

import numpy as np
import pytest

from stages.stage0_sam2.identities import contained, mask_iou, match


def block(left: int, width: int = 10, height: int = 20) -> np.ndarray:
    """A picture of 40 x 60 with one upright block, from column `left`."""
    mask = np.zeros((40, 60), bool)
    mask[10 : 10 + height, left : left + width] = True
    return mask


EMPTY = np.zeros((40, 60), bool)


def test_overlap_is_intersection_over_union():
    assert mask_iou(block(0), block(0)) == 1
    assert mask_iou(block(0), block(5)) == pytest.approx(1 / 3)
    assert mask_iou(block(0), block(30)) == 0
    assert mask_iou(EMPTY, EMPTY) == 0


def test_a_part_is_wholly_contained_however_small():
    assert contained(block(0, width=2, height=3), block(0)) == 1
    assert contained(block(0), block(0, width=2, height=3)) == 1
    assert contained(block(0), EMPTY) == 0


def test_people_keep_their_ids_whatever_the_order_of_the_detections():
    followed = {7: block(0), 4: block(30)}
    assert match(followed, [block(31), block(1)]) == {7: 1, 4: 0}


def test_ids_are_paired_for_the_best_overlap_in_all_and_not_one_after_the_other():
    # Detection 0 overlaps both, and person 1 most of all; person 2 has no other.
    followed = {1: block(4), 2: block(7)}
    assert match(followed, [block(5), block(2)]) == {1: 1, 2: 0}


def test_a_detection_elsewhere_is_nobody_known():
    assert match({1: block(0)}, [block(8)]) == {}
    assert match({}, [block(0)]) == {}
    assert match({1: block(0)}, []) == {}
