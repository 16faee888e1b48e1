"""Trajectories padded to a common length, and masks that say which frames are real."""

import jax
import numpy as np
from jaxtyping import Bool

from stages.solving.problem import Data


def pad_frames(tree: Data, length: int, axis: int = 1) -> Data:
    """Repeat the last frame of every leaf up to `length`, so that padded values stay valid."""

    def pad(leaf: np.ndarray) -> np.ndarray:
        leaf = np.asarray(leaf)
        width = [(0, 0)] * leaf.ndim
        width[axis] = (0, length - leaf.shape[axis])
        return np.pad(leaf, width, mode="edge")

    return jax.tree.map(pad, tree)


def pad_mask(mask: Bool[np.ndarray, "P T"], length: int) -> Bool[np.ndarray, "P F"]:
    """Extend a frame mask by False."""
    return np.pad(np.asarray(mask, bool), ((0, 0), (0, length - mask.shape[1])))
