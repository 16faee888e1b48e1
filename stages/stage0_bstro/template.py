"""The resting body that BSTRO's vertices start from: rotated, centred, thinned out."""

import numpy as np
from jaxtyping import Float, Float32, Int

_UPRIGHT_ANGLE_RAD = 3.1416
"""The original's value; the official weights were trained with it, not with pi."""


def rotated_rest_vertices(
    v_template: Float[np.ndarray, "v 3"], root: Float[np.ndarray, "3"]
) -> Float32[np.ndarray, "v 3"]:
    """The body in its zero pose and mean shape, turned about x at its root joint.

    With every other joint at rest the pose blend shapes vanish and all vertices move with the root.
    """
    cos, sin = np.cos(_UPRIGHT_ANGLE_RAD), np.sin(_UPRIGHT_ANGLE_RAD)
    turn = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    return ((v_template - root) @ turn.T + root).astype(np.float32)


def coarse_template(
    vertices: Float[np.ndarray, "v 3"],
    pelvis: Float[np.ndarray, "3"],
    selection: Int[np.ndarray, " coarse"],
) -> Float32[np.ndarray, "coarse 3"]:
    """The selected vertices relative to the pelvis."""
    return (vertices[selection] - pelvis).astype(np.float32)
