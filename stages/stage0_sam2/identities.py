"""Which detection is which person followed so far."""

import numpy as np
from jaxtyping import Bool
from scipy.optimize import linear_sum_assignment

SAME_PERSON_IOU = 0.5


def mask_iou(a: Bool[np.ndarray, "H W"], b: Bool[np.ndarray, "H W"]) -> float:
    """Intersection over union; 0 if both are empty."""
    union = np.count_nonzero(a | b)
    return np.count_nonzero(a & b) / union if union else 0.0


def contained(a: Bool[np.ndarray, "H W"], b: Bool[np.ndarray, "H W"]) -> float:
    """Share of the smaller mask that the other one covers; 0 if either is empty."""
    smaller = min(np.count_nonzero(a), np.count_nonzero(b))
    return np.count_nonzero(a & b) / smaller if smaller else 0.0


def match(
    followed: dict[int, Bool[np.ndarray, "H W"]], detected: list[Bool[np.ndarray, "H W"]]
) -> dict[int, int]:
    """Pairs people with detections so that the summed overlap is largest.

    Args:
        followed: masks carried on to this frame, by person.
        detected: masks of the detections.

    Returns:
        Position of the detection by person, for overlaps of at least 0.5.
    """
    if not followed or not detected:
        return {}
    people = list(followed)
    overlap = np.array(
        [[mask_iou(followed[person], mask) for mask in detected] for person in people]
    )
    rows, columns = linear_sum_assignment(-overlap)
    return {
        people[row]: int(column)
        for row, column in zip(rows, columns, strict=True)
        if overlap[row, column] >= SAME_PERSON_IOU
    }
