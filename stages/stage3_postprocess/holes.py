"""Heights for places that no camera saw but that lie between places that cameras saw."""

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import ndimage
from scipy.spatial import ConvexHull, Delaunay, QhullError, cKDTree

POWER = 1.5
NEIGHBOURS = 64
STEP_M = 0.05
"""Cells within a cell of each other that differ by more are of two levels."""
SMALLEST_LEVEL_M2 = 0.02
"""Levels have room for a foot; less is noise."""
LOWER_SHARE = 0.5
"""Of the cells of two surfaces: fewer lower ones between them are noise at their edges."""
FOOT_ROOM_M = 0.15
"""Around a foot: it is as long as that on either side of its middle."""
_AROUND = np.ones((3, 3), bool)


def filled(
    points: Float[np.ndarray, "N 3"], spacing_m: float, feet: Float[np.ndarray, "F 3"]
) -> tuple[Float[np.ndarray, "M 3"], Float[np.ndarray, "M 3"]]:
    """Points and normals in the holes of a z-up cloud, seen from above, inside its convex hull.

    A hole is what something hides, a person or an obstacle. It continues the highest level at its
    border that it lies between, such as the top of a box that somebody stands on; otherwise the
    largest, such as the ground behind a box. Its height is the mean of the level's 64 nearest
    cells, weighted by distance^-1.5. Where a foot has been lower by a step, it is as low as the
    foot was: what people move through is empty. Where it borders on something higher there is a
    wall.

    Args:
        points: of the surfaces that were seen.
        spacing_m: size of the grid's cells; smaller gaps are no holes.
        feet: where people's soles have been.
    """
    low = points[:, :2].min(0)
    columns = ((points[:, :2] - low) / spacing_m).astype(int)
    heights = np.full(columns.max(0) + 1, -np.inf)
    np.maximum.at(heights, tuple(columns.T), points[:, 2])
    seen = np.isfinite(heights)
    holes = np.argwhere(~seen)
    holes = holes[_between(holes, np.argwhere(seen))]
    levels = _levels(heights, seen, round(SMALLEST_LEVEL_M2 / spacing_m**2))
    if not levels or len(holes) == 0:
        return np.zeros((0, 3)), np.zeros((0, 3))
    hole = _mask(holes, seen.shape)
    numbers, _ = ndimage.label(hole, _AROUND)
    z = _continued(holes, levels[0], heights)
    for level in levels[1:]:
        beside = hole & ndimage.binary_dilation(_mask(level, seen.shape), _AROUND)
        reached = np.isin(numbers[tuple(holes.T)], numbers[beside])
        inside = reached & _between(holes, level)
        z[inside] = np.maximum(z[inside], _continued(holes[inside], level, heights))
    below = _lowest_around(feet - [*low, 0.0], seen.shape, spacing_m)[tuple(holes.T)]
    z = np.where(z > below + STEP_M, below, z)
    heights[tuple(holes.T)] = z
    floor = np.column_stack([low + (holes + 0.5) * spacing_m, z])
    parts = [(floor, np.tile([0.0, 0.0, 1.0], (len(floor), 1)))]
    for side in np.array([[1, 0], [-1, 0], [0, 1], [0, -1]]):
        parts.append(_walls(floor, holes + side, side, heights, spacing_m))
    found, normals = zip(*parts, strict=True)
    return np.vstack(found), np.vstack(normals)


def _lowest_around(
    feet: Float[np.ndarray, "F 3"], shape: tuple[int, ...], spacing_m: float
) -> Float[np.ndarray, "X Y"]:
    """The lowest height of feet near each cell; infinite where none was."""
    cells = np.floor(feet[:, :2] / spacing_m).astype(int)
    inside = ((cells >= 0) & (cells < shape)).all(axis=1)
    lowest = np.full(shape, np.inf)
    np.minimum.at(lowest, tuple(cells[inside].T), feet[inside, 2])
    reach = round(FOOT_ROOM_M / spacing_m)
    return ndimage.minimum_filter(lowest, 2 * reach + 1, mode="constant", cval=np.inf)


