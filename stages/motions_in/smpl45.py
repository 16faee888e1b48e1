"""The joints and the root's axes that stage 4 follows, of somebody of whom fewer are known."""

import numpy as np
from jaxtyping import Float

from stages.artifacts.calibrated_keypoints import PersonJoints
from stages.body.joint_names import SMPL45_NAMES
from stages.motions_in.capture import Capture

NEEDED = (
    "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle", "left_foot",
    "right_foot", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist",
    "right_wrist",
)  # fmt: skip
"""The joints without which nothing can be followed; feet are the bases of the toes."""

HEEL_BEHIND_ANKLE = 0.11
"""Of the length from the ankle to the knee: about 4.5 cm on a leg of 41 cm."""
PELVIS_ABOVE_HIPS = 0.2
"""SMPL's pelvis joint over the middle of its hips, in lengths from there to the lower spine, where
a file has no pelvis: 8 cm of 40."""

_STANDS_FOR = {
    **{f"{side}_{part}": f"{side}_foot" for side in ("left", "right")
       for part in ("big_toe", "small_toe")},
    **{f"{side}_{part}": f"{side}_wrist" for side in ("left", "right")
       for part in ("hand", "thumb", "index", "middle", "ring", "pinky")},
    **dict.fromkeys(("nose", "right_eye", "left_eye", "right_ear", "left_ear"), "head"),
    **{f"{side}_collar": f"{side}_shoulder" for side in ("left", "right")},
}  # fmt: skip
"""Joints that stage 4 only looks at together, where a file has none: those that are nearest."""


def smpl45(capture: Capture) -> PersonJoints:
    """SMPL-45 and the root's axes (y up, z ahead, x left) of a capture.

    Raises:
        ValueError: names of joints that are missing.
    """
    known = dict(capture.joints)
    if missing := [name for name in NEEDED if name not in known]:
        raise ValueError(f"no {', '.join(missing)}")
    hips = (known["left_hip"] + known["right_hip"]) / 2
    shoulders = (known["left_shoulder"] + known["right_shoulder"]) / 2
    spine = known.get("spine_1", shoulders)
    up = _unit(spine - hips)
    x = _unit(known["left_hip"] - known["right_hip"])
    z = _unit(np.cross(x, up))
    known.setdefault("pelvis", hips + PELVIS_ABOVE_HIPS * (shoulders - hips) * 0.8)
    known.setdefault("neck", shoulders)
    known.setdefault("head", known["neck"])
    for number, share in enumerate((0.25, 0.5, 0.75), 1):
        known.setdefault(f"spine_{number}", hips + share * (shoulders - hips))
    for side in ("left", "right"):
        known.setdefault(f"{side}_heel", _heel(*(known[f"{side}_{j}"] for j in _FOOT)))
    for name, nearest in _STANDS_FOR.items():
        known.setdefault(name, known[nearest])
    joints = np.stack([known[name] for name in SMPL45_NAMES], axis=1)
    axes = np.stack([x, np.cross(z, x), z], axis=-1)
    return PersonJoints(joints.astype(np.float32), axes.astype(np.float32))


_FOOT = ("knee", "ankle", "foot")


def _heel(
    knee: Float[np.ndarray, "T 3"], ankle: Float[np.ndarray, "T 3"], toe: Float[np.ndarray, "T 3"]
) -> Float[np.ndarray, "T 3"]:
    """A point behind the ankle, as high as the toes while the foot is still, which is flat then."""
    ahead = _unit(toe - ankle)
    left = _unit(np.cross(_unit(knee - ankle), ahead))
    above = np.cross(ahead, left)
    length = np.linalg.norm(toe - ankle, axis=-1).mean()
    speed = np.linalg.norm(np.gradient(toe, axis=0), axis=-1) if len(toe) > 1 else np.zeros(1)
    still = speed <= np.quantile(speed, 0.3)
    drop = np.median((ankle - toe)[still, 2])
    pitch = np.arcsin(np.clip(drop / length, -1, 1))
    level = np.cos(pitch) * ahead + np.sin(pitch) * above
    upright = np.cos(pitch) * above - np.sin(pitch) * ahead
    behind = HEEL_BEHIND_ANKLE * np.linalg.norm(knee - ankle, axis=-1).mean()
    return ankle - behind * level - drop * upright


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
