"""Ground truth of a rendered clip: `truth.npz`, and beside it the ground as `terrain.obj`.

World: z up, metres. Cameras: OpenCV, pixel centres at integers.
"""

import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from stages.artifacts import checks
from stages.artifacts.atomic import replacing
from stages.artifacts.errors import ArtifactError
from stages.artifacts.npz_files import read_npz
from stages.artifacts.opening import reason_of
from stages.geometry.block_terrain import Block, Terrain

TRUTH_FILE = "truth.npz"
TERRAIN_FILE = "terrain.obj"
"""The surface of the ground that can be seen and stepped on."""
MADE_BY = "render the clip with `python -m tools.footage`"
# Inverse depth is stored in these steps: 1.6 mm at 8 m, and it reaches from 0.31 m to infinity.
_INVERSE_DEPTH_STEP = 5e-5


@dataclass(frozen=True)
class Truth:
    """Everything known about a clip of T frames with P people.

    times_s: presentation times. K, T_world_camera: one pinhole camera, camera to world.
    depth_m: z-depth of frames `depth_frames`, 0 for sky. person_ids: 0 no person, p + 1 person p.
    local_rotmats: SMPL rotations, joint 0 holding R_world_root; root_m: pelvis joint.
    joints_m: SMPL-45 in the world. contacts: of the soles of the left and the right foot.
    keypoints_px: COCO-WholeBody, with `keypoint_states` 0 out of frame, 1 hidden, 2 visible.
    """

    name: str
    kind: str
    seed: int
    fps: float
    times_s: Float[np.ndarray, " T"]
    K: Float[np.ndarray, "3 3"]
    T_world_camera: Float[np.ndarray, "T 4 4"]
    depth_frames: Int[np.ndarray, " D"]
    depth_m: Float[np.ndarray, "D H W"]
    person_ids: UInt8[np.ndarray, "T H W"]
    betas: Float[np.ndarray, "P 10"]
    local_rotmats: Float[np.ndarray, "P T 24 3 3"]
    root_m: Float[np.ndarray, "P T 3"]
    joints_m: Float[np.ndarray, "P T 45 3"]
    contacts: Bool[np.ndarray, "P T 2"]
    keypoints_px: Float[np.ndarray, "P T 133 2"]
    keypoint_states: UInt8[np.ndarray, "P T 133"]
    terrain: Terrain


def write_truth(folder: Path, truth: Truth) -> None:
    """Write `truth.npz` into `folder` (made if needed)."""
    stored: dict[str, np.ndarray] = {}
    for entry in fields(Truth):
        value = getattr(truth, entry.name)
        if entry.name == "terrain":
            continue
        if entry.name == "depth_m":
            stored["inverse_depth_differences"] = _pack_depth(value)
        elif entry.name == "person_ids":
            stored["person_ids_shape"] = np.array(value.shape)
            planes = [value == person + 1 for person in range(len(truth.betas))]
            stored["person_bits"] = np.packbits(np.stack(planes).reshape(len(planes), -1), axis=1)
        elif isinstance(value, np.ndarray) and value.dtype == np.float64 and value.ndim > 1:
            stored[entry.name] = value.astype(np.float32)
        else:
            stored[entry.name] = np.asarray(value)
    stored |= _pack_terrain(truth.terrain)
    with replacing(folder / TRUTH_FILE) as temporary:
        np.savez_compressed(temporary, **stored)  # type: ignore[arg-type] # NumPy takes arrays by name


def read_truth(folder: Path) -> Truth:
    """Read what `write_truth` wrote.

    Raises:
        ArtifactError: missing, damaged, or without one of the record's fields.
    """
    path = folder / TRUTH_FILE
    if not path.exists():
        raise ArtifactError(path, "missing", MADE_BY)
    try:
        truth = _from_arrays(read_npz(path, f"delete it and {MADE_BY}"))
        _check(truth)
        return truth
    except Exception as error:
        problem = f"damaged ({reason_of(error)})"
        raise ArtifactError(path, problem, f"delete it and {MADE_BY}") from None


