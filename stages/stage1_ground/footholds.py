"""Where people's feet, or seats, rest: places that stay the same for a while, in metres."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from stages.body.joint_names import SMPL24_NAMES, coco18_row
from stages.body.model import BodyModel
from stages.body.skeleton import posed_points, skeleton_of
from stages.body.surface_parts import seat
from stages.geometry.intervals import runs_of_true
from stages.geometry.rotations import angle_between
from stages.people.contact_parts import touches
from stages.people.contacts import filter_contacts
from stages.people.placing import place
from stages.people.skeleton import KEYPOINTS, SkeletonBuilder
from stages.people.sources import FramePeople
from stages.people.tracks import Cameras, Track

SIDES = ("left", "right")
SHORTEST_S = 0.08
LONGEST_S = 1.0
"""Whoever stands longer does so again: each place has about the same say."""
SEAT_SHORTEST_S = 0.3
SEEN = 0.3
"""Score of a foot's keypoints."""
STRAIGHT_DEG = 25.0
"""The most that hip and knee of a straight leg are bent."""
FEWEST_STRAIGHT = 0.05
_FOOT = ("ankle", "big_toe", "heel")
_LEGS = np.array(
    [[SMPL24_NAMES.index(f"{side}_{joint}") for joint in ("hip", "knee")] for side in SIDES]
)


@dataclass(frozen=True)
class Foothold:
    """A place that carries somebody.

    points_m: toes and heel of a foot, or the seat, in the world.
    middle_m: between both feet, or of the seat. How far one foot is before the other is a matter of
        the pose, not of the place.
    """

    person: int
    points_m: Float[np.ndarray, "P 3"]
    middle_m: Float[np.ndarray, "3"]
    seconds: float
    is_seat: bool = False


@dataclass(frozen=True)
class Stances:
    """What people say of the ground.

    up: mean upright direction of people who stand, world; (0, 0, 0) where nobody is.
    """

    footholds: list[Foothold]
    up: Float[np.ndarray, "3"]


def stances(
    cameras: Cameras,
    tracks: list[Track],
    frames: list[FramePeople],
    builder: SkeletonBuilder,
    size: tuple[int, int],
) -> Stances:
    """Footholds of all people, placed before the cameras by their size.

    Args:
        cameras: all in one place, the world's origin.
        size: height and width of the pictures.
    """
    found, ups = [], [np.zeros((0, 3))]
    for track in tracks:
        skeleton = builder.skeleton(track.betas)
        pelvis = place(cameras, track, skeleton)
        points = posed_points(track.rotmats, pelvis, skeleton)[:, KEYPOINTS:]
        soles = _to_world(cameras, points).reshape(-1, 2, 2, 3)
        steady = filter_contacts(_contacts(track, soles), soles.mean(axis=2), cameras.times_s)
        steady &= track.valid[:, None] & feet_in_view(track, size)
        for foot in range(2):
            stands = steady[:, foot], soles[:, foot], soles.mean(axis=(1, 2))
            found += _rests(track.person, *stands, cameras, SHORTEST_S)
        found += _seats(cameras, track, frames, builder.model, pelvis)
        ups.append(_body_ups(cameras, track, builder.model))
    total = np.concatenate(ups).sum(axis=0)
    return Stances(found, total / max(float(np.linalg.norm(total)), 1e-9))


def feet_in_view(track: Track, size: tuple[int, int]) -> Bool[np.ndarray, "T 2"]:
    """Whether keypoints of each foot are seen within the picture."""
    seen = np.zeros((len(track.valid), 2), bool)
    for foot, side in enumerate(SIDES):
        rows = [coco18_row(f"{side}_{part}") for part in _FOOT]
        pixels = track.pixels[:, rows]
        inside = ((pixels >= 0) & (pixels <= [size[1] - 1, size[0] - 1])).all(axis=-1)
        seen[:, foot] = (inside & (track.scores[:, rows] > SEEN)).any(axis=1)
    return seen & track.valid[:, None]


def _contacts(track: Track, soles: np.ndarray) -> Bool[np.ndarray, "T 2"]:
    """Those that stage 0 saw; if it saw none, of the foot that is further from the head."""
    if track.contacts.any():
        return track.contacts
    heights = np.einsum("tfsc,tc->tf", soles, track.rotmats[:, 0, :, 1])
    return (heights <= heights.min(axis=1, keepdims=True) + 1e-6) & track.valid[:, None]


def _body_ups(cameras: Cameras, track: Track, model: BodyModel) -> Float[np.ndarray, "F 3"]:
    """Upright directions in frames with a straight leg, or in all if there are few: whoever
    crouches or sits leans.

    Between the trunk's axis and the line from the ankles to the pelvis: trunks lean forwards, the
    legs below them backwards.
    """
    bends = np.degrees(angle_between(np.eye(3), track.rotmats[:, _LEGS]))
    straight = track.detected & (bends < STRAIGHT_DEG).all(axis=2).any(axis=1)
    if straight.sum() < FEWEST_STRAIGHT * track.detected.sum():
        straight = track.detected
    joints: list[int | np.ndarray] = [SMPL24_NAMES.index(f"{side}_ankle") for side in SIDES]
    ankles = posed_points(
        track.rotmats, np.zeros((len(straight), 3)), skeleton_of(model, track.betas, joints)
    )
    legs = -ankles.mean(axis=1)
    legs /= np.maximum(np.linalg.norm(legs, axis=1, keepdims=True), 1e-9)
    ups = 0.5 * (track.rotmats[:, 0, :, 1] + legs)
    return np.einsum("tab,tb->ta", cameras.R_world_camera, ups)[straight]


def _rests(
    person: int, resting: np.ndarray, points: np.ndarray, middles: np.ndarray, cameras: Cameras,
    shortest_s: float, is_seat: bool = False,
) -> list[Foothold]:  # fmt: skip
    times_s = cameras.times_s
    frame_s = float(np.median(np.diff(times_s))) if len(times_s) > 1 else 0.0
    found = []
    for start, end in runs_of_true(resting):
        seconds = times_s[end - 1] - times_s[start] + frame_s
        if seconds < shortest_s:
            continue
        parts = max(1, round(seconds / LONGEST_S))
        for rows in np.array_split(np.arange(start, end), parts):
            usual, middle = (np.median(each[rows], axis=0) for each in (points, middles))
            found.append(Foothold(person, usual, middle, float(seconds / parts), is_seat))
    return found


def _seats(
    cameras: Cameras, track: Track, frames: list[FramePeople], model: BodyModel, pelvis: np.ndarray
) -> list[Foothold]:
    vertices = seat(model)
    sits = np.zeros(len(frames), bool)
    for t, frame in enumerate(frames):
        contact = (frame.contacts or {}).get(track.person)
        if contact is not None and track.valid[t]:
            sits[t] = touches(contact.vertices, vertices)
    if not sits.any():
        return []
    few: list[int | np.ndarray] = [vertices[at : at + 1] for at in range(0, len(vertices), 8)]
    local = posed_points(track.rotmats, pelvis, skeleton_of(model, track.betas, few))
    points = _to_world(cameras, local)
    rests = sits, points, points.mean(axis=1)
    return _rests(track.person, *rests, cameras, SEAT_SHORTEST_S, is_seat=True)


def _to_world(cameras: Cameras, points: Float[np.ndarray, "T P 3"]) -> Float[np.ndarray, "T P 3"]:
    return np.einsum("tab,tpb->tpa", cameras.R_world_camera, points)
