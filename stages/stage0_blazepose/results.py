"""What is written of each person: the four files a frame that other stages read."""

from collections.abc import Mapping
from itertools import pairwise, repeat
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32

from stages.artifacts.bodies import PersonBody, write_bodies
from stages.artifacts.contacts import PersonContact, write_contacts
from stages.artifacts.images import ImageFile
from stages.artifacts.keypoints import PersonKeypoints, write_keypoints
from stages.artifacts.masks import PersonLabel
from stages.blazepose.keypoints import wholebody
from stages.body.model import BodyModel
from stages.stage0_blazepose.background import Tracks
from stages.stage0_blazepose.body_fit import FittedBody, fit_body
from stages.stage0_blazepose.contacts import Contacts, contacts_of, probabilities
from stages.stage0_blazepose.correspondence import fitted
from stages.stage0_blazepose.identities import Person
from stages.stage0_blazepose.keypoint_offsets import from_blazepose_px
from stages.stage0_blazepose.observations import focal_px, observations_of

Size = tuple[int, int]


class Track(NamedTuple):
    """One person in the frames (by position in the video) in which they are seen."""

    frames: list[int]
    keypoints: Float32[np.ndarray, "T 133 3"]
    body: FittedBody
    contacts: Contacts


def track_of(
    person: Person,
    times_s: Float[np.ndarray, " F"],
    size: Size,
    model: BodyModel,
    ahead: list[Tracks],
) -> Track:
    """Body and contacts of a person.

    Args:
        times_s: of all frames.
        size: height and width of the pictures.
        ahead: how the background moves from each picture to the next.
    """
    frames = sorted(person.sightings)
    sightings = [person.sightings[frame] for frame in frames]
    seen = observations_of(sightings, times_s[frames], size)
    body = fit_body(seen, model)
    followed_by = [ahead[a] if b == a + 1 else None for a, b in pairwise(frames)]
    points_px = fitted(np.array([each.points_px[:, :2] for each in sightings]))
    m_per_px = body.root_m[:, 2] / focal_px(size)
    moved_px = from_blazepose_px(body, model, size)
    return Track(
        frames,
        np.array([wholebody(*each) for each in zip(sightings, repeat(size), moved_px)]),
        body,
        contacts_of(seen, points_px, body, m_per_px, followed_by),
    )


def write_all_keypoints(
    folder: Path,
    images: list[ImageFile],
    tracks: Mapping[int, Track],
    labels: list[dict[int, PersonLabel]],
) -> None:
    """The keypoints of the people in every frame in which their mask shows them."""
    _clear(folder, "pose_*.json")
    for frame, rows in enumerate(_rows(images, tracks)):
        entries = {
            person: PersonKeypoints(
                np.array([*labels[frame][person].box, 1.0], np.float32),
                tracks[person].keypoints[row],
            )
            for person, row in rows.items()
            if person in labels[frame]
        }
        if entries:
            write_keypoints(folder, images[frame].number, entries)


def write_all_bodies(folder: Path, images: list[ImageFile], tracks: Mapping[int, Track]) -> None:
    """The bodies of the people in every frame in which they are seen."""
    _clear(folder, "smpl_params_*.pkl")
    for frame, rows in enumerate(_rows(images, tracks)):
        bodies = {
            person: PersonBody(body.rotmats[row, :1], body.rotmats[row, 1:], body.betas)
            for person, row in rows.items()
            for body in (tracks[person].body,)
        }
        if bodies:
            write_bodies(folder, images[frame].number, bodies)


def write_all_contacts(
    folder: Path, images: list[ImageFile], tracks: Mapping[int, Track], model: BodyModel
) -> None:
    """The contacts of the people in every frame; of a frame without people, none."""
    _clear(folder, "*.pkl")
    for frame, rows in enumerate(_rows(images, tracks)):
        contacts = {
            person: PersonContact(probabilities(found, row, model), *map(bool, found.feet[row]))
            for person, row in rows.items()
            for found in (tracks[person].contacts,)
        }
        write_contacts(folder, images[frame].name, contacts)


def _rows(images: list[ImageFile], tracks: Mapping[int, Track]) -> list[dict[int, int]]:
    """By frame: the row of each person's track."""
    rows: list[dict[int, int]] = [{} for _ in images]
    for person, track in tracks.items():
        for row, frame in enumerate(track.frames):
            rows[frame][person] = row
    return rows


def _clear(folder: Path, pattern: str) -> None:
    for old in folder.glob(pattern):
        old.unlink()
