"""Inputs that several stages have in common: what stage 0 makes of a video."""

from pathlib import Path

from stages.artifacts import images, layout, masks
from stages.artifacts.bodies import MADE_BY as BODIES_MADE_BY
from stages.artifacts.contacts import MADE_BY as CONTACTS_MADE_BY
from stages.artifacts.keypoints import MADE_BY as KEYPOINTS_MADE_BY
from stages.running.stage import Input

FRAMES_MADE_BY = ("stage0-frames",)


def frames(base: Path, video: str) -> Input:
    """The pictures."""
    return Input("frames", base / video / layout.CAMERA, FRAMES_MADE_BY, suffixes=images.SUFFIXES)


def clock(base: Path, video: str) -> Input:
    """When the pictures were taken; unknown for those that other tools extracted."""
    path = base / video / layout.CAMERA / images.TIMES_FILE
    return Input("clock", path, FRAMES_MADE_BY, required=False)


def track_summary(base: Path, video: str) -> Input:
    """Ids and ranking of the people of a clip."""
    return Input("people", masks.summary_path(base / video / layout.CAMERA), masks.MADE_BY)


def labels(base: Path, video: str) -> Input:
    """Boxes and ids of people, by frame."""
    return Input("labels", base / video / layout.CAMERA / masks.LABELS, masks.MADE_BY)


def person_masks(base: Path, video: str) -> Input:
    """Masks of people, by frame."""
    return Input("masks", base / video / layout.CAMERA / masks.MASKS, masks.MADE_BY)


def keypoints(base: Path, video: str) -> Input:
    """Keypoints of people, by frame."""
    return Input("keypoints", base / video / layout.CAMERA, KEYPOINTS_MADE_BY, suffixes=(".json",))


def bodies(base: Path, video: str) -> Input:
    """SMPL bodies of people, by frame."""
    return Input("bodies", base / video / layout.CAMERA, BODIES_MADE_BY, suffixes=(".pkl",))


def contacts(base: Path, video: str) -> Input:
    """Contacts of people, by frame; stages do without."""
    path = base / video / layout.CAMERA
    return Input("contacts", path, CONTACTS_MADE_BY, required=False, suffixes=(".pkl",))
