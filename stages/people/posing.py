"""Points of the body over whole trajectories in NumPy, for first guesses and checks."""

import numpy as np
from jaxtyping import Float

from stages.body import skeleton as body_skeleton
from stages.body.skeleton import Skeleton
from stages.people.skeleton import KEYPOINTS, SOLES


def posed_points(
    rotmats: Float[np.ndarray, "T 24 3 3"], root: Float[np.ndarray, "T 3"], skeleton: Skeleton
) -> tuple[Float[np.ndarray, "T 18 3"], Float[np.ndarray, "T 4 3"]]:
    """Keypoints and soles of the poses; `rotmats[:, 0]` takes the root to where `root` is."""
    points = body_skeleton.posed_points(rotmats, root, skeleton)
    return points[:, :KEYPOINTS], points[:, KEYPOINTS : KEYPOINTS + SOLES]


def posed_parts(
    rotmats: Float[np.ndarray, "T 24 3 3"], root: Float[np.ndarray, "T 3"], skeleton: Skeleton
) -> Float[np.ndarray, "T P 3"]:
    """The skeleton's points of parts that may touch the world, other than soles."""
    return body_skeleton.posed_points(rotmats, root, skeleton)[:, KEYPOINTS + SOLES :]
