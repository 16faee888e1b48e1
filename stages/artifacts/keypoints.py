"""`input_2d_poses/<video>/cam01/pose_00001.json`: COCO-WholeBody keypoints of the people."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from stages import catalogue
from stages.artifacts import layout
from stages.artifacts.atomic import write_text
from stages.artifacts.errors import ArtifactError, remedy
from stages.artifacts.json_files import read_json

MADE_BY = catalogue.makers(layout.KEYPOINTS)
KEYPOINT_COUNT = 133


@dataclass(frozen=True)
class PersonKeypoints:
    """One person in one frame, in pixels of the original image."""

    box: Float32[np.ndarray, "5"]
    """x1, y1, x2, y2, score."""
    keypoints: Float32[np.ndarray, "133 3"]
    """x, y, score. Not finite or below its score's threshold means not seen."""


def keypoints_path(folder: Path, number: int) -> Path:
    return folder / f"pose_{number:05d}.json"


def write_keypoints(folder: Path, number: int, people: dict[int, PersonKeypoints]) -> None:
    """Writes the people of one frame; a frame without people has no file."""
    record = {
        str(person): {
            "bbox": [round(float(value), 4) for value in entry.box],
            "keypoints": np.round(entry.keypoints.astype(np.float64), 4).tolist(),
        }
        for person, entry in people.items()
    }
    write_text(keypoints_path(folder, number), json.dumps(record))


def read_keypoints(folder: Path, number: int) -> dict[int, PersonKeypoints]:
    """The people of one frame; empty if the frame has no file.

    Raises:
        ArtifactError: damaged, or not 133 keypoints a person.
    """
    path = keypoints_path(folder, number)
    if not path.exists():
        return {}
    record = read_json(path, remedy(MADE_BY))
    try:
        people = {
            int(person): PersonKeypoints(
                np.asarray(entry["bbox"], np.float32), np.asarray(entry["keypoints"], np.float32)
            )
            for person, entry in record.items()
        }
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ArtifactError(path, f"not a keypoint file ({error!r})", remedy(MADE_BY)) from None
    for entry in people.values():
        if entry.keypoints.shape != (KEYPOINT_COUNT, 3) or entry.box.shape != (5,):
            raise ArtifactError(
                path, f"keypoints are {entry.keypoints.shape}, not (133, 3)", remedy(MADE_BY)
            )
    return people
