"""When a foot counts as standing: enough of its vertices are surely in contact."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int


@dataclass(frozen=True)
class FootRule:
    """Vertices of the two feet, and the thresholds of the original's command line."""

    left_vertices: Int[np.ndarray, " left"]
    right_vertices: Int[np.ndarray, " right"]
    contact_thr: float = 0.95
    feet_contact_ratio_thr: float = 0.2


def feet_in_contact(
    probability: Float[np.ndarray, "n 6890"], rule: FootRule
) -> Bool[np.ndarray, "n 2"]:
    """Left and right: is the share of the foot's vertices above `contact_thr` large enough?"""
    touching = probability > rule.contact_thr
    shares = [touching[:, v].mean(axis=1) for v in (rule.left_vertices, rule.right_vertices)]
    return np.stack(shares, axis=1) > rule.feet_contact_ratio_thr
