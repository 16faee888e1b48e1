"""The scale that people's sizes speak for, and how sure that is.

Networks take bent legs for straighter than they are, some far and some hardly, and whoever seems to
have longer legs seems further away: the world is too large by as much as legs are bent. So the
scale is a line's value at straight legs: a person's distance in each look, over how much it would
change if the legs were more bent.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from stages.body.joint_names import SMPL24_NAMES
from stages.body.skeleton import Skeleton
from stages.geometry.placement import place_before_camera
from stages.geometry.rotations import matrix_from_rotvec, rotvec_from_matrix
from stages.people.placing import pixel_weights, viewing_rays
from stages.people.posing import posed_points
from stages.people.tracks import Cameras, Track
from stages.stage2_megahunter.lengths import Lengths, lengths_of
from stages.stage2_megahunter.scene_samples import SceneSamples

LOOK_S = 1 / 3
"""What is wrong in a frame is so in the next ones: so long they are one look."""
LOOK_ERROR = 0.01
"""Of a person's size in a look, where poses are the true ones: measured on rendered people."""
LOOKS_KNOWN = 3
"""That measurement counts as so many looks of a video's own scatter."""
BEND_ERROR = 0.3
"""Share of their bend by which networks may straighten legs: on rendered people BlazePose was found
to by 0.05 to 0.27, networks trained on them by 0.05 at most."""
_MORE = 0.1
"""Share by which legs are bent to see what it changes."""
_NEAR = np.log(1.1)
"""Twice what networks are off in the size of whole people; another surface is further off."""
_AGREEMENT = 0.05
_ROUNDS = 8
_HIPS, _KNEES, _ANKLES = (
    [SMPL24_NAMES.index(f"{side}_{joint}") for side in ("left", "right")]
    for joint in ("hip", "knee", "ankle")
)


class ScaleBySize(NamedTuple):
    """Metres per SfM unit, and the standard error of its logarithm."""

    scale: float
    error: float


def scale_by_size(
    cameras: Cameras,
    tracks: list[Track],
    samples: list[SceneSamples],
    skeletons: list[Skeleton],
    placed: list[Float[np.ndarray, "T 3"]],
    tolerance: float,
    near: float,
) -> ScaleBySize:
    """The scale by people's sizes alone, without keypoints that prove wrong.

    Args:
        tracks: with rotations that were solved for.
        placed: pelvis positions in the cameras that were solved for, metres.
        tolerance: share of the square root of the box area by which a keypoint may be off.
        near: the scale that was solved for; lengths over ten percent off are of other surfaces.
    """
    looks = []
    for track, around, skeleton, t_camera in zip(tracks, samples, skeletons, placed, strict=True):
        keypoints, _ = posed_points(track.rotmats, t_camera, skeleton)
        image = np.einsum("tab,tkb->tka", cameras.intrinsics, keypoints)
        off_px = np.linalg.norm(image[..., :2] / image[..., 2:] - track.pixels, axis=-1)
        fits = off_px < tolerance * track.sizes_px[:, None]
        right = replace(track, scores=track.scores * fits)
        bent = replace(right, rotmats=bent_more(track.rotmats, _MORE))
        own, more = (_placed_anew(cameras, one, around, skeleton) for one in (right, bent))
        looks.append(_looks(own, more, cameras.times_s, near))
    return _at_straight_legs(np.concatenate(looks), near)


def bent_more(rotmats: Float[np.ndarray, "T 24 3 3"], share: float) -> np.ndarray:
    """Knees bent by a share more, and hips and ankles so that trunk and soles stay as they were."""
    bend = share * rotvec_from_matrix(rotmats[:, _KNEES])
    more = rotmats.copy()
    for joints, turn in ((_HIPS, -bend / 2), (_KNEES, bend), (_ANKLES, -bend / 2)):
        more[:, joints] = more[:, joints] @ matrix_from_rotvec(turn)
    return more


def _placed_anew(
    cameras: Cameras, track: Track, around: SceneSamples, skeleton: Skeleton
) -> Lengths:
    offsets, _ = posed_points(track.rotmats, np.zeros((len(track.valid), 3)), skeleton)
    rays = viewing_rays(cameras, track.pixels)
    placed = place_before_camera(offsets, rays, pixel_weights(track))
    return lengths_of(track, around, skeleton, placed)


def _looks(
    own: Lengths, bent: Lengths, times_s: Float[np.ndarray, " T"], near: float
) -> Float[np.ndarray, "L 3"]:
    """Weight of a person's looks, how far their scale's logarithm is from `near`'s, and how much
    that would change with the legs' bend.

    Lengths that disagree with most others have no weight.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        off = np.log(own.metres / own.units / near)
        change = np.log(bent.metres / own.metres) / _MORE
    known = (own.weights > 0) & np.isfinite(change) & (np.abs(off) < _NEAR)
    off, change, weights = (np.where(known, each, 0.0) for each in (off, change, own.weights))
    likely, middle = weights, 0.0
    for _ in range(_ROUNDS):
        likely = weights / (1 + ((off - middle) / _AGREEMENT) ** 4)
        middle = (likely * off).sum() / max(likely.sum(), 1e-9)
    look_of = ((times_s - times_s[0]) / LOOK_S).astype(int)
    sums = [
        np.bincount(look_of, (likely * of).sum(axis=1)) for of in (np.ones_like(off), off, change)
    ]
    total, *means = (each[sums[0] > 0] for each in sums)
    return np.stack([total, *(each / total for each in means)], axis=1)


def _at_straight_legs(looks: Float[np.ndarray, "L 3"], near: float) -> ScaleBySize:
    """Least squares of the scale and the share by which legs are too straight, near 0 before."""
    if len(looks) == 0:
        return ScaleBySize(near, LOOK_ERROR)
    weights, off, change = looks.T
    weights = weights / weights.mean()
    J = np.stack([np.ones_like(off), change], axis=1)
    by_look, found = LOOK_ERROR**2, np.zeros(2)
    information = np.eye(2)
    for _ in range(_ROUNDS):
        information = (J * weights[:, None]).T @ J / by_look + np.diag([0.0, BEND_ERROR**-2])
        found = np.linalg.solve(information, J.T @ (weights * off) / by_look)
        squares = weights @ (off - J @ found) ** 2 + LOOKS_KNOWN * LOOK_ERROR**2
        by_look = squares / (len(off) - 1 + LOOKS_KNOWN)
    error = float(np.sqrt(np.linalg.inv(information)[0, 0]))
    return ScaleBySize(float(near * np.exp(found[0])), error)
