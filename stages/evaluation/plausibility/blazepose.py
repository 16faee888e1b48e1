"""BlazePose as an independent judge: whether it sees the limbs where the official networks do, and
where the solved body has them."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float

from stages.artifacts.verdicts import SMALL, Measure, Values
from stages.body.joint_names import COCO_WHOLEBODY_NAMES
from stages.evaluation.plausibility.body import MIN_SCORE, SMPL_LIMBS
from stages.evaluation.plausibility.clip import Clip
from stages.evaluation.plausibility.detection import SWAP_APART, SWAP_GAIN
from stages.evaluation.plausibility.limbs import LIMBS
from stages.evaluation.plausibility.measured import worst

KEYPOINTS = Measure(
    "blazepose_keypoints", "BlazePose misses keypoints", "% of height", SMALL,
    "distance of the 12 limb joints that BlazePose sees from their keypoints, over the box's"
    " height, median of some frames",
)  # fmt: skip
KEYPOINT_SWAPS = Measure(
    "blazepose_keypoint_swaps", "BlazePose swaps keypoints", "share", SMALL,
    "most of any limb joint's frames in which BlazePose sees left and right exchanged",
)  # fmt: skip
BODY = Measure(
    "blazepose_body", "BlazePose misses body", "% of height", SMALL,
    "the same distance from the joints of the solved body, as the camera sees them",
)  # fmt: skip
BODY_SWAPS = Measure(
    "blazepose_body_swaps", "BlazePose swaps body", "share", SMALL,
    "the same share for the joints of the solved body",
)  # fmt: skip
MEASURES = (KEYPOINTS, KEYPOINT_SWAPS, BODY, BODY_SWAPS)

VISIBLE = 0.5
"""Of BlazePose's visibility: less, and a joint is a guess."""
HIPS = LIMBS.index(COCO_WHOLEBODY_NAMES.index("left_hip"))
FROM_THE_SIDE = 0.05
"""Hips nearer than this over the box's height, half of what they are apart from the front: the
person is seen from the side, where BlazePose takes the near leg for the far one."""
Limbs = Float[np.ndarray, "T 12 3"]
"""Left, then right joints: x, y in pixels, and score."""


def keypoints(clip: Clip) -> Values:
    """Of the worst of the people."""

    def theirs(person: int, frame: str) -> Float[np.ndarray, "12 3"] | None:
        entry = clip.keypoints[frame].get(person)
        if entry is None:
            return None
        points = entry.keypoints[LIMBS].astype(np.float64)
        return np.where(points[:, 2:] >= MIN_SCORE, points, np.nan)

    return _of_people(clip, theirs, KEYPOINTS, KEYPOINT_SWAPS)


def body(clip: Clip) -> Values:
    """Of the worst of the people."""
    rows = {
        person: {name: row for row, name in enumerate(clip.motions[person].frames)}
        for person in clip.joints
    }

    def theirs(person: int, frame: str) -> Float[np.ndarray, "12 3"] | None:
        row = rows.get(person, {}).get(frame)
        if row is None:
            return None
        pixels = clip.views.project(clip.joints[person][row, SMPL_LIMBS], frame)
        return np.column_stack([pixels, np.ones(len(pixels))])

    return _of_people(clip, theirs, BODY, BODY_SWAPS)


def _of_people(
    clip: Clip,
    theirs: Callable[[int, str], Float[np.ndarray, "12 3"] | None],
    distance: Measure,
    swaps: Measure,
) -> Values:
    found = []
    for person, looks in clip.second_looks.items():
        both = [
            (look.limbs, other, look.height_px)
            for frame, look in looks.items()
            if (other := theirs(person, frame)) is not None
        ]
        if both:
            seen, others, heights_px = (np.array(part) for part in zip(*both, strict=True))
            values = {distance.name: 100 * distance_of(seen, others, heights_px)}
            values[swaps.name] = swap_share(seen, others, heights_px)
            found.append({name: value for name, value in values.items() if np.isfinite(value)})
    return worst(found, MEASURES)


def distance_of(seen: Limbs, theirs: Limbs, heights_px: Float[np.ndarray, " T"]) -> float:
    """Median distance over the heights, of the joints that both see; NaN without any."""
    apart = np.linalg.norm(seen[..., :2] - theirs[..., :2], axis=-1) / heights_px[:, None]
    apart = apart[_both_see(seen, theirs)]
    return float(np.median(apart)) if len(apart) else np.nan


def swap_share(seen: Limbs, theirs: Limbs, heights_px: Float[np.ndarray, " T"]) -> float:
    """Share of the frames in which left and right are exchanged, of the joint with the most; NaN
    where no joint is seen on both sides, or the person only from the side."""
    (a, b), (left, right) = (np.split(points[..., :2], 2, axis=1) for points in (seen, theirs))

    def apart(one: np.ndarray, other: np.ndarray) -> Float[np.ndarray, "T 6"]:
        return np.linalg.norm(one - other, axis=-1) / heights_px[:, None]

    known = _both_see(seen, theirs)
    known = known[:, :6] & known[:, 6:] & (apart(a, b)[:, HIPS, None] > FROM_THE_SIDE)
    if not known.any():
        return np.nan
    as_they_are, exchanged = apart(a, left) + apart(b, right), apart(a, right) + apart(b, left)
    tell = np.minimum(apart(a, b), apart(left, right)) > SWAP_APART
    return float((known & tell & (exchanged < SWAP_GAIN * as_they_are)).mean(0).max())


def _both_see(seen: Limbs, theirs: Limbs) -> Bool[np.ndarray, "T 12"]:
    return (seen[..., 2] >= VISIBLE) & np.isfinite(theirs).all(-1)
