"""Poses MakeHuman's resting body (arms half down, elbows bent) into SMPL's zero pose.

SMPL's zero pose: arms straight out along x with palms down, legs straight down, feet nearly
parallel. Every bone gets one rotation about its own head, so that limbs of every sampled
shape lie along the same directions and shapes differ in lengths and girths only.
"""

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from tools.body.rig import smpl_joint_of

COLLAR_RAISE_DEG = 15.0  # a raised arm takes the collar bone with it
THIGH_DIRECTION = (0.06, -1.0, 0.0)  # knees slightly wider than the hips
SHANK_DIRECTION = (0.0, -1.0, -0.09)  # ankle centres lie behind the knee centres
FOOT_DIRECTION = (0.12, 0.0, 1.0)  # toes a little outwards


def _unit(v: np.ndarray) -> np.ndarray:
    return v / np.linalg.norm(v, axis=-1, keepdims=True)


def _frame(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    a = _unit(first)
    b = _unit(second - np.sum(second * a, -1, keepdims=True) * a)
    return np.stack([a, b, np.cross(a, b)], axis=-1)


def _align(first, second, to_first, to_second) -> np.ndarray:
    """Rotations taking the direction `first` to `to_first`, and `second` as near as it goes."""
    target = _frame(np.asarray(to_first, float), np.asarray(to_second, float))
    return target @ np.swapaxes(_frame(first, second), -1, -2)


def _about_x(angle: np.ndarray) -> np.ndarray:
    return Rotation.from_rotvec(np.outer(angle, [1.0, 0.0, 0.0])).as_matrix()


def _twist_about_x(rotation: np.ndarray) -> np.ndarray:
    """The angle about x that is applied last in `rotation`."""
    x, _, _, w = Rotation.from_matrix(rotation).as_quat().T
    return 2 * np.arctan2(x * np.sign(w), np.abs(w))


def _arm(at: dict[str, np.ndarray], side: str) -> dict[str, np.ndarray]:
    out = 1.0 if side == "L" else -1.0
    upper = at[f"lowerarm01.{side}"] - at[f"upperarm01.{side}"]
    fore = at[f"wrist.{side}"] - at[f"lowerarm01.{side}"]
    hinge = np.cross(upper, fore)
    along, hinge_to = (out, 0, 0), (0, -out, 0)
    raise_rad = np.deg2rad(COLLAR_RAISE_DEG) * out
    collar = Rotation.from_rotvec([0, 0, raise_rad]).as_matrix()
    collar = np.broadcast_to(collar, (len(upper), 3, 3))
    upper_rot = _align(upper, hinge, along, hinge_to)
    fore_rot = _align(fore, hinge, along, hinge_to)
    knuckles = np.mean([at[f"finger{k}-1.{side}"] for k in range(2, 6)], axis=0)
    across = at[f"finger2-1.{side}"] - at[f"finger5-1.{side}"]
    hand = _align(knuckles - at[f"wrist.{side}"], across, along, (0, 0, 1))
    # Twists are spread over the limb's two bones; a jump at one joint would wring the skin.
    upper_twist = _twist_about_x(upper_rot @ np.swapaxes(collar, -1, -2))
    hand_twist = _twist_about_x(hand @ np.swapaxes(fore_rot, -1, -2))
    return {
        "clavicle": collar,
        "shoulder01": collar,
        "upperarm01": _about_x(-0.5 * upper_twist) @ upper_rot,
        "upperarm02": upper_rot,
        "lowerarm01": fore_rot,
        "lowerarm02": _about_x(0.6 * hand_twist) @ fore_rot,
        "hand": hand,
    }


def _leg(at: dict[str, np.ndarray], side: str) -> dict[str, np.ndarray]:
    mirror = np.array([1.0 if side == "L" else -1.0, 1, 1])
    thigh = at[f"lowerleg01.{side}"] - at[f"upperleg01.{side}"]
    shank = at[f"foot.{side}"] - at[f"lowerleg01.{side}"]
    toes = np.mean([at[f"toe{k}-1.{side}"] for k in range(1, 6)], axis=0)
    forward = (toes - at[f"foot.{side}"]) * [1, 0, 1]
    foot_to = mirror * FOOT_DIRECTION
    up = np.broadcast_to([0.0, 1.0, 0.0], forward.shape)
    return {
        "upperleg": _align(thigh, forward, mirror * THIGH_DIRECTION, foot_to),
        "lowerleg": _align(shank, forward, mirror * SHANK_DIRECTION, foot_to),
        "foot": _align(up, forward, (0, 1, 0), foot_to),
    }


def bone_rotations(
    heads: Float[np.ndarray, "N B 3"], names: list[str]
) -> Float[np.ndarray, "N B 3 3"]:
    """World rotation that every bone makes from MakeHuman's rest pose to SMPL's zero pose."""
    at = {name: heads[:, i] for i, name in enumerate(names)}
    arms = {side: _arm(at, side) for side in "LR"}
    legs = {side: _leg(at, side) for side in "LR"}
    rotations = np.tile(np.eye(3), (len(heads), len(names), 1, 1))
    for i, name in enumerate(names):
        stem, _, side = name.partition(".")
        joint = smpl_joint_of(name)
        if joint.endswith("_hip"):
            rotations[:, i] = legs[side]["upperleg"]
        elif joint.endswith("_knee"):
            rotations[:, i] = legs[side]["lowerleg"]
        elif joint.endswith(("_ankle", "_foot")):
            rotations[:, i] = legs[side]["foot"]
        elif joint.endswith(("_wrist", "_hand")):
            rotations[:, i] = arms[side]["hand"]
        elif side and stem in arms[side]:
            rotations[:, i] = arms[side][stem]
    return rotations


def to_zero_pose(
    vertices: Float[np.ndarray, "N V 3"],
    heads: Float[np.ndarray, "N B 3"],
    weights: Float[np.ndarray, "V B"],
    names: list[str],
    parents: list[int],
) -> tuple[Float[np.ndarray, "N V 3"], Float[np.ndarray, "N B 3"]]:
    """Vertices and bone heads in SMPL's zero pose, by linear blend skinning on all bones."""
    rotations = bone_rotations(heads, names)
    moved = heads.copy()
    for bone, parent in enumerate(parents):
        if parent >= 0:
            offset = heads[:, bone] - heads[:, parent]
            moved[:, bone] = moved[:, parent] + np.einsum(
                "nij,nj->ni", rotations[:, parent], offset
            )
    shift = moved - np.einsum("nbij,nbj->nbi", rotations, heads)
    posed = np.empty_like(vertices)
    for n in range(len(vertices)):
        blended = np.einsum("vb,bij->vij", weights, rotations[n], optimize=True)
        posed[n] = np.einsum("vij,vj->vi", blended, vertices[n]) + weights @ shift[n]
    return posed, moved
