"""`input_3d_meshes/<video>/cam01/smpl_params_00001.pkl`: SMPL rotations and shape of the people.

Also `known_betas.json`, which gives everybody in a clip one known shape.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from stages import catalogue
from stages.artifacts import checks, layout
from stages.artifacts.atomic import replacing, write_text
from stages.artifacts.errors import remedy
from stages.artifacts.json_files import read_json
from stages.artifacts.masks import LARGEST_ID
from stages.artifacts.opening import reading
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
    with reading(path, "a body file", remedy(MADE_BY)):
        return {
            checks.whole("the id of a person", name, 1, LARGEST_ID): _body(entry["smpl_params"])
            for name, entry in record.items()
        }


def _body(params: dict[str, Any]) -> PersonBody:
    def rows(name: str, *shape: int) -> np.ndarray:
        return checks.numbers(name, params[name], np.float32).reshape(shape)

    return PersonBody(
        checks.rotations("global_orient", rows("global_orient", 1, 3, 3)),
        checks.rotations("body_pose", rows("body_pose", 23, 3, 3)),
        checks.within("betas", rows("betas", 10), -checks.LARGEST_BETA, checks.LARGEST_BETA),
    )


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
    with reading(path, "a shape file", "it holds 10 numbers"):
        betas = checks.numbers("optimized_shape", record["optimized_shape"], np.float32)
        return checks.within(
            "optimized_shape", betas.reshape(10), -checks.LARGEST_BETA, checks.LARGEST_BETA
        )
