"""`input_3d_meshes/<video>/cam01/smpl_params_00001.pkl`: SMPL rotations and shape of the people.

Also `known_betas.json`, which gives everybody in a clip one known shape.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from stages import catalogue
from stages.artifacts import layout
from stages.artifacts.atomic import replacing, write_text
from stages.artifacts.errors import ArtifactError, remedy
from stages.artifacts.json_files import read_json
from stages.artifacts.pickles import dumped, read_pickle

MADE_BY = catalogue.makers(layout.BODIES)
BETAS_FILE = "known_betas.json"


@dataclass(frozen=True)
class PersonBody:
    """One person in one frame; no translation is stored."""

    R_camera_root: Float32[np.ndarray, "1 3 3"]
    """SMPL root to the OpenCV camera of the frame (`global_orient`)."""
    body_pose: Float32[np.ndarray, "23 3 3"]
    """Local rotations of the joints 1 to 23."""
    betas: Float32[np.ndarray, "10"]


def bodies_path(folder: Path, number: int) -> Path:
    return folder / f"smpl_params_{number:05d}.pkl"


def write_bodies(folder: Path, number: int, people: dict[int, PersonBody]) -> None:
    """Writes the people of one frame."""
    record = {
        int(person): {
            "smpl_params": {
                "global_orient": body.R_camera_root.astype(np.float32),
                "body_pose": body.body_pose.astype(np.float32),
                "betas": body.betas.astype(np.float32),
            }
        }
        for person, body in people.items()
    }
    with replacing(bodies_path(folder, number)) as temporary:
        temporary.write_bytes(dumped(record))


def read_bodies(folder: Path, number: int) -> dict[int, PersonBody]:
    """The people of one frame; empty if the frame has no file.

    Raises:
        ArtifactError: damaged, unsafe, or of other shapes.
    """
    path = bodies_path(folder, number)
    if not path.exists():
        return {}
    record = read_pickle(path)
    people = {}
    try:
        for person, entry in record.items():
            params = entry["smpl_params"]
            people[int(person)] = PersonBody(
                np.asarray(params["global_orient"], np.float32).reshape(1, 3, 3),
                np.asarray(params["body_pose"], np.float32).reshape(23, 3, 3),
                np.asarray(params["betas"], np.float32).reshape(10),
            )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ArtifactError(path, f"not a body file ({error!r})", remedy(MADE_BY)) from None
    return people


def write_betas(path: Path, betas: Float32[np.ndarray, "10"], **details: float) -> None:
    """Writes a shape file; `details` are kept beside it, such as `target_height`."""
    shape = [[float(value) for value in np.asarray(betas).reshape(10)]]
    write_text(path, json.dumps({"optimized_shape": shape, **details}))


def read_betas(path: Path) -> Float32[np.ndarray, "10"]:
    """Reads a shape file.

    Raises:
        ArtifactError: missing or not ten numbers.
    """
    record = read_json(path, "write the ten betas into it")
    try:
        return np.asarray(record["optimized_shape"], np.float32).reshape(10)
    except (KeyError, TypeError, ValueError) as error:
        raise ArtifactError(path, f"not a shape file ({error!r})", "it holds 10 numbers") from None
