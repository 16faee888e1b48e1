"""Edges between frames that see much the same, spread over the video."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from stages.stage1_megasam.graph.edges import NONE, Pairs, near

_FARTHEST = 100.0
"""In cells: beyond, frames have nothing in common."""


@dataclass(frozen=True)
class Proximity:
    """How edges are chosen; defaults are those of the front end."""

    radius: int = 2
    """Frames up to one more than this apart are always joined."""
    suppression: int = 1
    """An edge keeps others away that are as many steps from it in source and target."""
    threshold: float = 12.0
    """In cells: frames farther apart are not joined."""
    most: int = 48
    """No further edge is chosen once there are more; both directions count."""


def proximity_edges(
    distances: Float[np.ndarray, "s t"],
    first_source: int,
    first_target: int,
    known: Pairs,
    rule: Proximity,
) -> Pairs:
    """Edges from the frames of the rows to earlier ones of the columns, and back.

    `distances` in cells; its last row and column are the last frame. `known`: edges that are or
    were there, which keep others away. First come neighbours, then pairs by distance.
    """
    end = first_source + len(distances)
    cost = distances.astype(np.float64)
    sources = np.arange(first_source, end)[:, None]
    targets = np.arange(first_target, end)[None]
    cost[(sources - rule.radius < targets) | (cost > _FARTHEST)] = np.inf

    def strike(pairs: list[tuple[int, int]]) -> None:
        for i, j in pairs:
            if first_source <= i < end and first_target <= j < end:
                cost[i - first_source, j - first_target] = np.inf

    for i, j in known:
        strike(list(near((int(i), int(j)), rule.suppression)))
    chosen: list[tuple[int, int]] = []
    for i in range(first_source, end):
        for j in range(max(i - rule.radius - 1, 0), i):
            chosen += [(i, j), (j, i)]
            strike([(i, j)])
    for k in np.argsort(cost, axis=None, kind="stable"):
        row, column = np.unravel_index(k, cost.shape)
        if len(chosen) > rule.most:
            break
        if not cost[row, column] <= rule.threshold:
            continue
        i, j = first_source + int(row), first_target + int(column)
        chosen += [(i, j), (j, i)]
        strike(list(near((i, j), rule.suppression)))
    return np.array(chosen, np.int64) if chosen else NONE
