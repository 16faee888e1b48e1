"""The network's masks at the picture's size: one id a pixel."""

from collections.abc import Mapping

import cv2
import numpy as np
from jaxtyping import Bool, UInt8, UInt16

from stages.artifacts.masks import box_of
from stages.blazepose.landmarks import SIZE
from stages.blazepose.sightings import Sighting

INSIDE = 127
"""A pixel is of a person if more than this, of 255, speaks for it."""
LEAST_PART = 0.1
"""Of a person's largest part: smaller ones are specks."""
LARGEST_HOLE = 0.01
"""Of a person: larger holes, such as under an arm on a hip, are real."""


def id_map(seen: Mapping[int, Sighting], size: tuple[int, int]) -> UInt16[np.ndarray, "H W"]:
    """Person id of every pixel, 0 for background; where several are, the surer one's.

    Args:
        seen: people of one frame, by id.
        size: height and width of the picture.
    """
    ids, best = np.zeros(size, np.uint16), np.full(size, INSIDE, np.uint8)
    for person, sighting in seen.items():
        mask = in_picture(sighting, size)
        surer = mask > best
        ids[surer], best[surer] = person, mask[surer]
    for person in seen:
        x1, y1, x2, y2 = box_of(ids == person)
        inside = ids[y1 : y2 + 1, x1 : x2 + 1]
        own = inside == person
        clean = cleaned(own)
        inside[own & ~clean] = 0
        inside[clean & (inside == 0)] = person
    return ids


def in_picture(seen: Sighting, size: tuple[int, int]) -> UInt8[np.ndarray, "H W"]:
    """The network's mask in the picture, times 255; cubic, so that outlines are smooth."""
    return cv2.warpAffine(
        seen.mask, seen.crop.image_from_crop(SIZE), size[::-1], flags=cv2.INTER_CUBIC
    )


def cleaned(mask: Bool[np.ndarray, "H W"]) -> Bool[np.ndarray, "H W"]:
    """The mask without specks and without small holes."""
    parts, areas = _parts(mask)
    kept = (areas >= LEAST_PART * areas.max())[parts] & mask
    # A rim, so that what reaches the edge is one background with what is outside.
    gaps, areas = _parts(np.pad(~kept, 1, constant_values=True))
    holes = (areas <= LARGEST_HOLE * kept.sum())[gaps][1:-1, 1:-1]
    return kept | (holes & ~kept)


def _parts(mask: Bool[np.ndarray, "H W"]) -> tuple[np.ndarray, np.ndarray]:
    """The number of every pixel's connected part, and the parts' areas; 0 is outside of the mask
    and has none."""
    _, parts, statistics, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    areas = statistics[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    return parts, areas
