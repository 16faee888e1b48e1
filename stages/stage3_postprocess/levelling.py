"""From an up direction to the z-up world of stage 3."""

import numpy as np
from jaxtyping import Float


def R_zup_from_up(
    up: Float[np.ndarray, "3"], R_world_camera: Float[np.ndarray, "3 3"]
) -> Float[np.ndarray, "3 3"]:
    """Rotation of the stage-2 world to the z-up world, by the first camera's heading.

    x is the right of the levelled camera, y its forward, z up.

    Args:
        up: direction against gravity in the stage-2 world, of any length.
        R_world_camera: first camera (x right, y down, z forward) to the stage-2 world.
    """
    z = up / np.linalg.norm(up)
    forward = R_world_camera[:, 2]
    if abs(forward @ z) > 0.99:  # A camera that looks straight down or up heads where its top is.
        forward = -R_world_camera[:, 1] * np.sign(-(forward @ z))
    y = forward - (forward @ z) * z
    y /= np.linalg.norm(y)
    return np.stack([np.cross(y, z), y, z])
