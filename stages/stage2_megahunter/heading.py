"""Which way people face: mends first orientations that keypoints contradict.

A network may see somebody from a wrong side. From such a start a solver cannot come back: on the
way keypoints fit worse. So other headings are tried before, in frames where the body as it was
estimated fits its keypoints badly wherever it is placed.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Float, Int

from stages.body.skeleton import Skeleton
from stages.geometry.intervals import frames_within
from stages.geometry.rotations import matrix_from_rotvec
from stages.people.placing import pixel_weights, place, viewing_rays
from stages.people.posing import posed_points
from stages.people.tracks import Cameras, Track

HEADINGS = 12
"""Turns about the body's own axis that are tried, evenly spread over the circle."""
REACH_S = 0.25
"""A frame is judged by the median over the frames so near."""
DOUBTFUL_M = 0.1
"""Where half of the keypoints are further off a heading is questioned; with the errors of usual
estimates they are 0.04 to 0.09 m off, with a quarter turn 0.15 m."""
CLEARLY = 0.6
"""Another heading must bring keypoints so much closer."""


def facing_keypoints(cameras: Cameras, track: Track, skeleton: Skeleton) -> Track:
    """The track with the root turned about the body's axis where that fits keypoints far better."""
    frames = np.flatnonzero(track.valid)
    doubtful = frames[_misses_m(cameras, track, skeleton, frames, 0.0) > DOUBTFUL_M]
    if len(doubtful) == 0 or not _best_turns(cameras, track, skeleton, doubtful).any():
        return track
    # Where some frames are wrong, so may be others that are less easily seen to be.
    turns = _best_turns(cameras, track, skeleton, frames)
    rotmats = track.rotmats.copy()
    rotmats[frames, 0] = rotmats[frames, 0] @ _about_body(turns)
    return replace(track, rotmats=rotmats)


def _best_turns(
    cameras: Cameras, track: Track, skeleton: Skeleton, frames: Int[np.ndarray, " F"]
) -> Float[np.ndarray, " F"]:
    """The turn (rad) that fits keypoints best, 0 where that is not clearly better than none."""
    turns = 2.0 * np.pi * np.arange(HEADINGS) / HEADINGS
    misses_m = np.array([_misses_m(cameras, track, skeleton, frames, turn) for turn in turns])
    better = misses_m.min(axis=0) < CLEARLY * misses_m[0]
    return np.where(better, turns[misses_m.argmin(axis=0)], 0.0)


def _misses_m(
    cameras: Cameras, track: Track, skeleton: Skeleton, frames: Int[np.ndarray, " F"], turn: float
) -> Float[np.ndarray, " F"]:
    """How far the body, turned by so much (rad) and placed as well as can be, is from the rays of
    its keypoints: the median over these and over the frames around."""
    rotmats = track.rotmats[frames]
    rotmats[:, 0] = rotmats[:, 0] @ _about_body(np.array(turn))
    views = cameras.at(frames)
    turned = replace(
        track,
        valid=track.valid[frames],
        pixels=track.pixels[frames],
        scores=track.scores[frames],
        rotmats=rotmats,
    )
    points, _ = posed_points(rotmats, place(views, turned, skeleton), skeleton)
    rays, known = viewing_rays(views, turned.pixels), pixel_weights(turned) > 0
    along = (points * rays).sum(axis=-1) / (rays * rays).sum(axis=-1)
    misses = np.linalg.norm(points - along[..., None] * rays, axis=-1)
    middle = [np.median(m[k]) if k.any() else 0.0 for m, k in zip(misses, known, strict=True)]
    around = frames_within(views.times_s, views.times_s, REACH_S)
    return np.array([np.median(middle[start:end]) for start, end in around])


def _about_body(turns: Float[np.ndarray, "*T"]) -> Float[np.ndarray, "*T 3 3"]:
    """Rotations about the root's up axis by so much (rad)."""
    return matrix_from_rotvec(np.multiply.outer(turns, np.array([0.0, 1.0, 0.0])))
