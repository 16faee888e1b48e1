"""One person in one frame, in the picture's own terms."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from stages.blazepose.crops import Crop, crop_of_body, cut, moved, painted_over, rotation
from stages.blazepose.landmarks import BODY, HIPS, RIM, SIZE, Landmarks, decoded, mean
from stages.blazepose.networks import Network
from stages.tracking.appearance import Colours, colours_of

MOST_TRIES = 3
AT_ODDS_PX = 10.0
"""Of the network's pixels, on average: the picture and its mirror image are seen differently, such
as from the front and from the back, and a mean of both would be neither."""


class Known(Protocol):
    """Somebody whose pixels are known."""

    @property
    def crop(self) -> Crop:
        """A square that has all of them."""

    def mask_in(self, crop: Crop) -> UInt8[np.ndarray, "256 256"]:
        """That a pixel of a crop is theirs, times 255."""


@dataclass(frozen=True, eq=False)
class Masked:
    """Somebody by their mask; mask: that a pixel of the picture is theirs, times 255."""

    crop: Crop
    mask: UInt8[np.ndarray, "H W"]

    def mask_in(self, crop: Crop) -> UInt8[np.ndarray, "256 256"]:
        return cut(self.mask, crop, SIZE)


@dataclass(frozen=True, eq=False)
class Sighting:
    """One person in one frame.

    crop: where the network looked; next_crop: where the person is, to look there in the next frame.
    points_px: x, y in the picture; z, forward, as many pixels away from the middle of the hips.
    world_m: the same points in metres from the middle of the hips, along the axes of the picture:
    x right, y down, z forward along the ray through the middle of the crop.
    visibility: that a point is to be seen; presence: that it is within the picture; 0 to 1.
    score: that somebody is there, 0 to 1.
    """

    crop: Crop
    next_crop: Crop
    score: float
    points_px: Float[np.ndarray, "33 3"]
    world_m: Float[np.ndarray, "33 3"]
    visibility: Float[np.ndarray, "33"]
    presence: Float[np.ndarray, "33"]
    colours: Colours
    packed_mask: bytes

    @property
    def mask(self) -> UInt8[np.ndarray, "256 256"]:
        """That a pixel of the crop is of the person, times 255."""
        return np.frombuffer(zlib.decompress(self.packed_mask), np.uint8).reshape(SIZE, SIZE)

    def mask_in(self, crop: Crop) -> UInt8[np.ndarray, "256 256"]:
        """The mask in the pixels of another crop of the same frame."""
        to_image, from_image = (
            np.vstack([each.image_from_crop(SIZE), [0, 0, 1]]) for each in (crop, self.crop)
        )
        transform = (np.linalg.inv(to_image) @ from_image)[:2]
        return cv2.warpAffine(self.mask, transform, (SIZE, SIZE))


class Estimator:
    """The landmark network over people in pictures."""

    def __init__(self, network: Network) -> None:
        self.network = network

    def settle(
        self,
        image: UInt8[np.ndarray, "H W 3"],
        crop: Crop,
        others: Sequence[Known] = (),
        before: Sighting | None = None,
    ) -> Sighting:
        """The person around a crop, looked at again where they turn out to be elsewhere."""
        seen = self(image, crop, others, before)
        for _ in range(MOST_TRIES - 1):
            if not moved(seen.crop, seen.next_crop):
                break
            seen = self(image, seen.next_crop, others, before)
        return seen

    def __call__(
        self,
        image: UInt8[np.ndarray, "H W 3"],
        crop: Crop,
        others: Sequence[Known] = (),
        before: Sighting | None = None,
    ) -> Sighting:
        """The person in a crop.

        Args:
            others: people who are known; they are painted over.
            before: the person in a frame beside this one.
        """
        picture = cut(image, crop, SIZE)
        for other in others:
            if crop.meets(other.crop):
                picture = painted_over(picture, other.mask_in(crop) > 127)
        values = picture.astype(np.float32) / 255
        plain, mirrored = self.network([values, np.ascontiguousarray(values[:, ::-1])])
        seen = combined(decoded(plain), decoded(mirrored).unmirrored(), crop, before)
        mask = np.round(255 * seen.mask).astype(np.uint8)
        places_px = crop.to_image(seen.points[:, :2], SIZE)
        depths_px = seen.points[:, 2] * crop.side_px / SIZE
        world_m = seen.world_m[:BODY].copy()
        world_m[:, :2] = world_m[:, :2] @ rotation(crop.turn_rad).T
        return Sighting(
            crop=crop,
            next_crop=crop_of_body(places_px[HIPS], places_px[RIM]),
            score=seen.score,
            points_px=np.column_stack([places_px, depths_px])[:BODY],
            world_m=world_m,
            visibility=seen.visibility[:BODY],
            presence=seen.presence[:BODY],
            colours=clothes_of(picture, mask > 127),
            packed_mask=packed(mask),
        )


def packed(mask: UInt8[np.ndarray, "256 256"]) -> bytes:
    """A mask in a few kilobytes: a video has many."""
    return zlib.compress(mask.tobytes(), 1)


def combined(
    plain: Landmarks, mirrored: Landmarks, crop: Crop, before: Sighting | None
) -> Landmarks:
    """The mean of both looks; where they are at odds, the one that goes on from the frame before,
    or the one that sees more."""

    def apart(a: Float[np.ndarray, "K 3"], b: Float[np.ndarray, "K 3"]) -> float:
        return float(np.linalg.norm(a[:BODY, :2] - b[:BODY, :2], axis=1).mean())

    if apart(plain.points, mirrored.points) < AT_ODDS_PX:
        return mean(plain, mirrored)
    if before is None:
        return max(plain, mirrored, key=lambda look: look.visibility.mean())
    return min(
        plain,
        mirrored,
        key=lambda look: apart(crop.to_image(look.points[:, :2], SIZE), before.points_px),
    )


def clothes_of(
    picture: UInt8[np.ndarray, "256 256 3"], mask: Bool[np.ndarray, "256 256"]
) -> Colours:
    """Colours above and below the hips, which are in the middle of a crop."""
    parts = (slice(0, SIZE // 2), slice(SIZE // 2, SIZE))
    counts = [mask[part].sum() * colours_of(picture[part], mask[part]) for part in parts]
    return np.array(counts) / max(1, mask.sum())
