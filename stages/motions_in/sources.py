"""What is read: a file of joints by format, each with its skeleton's names."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stages.artifacts import checks
from stages.artifacts.npz_files import read_npz
from stages.artifacts.opening import read_bytes, reading
from stages.body.joint_names import SMPL24_NAMES
from stages.motions_in.capture import Capture

FIX = "give another file, or another --format"
CAPTURE_FPS = 120.0

_FINGERS = [
    f"{finger}{joint}" for finger in ("Thumb", "Index", "Middle", "Ring", "Pinky")
    for joint in (1, 2, 3)
]  # fmt: skip
CAPTURE_NAMES = [
    *("Hips", "Spine", "Spine1", "Neck", "Head"),
    *("LeftShoulder", "LeftArm", "LeftForeArm", "LeftHand"),
    *(f"LeftHand{name}" for name in _FINGERS),
    *("RightShoulder", "RightArm", "RightForeArm", "RightHand"),
    *(f"RightHand{name}" for name in _FINGERS),
    *("LeftUpLeg", "LeftLeg", "LeftFoot", "LeftToeBase"),
    *("RightUpLeg", "RightLeg", "RightFoot", "RightToeBase"),
    *("LeftFootMod", "RightFootMod"),
]
"""The 53 joints of holosoma-retargeting's captures, in their order (its config_types)."""

_CAPTURE_TO_SMPL = {
    "Spine": "spine_1", "Spine1": "spine_3", "Neck": "neck", "Head": "head",
    **{
        f"{side}{theirs}": f"{side.lower()}_{ours}"
        for side in ("Left", "Right")
        for theirs, ours in {
            "Shoulder": "collar", "Arm": "shoulder", "ForeArm": "elbow", "Hand": "wrist",
            "UpLeg": "hip", "Leg": "knee", "Foot": "ankle", "ToeBase": "foot",
        }.items()
    },
}  # fmt: skip


def _array(path: Path) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Joints in space, and the other arrays of an npz."""
    if path.suffix == ".npy":
        content = read_bytes(path, FIX)
        with reading(path, "an array of joints", FIX):
            return np.load(io.BytesIO(content), allow_pickle=False), {}
    held = read_npz(path, FIX)
    with reading(path, "joints of a person", FIX):
        for name in ("global_joint_positions", "joints"):
            if name in held:
                return held.pop(name), held
        raise ValueError(f"has {', '.join(held) or 'nothing'}, expected joints")


def read_smpl(path: Path, fps: float) -> Capture:
    """`joints` or `global_joint_positions` (T, 22 or 24, 3) in SMPL's order; `fps` if held."""
    found, others = _array(path)
    with reading(path, "joints of SMPL", FIX):
        if found.ndim != 3 or found.shape[1] not in (22, 24) or found.shape[2] != 3:
            raise ValueError(f"joints are {found.shape}, expected (frames, 22 or 24, 3)")
        joints = checks.positions_m("joints", found.astype(np.float64))
        said = others.get("fps")
        rate = checks.finite("fps", said, 1, 10_000) if said is not None else fps
        assumed = () if said is not None else (f"{fps:g} frames a second",)
        names = SMPL24_NAMES[: found.shape[1]]
        return Capture(rate, {n: joints[:, i] for i, n in enumerate(names)}, assumed)


def read_capture53(path: Path, fps: float) -> Capture:
    """An array (T, 53, 3), as holosoma-retargeting has captures."""
    found, _ = _array(path)
    with reading(path, "a capture of 53 joints", FIX):
        if found.shape[1:] != (len(CAPTURE_NAMES), 3):
            raise ValueError(f"joints are {found.shape}, expected (frames, 53, 3)")
        joints = checks.positions_m("joints", found.astype(np.float64))
    place = {name: index for index, name in enumerate(CAPTURE_NAMES)}
    known = {ours: joints[:, place[theirs]] for theirs, ours in _CAPTURE_TO_SMPL.items()}
    # Its hips are the middle of the hip joints; SMPL's pelvis lies above, and is put there.
    return Capture(fps, known, (f"{fps:g} frames a second",))


@dataclass(frozen=True)
class Source:
    """A kind of file. fps: of those that do not say."""

    read: Callable[[Path, float], Capture]
    help: str
    fps: float


SOURCES = {
    "smpl": Source(read_smpl, "npz of SMPL's 22 or 24 joints in space", 30.0),
    "capture53": Source(read_capture53, "npy of holosoma-retargeting's 53 joints", CAPTURE_FPS),
}
"""By the name for `--format`."""
