"""The square of the picture that a network sees, and the ways back to the picture.

Pixels have their centres at integers, in the picture and in the crop. A point that a network gives
counts from the crop's corner instead, so half a pixel goes off it.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

SETTLED = 0.05
"""Of a crop's side: somebody is taken to be where they are found once that moves by less."""
RIM_PX = 9
"""Of a network's picture: as wide as this is the brush that goes round somebody's mask."""
MARGIN = 1.25
"""Side of a crop over the diameter of the circle around the whole body (BlazePose's own)."""


@dataclass(frozen=True, eq=False)
class Crop:
    """A square around `centre_px`, `turn_rad` clockwise from upright in the picture."""

    centre_px: Float[np.ndarray, "2"]
    side_px: float
    turn_rad: float = 0.0

    def image_from_crop(self, size: int) -> Float[np.ndarray, "2 3"]:
        """Takes pixels of the crop at `size` x `size` to pixels of the picture."""
        linear = self.side_px / size * rotation(self.turn_rad)
        middle = np.full(2, (size - 1) / 2)
        return np.column_stack([linear, self.centre_px - linear @ middle])

    def meets(self, other: "Crop") -> bool:
        """Whether two crops can have a pixel in common."""
        distance = np.hypot(*(self.centre_px - other.centre_px))
        return bool(distance < (self.side_px + other.side_px) / np.sqrt(2))

    def to_image(self, points: Float[np.ndarray, "K 2"], size: int) -> Float[np.ndarray, "K 2"]:
        """Takes what a network that sees `size` x `size` gives to pixels of the picture."""
        transform = self.image_from_crop(size)
        return (points - 0.5) @ transform[:, :2].T + transform[:, 2]


def rotation(angle_rad: float) -> Float[np.ndarray, "2 2"]:
    """Turns x towards y: clockwise as pictures are seen."""
    cosine, sine = np.cos(angle_rad), np.sin(angle_rad)
    return np.array([[cosine, -sine], [sine, cosine]])


def crop_of_body(hips_px: Float[np.ndarray, "2"], rim_px: Float[np.ndarray, "2"]) -> Crop:
    """The crop that has a body upright.

    Args:
        hips_px: the middle of the hips.
        rim_px: a point of the circle around the whole body, in the direction of its head.
    """
    up = rim_px - hips_px
    return Crop(
        hips_px, float(2 * MARGIN * np.hypot(*up)), float(np.pi / 2 - np.arctan2(-up[1], up[0]))
    )


def crop_of_box(box: tuple[int, int, int, int]) -> Crop:
    """The upright crop that has all of somebody in a box: x1, y1, x2, y2, first and last pixels."""
    low, high = np.array(box[:2], float), np.array(box[2:], float)
    return Crop((low + high) / 2, float(MARGIN * (high - low + 1).max()))


def cut(image: UInt8[np.ndarray, "H W *C"], crop: Crop, size: int) -> UInt8[np.ndarray, "S S *C"]:
    """The crop at `size` x `size`, bilinear, black outside the picture."""
    return cv2.warpAffine(
        image,
        crop.image_from_crop(size),
        (size, size),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
    )


def moved(before: Crop, after: Crop) -> bool:
    """Whether a crop is elsewhere, or of another size, by more than a little."""
    shift = np.hypot(*(after.centre_px - before.centre_px)) / before.side_px
    return bool(max(shift, abs(after.side_px / before.side_px - 1) / 2) > SETTLED)


def painted_over(
    picture: UInt8[np.ndarray, "H W 3"], mask: Bool[np.ndarray, "H W"]
) -> UInt8[np.ndarray, "H W 3"]:
    """The picture with somebody replaced by the mirror image of what is around them.

    Plain colours would leave a silhouette, which a network takes for somebody.
    """
    person = cv2.dilate(mask.astype(np.uint8), np.ones((RIM_PX, RIM_PX), np.uint8))
    if not person.any() or person.all():
        return picture
    _, labels = cv2.distanceTransformWithLabels(
        person, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    outside = np.argwhere(person == 0)
    place = np.zeros((labels.max() + 1, 2), int)
    place[labels[tuple(outside.T)]] = outside
    inside = np.argwhere(person)
    nearest = place[labels[tuple(inside.T)]]
    across = 2 * nearest - inside
    within = np.clip(across, 0, np.array(mask.shape) - 1)
    good = (within == across).all(1) & (person[tuple(within.T)] == 0)
    painted = picture.copy()
    painted[tuple(inside.T)] = picture[tuple(np.where(good[:, None], within, nearest).T)]
    return painted
