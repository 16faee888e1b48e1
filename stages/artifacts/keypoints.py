"""`input_2d_poses/<video>/cam01/pose_00001.json`: COCO-WholeBody keypoints of the people."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from stages import catalogue
from stages.artifacts import checks, layout
from stages.artifacts.atomic import write_text
from stages.artifacts.errors import remedy
from stages.artifacts.json_files import read_json
from stages.artifacts.masks import LARGEST_ID
from stages.artifacts.opening import reading

MADE_BY = catalogue.makers(layout.KEYPOINTS)
KEYPOINT_COUNT = 133
_LARGEST_PLACE_PX = 1e6


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
    with reading(path, "a keypoint file", remedy(MADE_BY)):
        return {
            checks.whole("the id of a person", name, 1, LARGEST_ID): _person(entry)
            for name, entry in record.items()
        }


def _person(entry: dict[str, Any]) -> PersonKeypoints:
    box = checks.numbers("bbox", entry["bbox"], np.float32, 5)
    keypoints = checks.numbers("keypoints", entry["keypoints"], np.float32, KEYPOINT_COUNT, 3)
    seen = keypoints[np.isfinite(keypoints)]
    checks.within("keypoints", seen, -_LARGEST_PLACE_PX, _LARGEST_PLACE_PX)
    return PersonKeypoints(
        checks.within("bbox", box, -_LARGEST_PLACE_PX, _LARGEST_PLACE_PX), keypoints
    )
