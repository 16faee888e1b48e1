"""Depth of single pictures, in the form in which the network reads it.

Lu et al., "Align3R" (CVPR 2025), section 3.2: points of the picture's own camera, every coordinate
scaled to 0..1 over the whole picture. The focal length, which is not known at that point, is one
with the scale.
"""

import numpy as np
from jaxtyping import Float

from stages.stage1_align3r.picture_size import Cropping


def prior_map(depth: Float[np.ndarray, "H0 W0"], cropping: Cropping) -> Float[np.ndarray, "H W 3"]:
    """Of a picture's depth in any unit.

    Raises:
        ValueError: a depth is not a number.
    """
    if not np.isfinite(depth).all():
        raise ValueError("the depth prior has pixels that are no numbers")
    high, wide = depth.shape
    row, column = np.mgrid[:high, :wide].astype(np.float32)
    x, y = (column - wide / 2) * depth, (row - high / 2) * depth
    points = np.stack([x, y, depth], axis=-1).astype(np.float32)
    least, most = points.min((0, 1)), points.max((0, 1))
    # A coordinate that is the same everywhere says nothing.
    span = np.where(most > least, most - least, 1)
    return cropping.map((points - least) / span)
