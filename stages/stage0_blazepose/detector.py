"""People in one picture, by BlazePose's detector: where somebody is, how large, and how turned.

It knows people over a quarter of the square that it sees. For smaller ones the picture is cut into
tiles.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8
from scipy.special import expit

from stages.blazepose.crops import Crop, crop_of_body, cut
from stages.blazepose.networks import Network, Outputs

SIZE = 224
"""Side of the network's picture in pixels."""
GRIDS = ((28, 2), (14, 2), (7, 6))
"""Cells along a side, and anchors a cell; the network's last three layers have equal grids."""
LEAST_SCORE = 0.5
SAME = 0.3
"""Boxes with more than this in common, of both together, are of one person (BlazePose's own)."""
TILES_ALONG = (1.0, 0.6)
"""Sides of tiles over the picture's shorter edge."""
TILES_SHARE = 0.25
"""Share of a tile that the next one sees too, at least."""


@dataclass(frozen=True)
class Detection:
    """Somebody: the middle of the hips, and a point of the circle around the body over the head."""

    score: float
    box_px: Float[np.ndarray, "4"]
    """x1, y1, x2, y2 of the head and shoulders."""
    hips_px: Float[np.ndarray, "2"]
    rim_px: Float[np.ndarray, "2"]

    @property
    def crop(self) -> Crop:
        """The upright square around the whole body."""
        return crop_of_body(self.hips_px, self.rim_px)


def anchors() -> Float[np.ndarray, "2254 2"]:
    """Middles of the anchors, in shares of the network's picture."""
    middles = []
    for cells, each in GRIDS:
        rows, columns = np.divmod(np.arange(cells**2), cells)
        middles.append(np.repeat((np.column_stack([columns, rows]) + 0.5) / cells, each, axis=0))
    return np.concatenate(middles)


class PersonDetector:
    """The detector's network over pictures and their tiles."""

    def __init__(self, network: Network) -> None:
        self.network, self.anchors = network, anchors()

    def whole(self, image: UInt8[np.ndarray, "H W 3"]) -> list[Detection]:
        """The people in a picture, best first."""
        return self._in_squares(image, [whole_square(*image.shape[:2])])

    def tiles(self, image: UInt8[np.ndarray, "H W 3"]) -> list[Detection]:
        """The people in the picture and in its tiles, best first."""
        size = image.shape[:2]
        return self._in_squares(image, [whole_square(*size), *tile_squares(*size)])

    def _in_squares(
        self, image: UInt8[np.ndarray, "H W 3"], squares: list[Crop]
    ) -> list[Detection]:
        pictures = [cut(image, each, SIZE).astype(np.float32) / 127.5 - 1 for each in squares]
        found = zip(squares, self.network(pictures), strict=True)
        return merged([each for square, out in found for each in self._decoded(square, out)])

    def _decoded(self, square: Crop, outputs: Outputs) -> list[Detection]:
        logits = outputs[(len(self.anchors), 1)][:, 0]
        found = np.flatnonzero(logits > np.log(LEAST_SCORE / (1 - LEAST_SCORE)))
        values = outputs[(len(self.anchors), 12)][found].reshape(-1, 6, 2).astype(float) / SIZE
        # Middle and size of the box, hips, rim, shoulders, and a rim around the upper body.
        at = np.delete(values, 1, axis=1) + self.anchors[found, None]
        half = values[:, 1] / 2
        points = np.stack([at[:, 0] - half, at[:, 0] + half, at[:, 1], at[:, 2]], 1) * SIZE
        placed = (square.to_image(each, SIZE) for each in points)
        return [
            Detection(float(score), each[:2].ravel(), each[2], each[3])
            for score, each in zip(expit(logits[found]), placed, strict=True)
        ]


def whole_square(height: int, width: int) -> Crop:
    """The square around a whole picture."""
    return Crop(np.array([(width - 1) / 2, (height - 1) / 2]), float(max(height, width)))


def tile_squares(height: int, width: int) -> list[Crop]:
    """Squares that cover the picture, of several sizes, each sharing its rims with the next."""
    squares = []
    for share in TILES_ALONG:
        side = share * min(height, width)
        squares += [
            Crop(np.array([x, y]), side)
            for y in _middles(height, side)
            for x in _middles(width, side)
        ]
    return squares


def _middles(length: int, side: float) -> Float[np.ndarray, " N"]:
    if side >= length:
        return np.array([(length - 1) / 2])
    count = int(np.ceil((length - side) / ((1 - TILES_SHARE) * side))) + 1
    return np.linspace(side / 2, length - side / 2, count) - 0.5


def merged(detections: list[Detection]) -> list[Detection]:
    """One detection a person: the mean of those whose boxes overlap, weighted by their scores."""
    waiting = sorted(detections, key=lambda each: -each.score)
    people = []
    while waiting:
        of_one = [each for each in waiting if overlap(each.box_px, waiting[0].box_px) > SAME]
        waiting = [each for each in waiting if all(each is not other for other in of_one)]
        weights = [each.score for each in of_one]
        box, hips, rim = (
            np.average([getattr(each, name) for each in of_one], axis=0, weights=weights)
            for name in ("box_px", "hips_px", "rim_px")
        )
        people.append(Detection(of_one[0].score, box, hips, rim))
    return people


def overlap(a: Float[np.ndarray, "4"], b: Float[np.ndarray, "4"]) -> float:
    """Intersection of two boxes over their union."""
    low, high = np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])
    intersection = float(np.prod(np.clip(high - low, 0, None)))
    union = float(np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2])) - intersection
    return intersection / union if union > 0 else 0.0
