"""Parts of the body other than feet that touch the world: hands, knees, the seat."""

import numpy as np
from jaxtyping import Float32

from stages.body.model import BodyModel
from stages.body.surface_parts import Vertices, hand, knee, seat

PARTS = 5  # left hand, right hand, left knee, right knee, seat
TOUCHING = 0.5


def contact_parts(model: BodyModel) -> list[Vertices]:
    """The vertices of each part."""
    sides = ("left", "right")
    return [part(model, side) for part in (hand, knee) for side in sides] + [seat(model)]


def touches(probabilities: Float32[np.ndarray, "6890 1"], part: Vertices) -> bool:
    """Whether most of a part is in contact, by what is said of the vertices."""
    return float(probabilities[part].mean()) > TOUCHING