def _check(truth: Truth) -> None:
    """Raises ValueError where the truth makes no sense."""
    people, count = len(truth.betas), len(truth.times_s)
    shapes = {
        "K": (3, 3), "T_world_camera": (count, 4, 4), "betas": (people, 10),
        "local_rotmats": (people, count, 24, 3, 3), "root_m": (people, count, 3),
        "joints_m": (people, count, 45, 3), "contacts": (people, count, 2),
        "keypoints_px": (people, count, 133, 2), "keypoint_states": (people, count, 133),
        "person_ids": (count, None, None), "depth_frames": (None,),
        "depth_m": (len(truth.depth_frames), None, None),
    }  # fmt: skip
    for name, shape in shapes.items():
        checks.has_shape(name, getattr(truth, name).shape, shape)
    checks.finite("fps", truth.fps, 0.01, 10_000)
    checks.rising("times_s", truth.times_s)
    for name in ("K", "T_world_camera", "betas", "local_rotmats", "root_m", "joints_m"):
        checks.positions_m(name, getattr(truth, name))
    checks.within("depth_frames", truth.depth_frames, 0, count - 1)
    for block in (*truth.terrain.steps, *truth.terrain.objects):
        checks.positions_m("a block", np.array([*block.centre_xy_m, block.top_m, block.bottom_m]))


def _from_arrays(stored: dict[str, np.ndarray]) -> Truth:
    values: dict[str, Any] = {}
    for entry in fields(Truth):
        if entry.name in ("name", "kind"):
            values[entry.name] = str(stored[entry.name])
        elif entry.name in ("seed", "fps"):
            values[entry.name] = stored[entry.name].item()
        elif entry.name == "depth_m":
            values[entry.name] = _unpack_depth(stored["inverse_depth_differences"])
        elif entry.name == "person_ids":
            values[entry.name] = _unpack_ids(stored)
        elif entry.name == "terrain":
            values[entry.name] = _unpack_terrain(stored)
        else:
            values[entry.name] = stored[entry.name]
    return Truth(**values)


def _pack_depth(depth_m: np.ndarray) -> np.ndarray:
    """Inverse depth in steps, differenced twice along rows: zero on every flat surface."""
    inverse = np.where(depth_m > 0, 1 / np.maximum(depth_m, 1e-3) / _INVERSE_DEPTH_STEP, 0)
    steps = np.minimum(np.round(inverse), 65535).astype(np.uint16)
    return np.diff(np.diff(steps, axis=-1, prepend=np.uint16(0)), axis=-1, prepend=np.uint16(0))


def _unpack_depth(differences: np.ndarray) -> np.ndarray:
    once = np.cumsum(differences, axis=-1, dtype=np.uint16)
    steps = np.cumsum(once, axis=-1, dtype=np.uint16).astype(np.float32)
    return np.where(steps > 0, 1 / np.maximum(steps * _INVERSE_DEPTH_STEP, 1e-9), 0).astype(
        np.float32
    )


def _unpack_ids(stored: dict[str, np.ndarray]) -> np.ndarray:
    shape = tuple(stored["person_ids_shape"].tolist())
    bits = math.prod(shape)
    if not 0 <= bits <= 8 * stored["person_bits"].shape[-1] or len(shape) != 3 or min(shape) < 0:
        raise ValueError(f"person_ids_shape is {shape}, which does not fit person_bits")
    ids = np.zeros(shape, np.uint8)
    for person, packed in enumerate(stored["person_bits"]):
        ids[np.unpackbits(packed, count=bits).reshape(shape) > 0] = person + 1
    return ids


def _pack_terrain(terrain: Terrain) -> dict[str, np.ndarray]:
    def table(blocks: tuple[Block, ...]) -> np.ndarray:
        rows = [
            (*b.centre_xy_m, b.half_length_m, b.half_width_m, b.top_m, b.yaw_rad, b.bottom_m)
            for b in blocks
        ]
        return np.array(rows, np.float64).reshape(-1, 7)

    return {
        "terrain_kind": np.asarray(terrain.kind),
        "terrain_steps": table(terrain.steps),
        "terrain_objects": table(terrain.objects),
        "terrain_path": np.array([*terrain.start_xy_m, terrain.heading_rad]),
        "terrain_floor": np.array([*terrain.floor_centre_xy_m, terrain.floor_half_m]),
    }


def _unpack_terrain(stored: dict[str, np.ndarray]) -> Terrain:
    def blocks(table: np.ndarray) -> tuple[Block, ...]:
        return tuple(
            Block((r[0], r[1]), r[2], r[3], r[4], yaw_rad=r[5], bottom_m=r[6])
            for r in table.tolist()
        )

    x, y, heading = stored["terrain_path"].tolist()
    floor_x, floor_y, half = stored["terrain_floor"].tolist()
    return Terrain(
        str(stored["terrain_kind"]), blocks(stored["terrain_steps"]),
        blocks(stored["terrain_objects"]), (x, y), heading, half, (floor_x, floor_y),
    )  # fmt: skip