def _walls(
    floor: Float[np.ndarray, "N 3"],
    neighbours: Int[np.ndarray, "N 2"],
    side: Int[np.ndarray, "2"],
    heights: Float[np.ndarray, "X Y"],
    spacing_m: float,
) -> tuple[Float[np.ndarray, "M 3"], Float[np.ndarray, "M 3"]]:
    """Upright faces between floor and higher neighbouring cells on one side of it."""
    exists = ((neighbours >= 0) & (neighbours < heights.shape)).all(1)
    top = np.full(len(floor), -np.inf)
    top[exists] = heights[tuple(neighbours[exists].T)]
    rise = np.where(top > floor[:, 2] + STEP_M, top - floor[:, 2], 0.0)
    steps = rise // (spacing_m / 2)
    rows = np.repeat(np.arange(len(floor)), steps.astype(int))
    nth = np.arange(len(rows)) - np.repeat(np.cumsum(steps) - steps, steps.astype(int))
    found = floor[rows]
    found[:, :2] += 0.5 * spacing_m * side
    found[:, 2] += (nth + 0.5) * spacing_m / 2
    return found, np.tile([*-side.astype(float), 0.0], (len(rows), 1))


def _mask(cells: Int[np.ndarray, "N 2"], shape: tuple[int, ...]) -> Bool[np.ndarray, "X Y"]:
    mask = np.zeros(shape, bool)
    mask[tuple(cells.T)] = True
    return mask


def _levels(
    heights: Float[np.ndarray, "X Y"], seen: Bool[np.ndarray, "X Y"], min_cells: int
) -> list[Int[np.ndarray, "_ 2"]]:
    """The cells of surfaces without steps, the largest surface first."""
    highest = ndimage.maximum_filter(heights, 3)
    lowest = ndimage.minimum_filter(np.where(seen, heights, np.inf), 3)
    labels, _ = ndimage.label(seen & (highest - lowest < STEP_M))
    cells, sizes = np.argwhere(seen), np.bincount(labels.ravel())
    levels: list[np.ndarray] = []
    for label in np.argsort(-sizes):
        if label > 0 and sizes[label] >= min_cells:
            inner = labels == label
            as_high = np.abs(heights - np.median(heights[inner])) < STEP_M
            surface = ndimage.binary_propagation(inner, mask=inner | as_high)
            _join(levels, np.argwhere(surface), heights, cells)
    return levels


def _join(
    levels: list[Int[np.ndarray, "_ 2"]],
    part: Int[np.ndarray, "K 2"],
    heights: Float[np.ndarray, "X Y"],
    seen: Int[np.ndarray, "N 2"],
) -> None:
    """Adds a surface to the levels: to one of its height if nothing lower is seen between them.

    So a stair stays one where a person who walks up it hides its middle all the time.
    """
    height = np.median(heights[tuple(part.T)])
    lower = seen[heights[tuple(seen.T)] < height - STEP_M]
    for index, level in enumerate(levels):
        both = np.vstack([level, part])
        alike = abs(np.median(heights[tuple(level.T)]) - height) < STEP_M
        if alike and _between(lower, both).sum() <= LOWER_SHARE * len(both):
            levels[index] = both
            return
    levels.append(part)


def _between(
    places: Int[np.ndarray, "N 2"], cells: Int[np.ndarray, "K 2"]
) -> Bool[np.ndarray, " N"]:
    """Which places lie inside the convex hull of cells."""
    try:
        hull = Delaunay(cells[ConvexHull(cells).vertices])
    except (QhullError, ValueError):
        return np.zeros(len(places), bool)
    return hull.find_simplex(places) >= 0


def _continued(
    places: Int[np.ndarray, "N 2"], level: Int[np.ndarray, "K 2"], heights: np.ndarray
) -> Float[np.ndarray, " N"]:
    count = min(NEIGHBOURS, len(level))
    distance, index = cKDTree(level).query(places, k=[*range(1, count + 1)])
    weight = distance**-POWER
    return (weight * heights[tuple(level.T)][index]).sum(1) / weight.sum(1)
