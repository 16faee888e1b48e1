"""The original's bundle adjustment problem in this project's types."""

import numpy as np
import torch

from stages.stage1_megasam.bundle_adjustment import FlowEdges
from stages.stage1_megasam.projection import Scene

Golden = dict[str, np.ndarray]
WXYZ_FIRST = [0, 1, 2, 6, 3, 4, 5]
"""Columns of a pose with its quaternion's real part last, in this project's order."""


def relative_error(ours: torch.Tensor, golden: np.ndarray) -> float:
    """The largest difference in standard deviations of the reference."""
    assert tuple(ours.shape) == golden.shape
    return float(np.abs(ours.numpy() - golden).max() / max(golden.std(), 1e-9))


def golden_scene(golden: Golden, intrinsics: str) -> Scene:
    """Where bundle adjustment begins."""
    return Scene(
        torch.from_numpy(golden["ba_poses"])[0][:, WXYZ_FIRST],
        torch.from_numpy(golden["ba_disps"])[0],
        torch.from_numpy(golden[intrinsics])[0, 0],
    )


def golden_edges(golden: Golden) -> FlowEdges:
    """Its flow."""
    ii, jj, target, weight, eta = (
        torch.from_numpy(golden[f"ba_{name}"]) for name in ("ii", "jj", "target", "weight", "eta")
    )
    return FlowEdges(ii, jj, target[0], weight[0], eta)
