"""The shape of a body by how long its limbs are seen to be."""

import numpy as np
from jaxtyping import Float

from stages.body.model import BodyModel
from stages.body.shape_fitting import fit_limb_lengths
from stages.stage0_blazepose.correspondence import ABOVE_ANKLE_M, ABOVE_HIP_M, row
from stages.stage0_blazepose.observations import Observations

LIMBS = (
    ("hip", "knee"),
    ("knee", "ankle"),
    ("shoulder", "elbow"),
    ("elbow", "wrist"),
    ("hip", "shoulder"),
)
LONGER_M = {
    ("knee", "ankle"): ABOVE_ANKLE_M,
    ("hip", "knee"): -ABOVE_HIP_M,
    ("hip", "shoulder"): ABOVE_HIP_M,
}
"""SMPL's limbs than BlazePose's."""
TOLERANCE_M = 0.02
"""A limb that misses its length by this much costs as much as one unit of beta."""
Limb = tuple[str, str]


def limb_lengths_m(seen: Observations) -> dict[Limb, float]:
    """Median lengths of the limbs where they are best to be seen, the same on both sides."""
    lengths: dict[Limb, float] = {}
    for limb in LIMBS:
        both = [[row(f"{side}_{end}") for end in limb] for side in ("left", "right")]
        ends = seen.landmarks_m[:, both]
        found = np.linalg.norm(ends[:, :, 0] - ends[:, :, 1], axis=-1)
        sure = seen.visibility[:, both].min(axis=-1)
        length = float(np.median(found[sure >= np.median(sure)]))
        lengths |= {
            (f"{side}_{limb[0]}", f"{side}_{limb[1]}"): length for side in ("left", "right")
        }
    return lengths


def limb_shape(model: BodyModel, seen: Observations) -> Float[np.ndarray, " 10"]:
    """The likeliest shape with such limbs, as tall as the network takes the person to be.

    One camera does not see metres: the height is the network's guess.
    """
    lengths_m = {
        (start, end): length_m + LONGER_M.get((start.partition("_")[2], end.partition("_")[2]), 0.0)
        for (start, end), length_m in limb_lengths_m(seen).items()
    }
    return fit_limb_lengths(model, lengths_m, TOLERANCE_M, usual_beta=1.0)
