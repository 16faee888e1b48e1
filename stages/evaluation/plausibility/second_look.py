"""BlazePose looks again at people whom the official networks followed, in some pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float, UInt8

from stages.artifacts.images import read_image
from stages.artifacts.masks import Box, PersonLabel, box_of, read_mask
from stages.drawing.panels import evenly_spread
from stages.evaluation.plausibility.limbs import LIMBS
from stages.evaluation.plausibility.measured import NotMeasuredError
from stages.weights.errors import WeightsError
from stages.weights.locate import fetched
from stages.weights.manifest import read_manifest
from stages.weights.remedy import require_whole

if TYPE_CHECKING:
    from stages.blazepose.sightings import Estimator

KEY = "blazepose"
FRAMES, LEAST_FRAMES = 20, 12
"""Looked at in a clip, shared by its people; and of each of them, however many there are."""
MOST_PEOPLE = 4
"""More would take longer than all other measures together."""
LEAST_SEEN = 9
"""In fewer frames, one that is seen wrongly would bring a clip into doubt."""
SIDE_BY_SIDE = 2
"""A picture and its mirror image."""
SOMEBODY = 0.5
"""A score below this, and nobody is in the crop (BlazePose's own)."""


@dataclass(frozen=True, eq=False)
class Look:
    """One person in one picture.

    limbs: x, y in the picture and visibility, 0 to 1, of the joints of `LIMBS`.
    height_px: of the person's box.
    """

    limbs: Float[np.ndarray, "12 3"]
    height_px: float


def looks_of(
    pictures: Mapping[str, Path],
    labels: Mapping[str, Mapping[int, PersonLabel]],
    masks: Path,
    frames: Mapping[int, Sequence[str]],
) -> dict[int, dict[str, Look]]:
    """Looks by person and frame, spread over each person's frames.

    Args:
        pictures, labels: by the frames' names.
        masks: the folder that has them.
        frames: names of the frames to choose from, by person, the most important first.

    Raises:
        NotMeasuredError: BlazePose cannot be run here, or sees too little of them.
    """
    network = estimator()
    most = max(LEAST_FRAMES, FRAMES // max(1, len(frames)))
    found: dict[int, dict[str, Look]] = {}
    for person in list(frames)[:MOST_PEOPLE]:
        known = [name for name in frames[person] if person in labels[name]]
        chosen = [known[place] for place in evenly_spread(len(known), most)]
        looks = {}
        for name in chosen:
            picture = read_image(pictures[name])
            ids = read_mask(masks, name) if len(labels[name]) > 1 else np.zeros((1, 1), int)
            others = (ids > 0) & (ids != person)
            look = look_at(network, picture, labels[name][person].box, others)
            if look is not None:
                looks[name] = look
        if len(looks) >= LEAST_SEEN:
            found[person] = looks
    if not found:
        raise NotMeasuredError(
            f"BlazePose sees the people in fewer than {LEAST_SEEN} frames and cannot judge them"
        )
    return found


def is_possible() -> bool:
    """Whether BlazePose can be run here."""
    try:
        estimator()
    except NotMeasuredError:
        return False
    return True


def estimator() -> "Estimator":
    """BlazePose's landmark network.

    Raises:
        NotMeasuredError: its weights, or what runs them, are not here.
    """
    folder = fetched(KEY)
    try:
        require_whole(read_manifest()[KEY], folder)
        return _loaded(folder)
    except (ImportError, WeightsError) as error:
        raise NotMeasuredError(f"BlazePose cannot judge the people: {error}") from None


@cache
def _loaded(folder: Path) -> "Estimator":
    # Images without BlazePose have nothing that runs it.
    from stages.blazepose.landmarks import FILE
    from stages.blazepose.networks import Network
    from stages.blazepose.sightings import Estimator

    return Estimator(Network(folder / FILE, SIDE_BY_SIDE))


def look_at(
    network: "Estimator",
    picture: UInt8[np.ndarray, "H W 3"],
    box: Box,
    others: Bool[np.ndarray, "H W"] | None = None,
) -> Look | None:
    """The person in a box; None if BlazePose sees nobody whose hips are in it.

    Args:
        others: pixels of other people, who are painted over.
    """
    from stages.blazepose.crops import crop_of_box
    from stages.blazepose.keypoints import POINT_OF
    from stages.blazepose.sightings import Masked

    known = []
    if others is not None and others.any():
        known = [Masked(crop_of_box(box_of(others)), 255 * others.astype(np.uint8))]
    seen = network.settle(picture, crop_of_box(box), known)
    x, y = seen.next_crop.centre_px
    if seen.score < SOMEBODY or not (box[0] <= x <= box[2] and box[1] <= y <= box[3]):
        return None
    points = [POINT_OF[row] for row in LIMBS]
    limbs = np.column_stack([seen.points_px[points, :2], seen.visibility[points]])
    return Look(limbs, float(max(box[3] - box[1], 1)))
