"""Masks and keypoints of stage 0: how sure they are, and whether they jump, swap or break off."""

from itertools import pairwise

import numpy as np
from jaxtyping import Float

from stages.artifacts.masks import PersonLabel
from stages.artifacts.verdicts import LARGE, SMALL, Measure, Values
from stages.evaluation.plausibility.clip import Clip
from stages.evaluation.plausibility.limbs import LIMBS, LIMBS_LEFT, LIMBS_RIGHT
from stages.evaluation.plausibility.measured import worst

SEEN = Measure(
    "seen_share", "Person seen", "share", LARGE, "share of the frames that have the person's mask"
)
GAP = Measure(
    "longest_gap_s", "Longest gap", "s", SMALL, "longest time without the person, ends included"
)
MASK_SCORE = Measure(
    "mask_score", "Mask confidence", "score", LARGE, "the tracker's score of the mask, median"
)
KEYPOINT_SCORE = Measure(
    "keypoint_score", "Keypoint confidence", "score", LARGE, "score of the limbs' joints, median"
)
BOX_JUMP = Measure(
    "box_jump", "Box jump", "heights", SMALL,
    "largest move of the mask's box from one frame to the next, over its height",
)  # fmt: skip
SWAPS = Measure(
    "swap_share", "Limbs swapped", "share", SMALL,
    "most of any limb's frames whose left and right change places in the next one",
)  # fmt: skip
MEASURES = (SEEN, GAP, MASK_SCORE, KEYPOINT_SCORE, BOX_JUMP, SWAPS)

SWAP_APART = 0.06
"""Left and right of a joint that are nearer than this, over the box's height, cannot be told."""
SWAP_GAIN = 0.5
"""Exchanged, the joints have moved less than this share of what they have as they are."""


def compute(clip: Clip) -> Values:
    """Of the worst of the people who were followed."""
    return worst([_of_person(clip, person) for person in clip.people], MEASURES)


def _of_person(clip: Clip, person: int) -> dict[str, float]:
    labels = [frame.get(person) for frame in clip.labels]
    seen = np.array([label is not None for label in labels])
    times = clip.times_s(clip.frames)
    step = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    present = [label for label in labels if label is not None]
    points = np.stack(
        [
            clip.keypoints[name][person].keypoints.astype(np.float64)
            if person in clip.keypoints[name]
            else np.full((133, 3), np.nan)
            for name in clip.frames
        ]
    )
    heights = np.array([_height(label) for label in labels])
    scores = points[:, LIMBS, 2]
    scores = scores[np.isfinite(scores)]
    return {
        SEEN.name: float(seen.mean()),
        GAP.name: _longest_run(~seen) * step,
        MASK_SCORE.name: float(np.median([label.score for label in present])) if present else 0.0,
        KEYPOINT_SCORE.name: float(np.median(scores)) if len(scores) else 0.0,
        BOX_JUMP.name: _box_jump(labels),
        SWAPS.name: _swap_share(points[..., :2], heights),
    }


def _height(label: PersonLabel | None) -> float:
    return np.nan if label is None else float(max(label.box[3] - label.box[1], 1))


def _longest_run(flags: np.ndarray) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(int), [0]])))
    return int(np.diff(edges)[::2].max(initial=0))


def _box_jump(labels: list[PersonLabel | None]) -> float:
    worst = 0.0
    for before, after in pairwise(labels):
        if before is not None and after is not None:
            # The nearest of the box's sides: a limb that is hidden moves one, a person all.
            moved = np.abs(np.array(before.box, float) - np.array(after.box, float))
            worst = max(worst, float(np.median(moved)) / max(_height(before), _height(after)))
    return worst


def _swap_share(points: Float[np.ndarray, "T 133 2"], heights: Float[np.ndarray, " T"]) -> float:
    left, right = points[:, LIMBS_LEFT], points[:, LIMBS_RIGHT]

    def moved(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.linalg.norm(b[1:] - a[:-1], axis=-1)

    as_they_are = moved(left, left) + moved(right, right)
    exchanged = moved(left, right) + moved(right, left)
    apart = np.linalg.norm(left - right, axis=-1) / heights[:, None]
    with np.errstate(invalid="ignore"):
        swapped = (exchanged < SWAP_GAIN * as_they_are) & (
            np.minimum(apart[1:], apart[:-1]) > SWAP_APART
        )
    return float(swapped.mean(0).max()) if len(swapped) else 0.0
