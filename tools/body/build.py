"""Puts the demo body together and says how good it is."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int

from tools.body import keypoints as kp
from tools.body.decimate import decimate
from tools.body.regressor import joint_regressor
from tools.body.rig import SMPL_PARENTS, merge_weights, smpl_joints
from tools.body.shapes import shape_space, symmetric
from tools.body.source import load_source
from tools.body.surface import boundary_loops, close_skin, mirrored_faces
from tools.body.tpose import to_zero_pose

VERTEX_COUNT = 6890
PELVIS = np.array([0.0, -0.22, 0.02])  # SMPL's origin is above the pelvis joint, not in it
IMPORTANCE = {"head": 2.2, "hand": 2.2, "foot": 1.8}
_PARTS = {"head": [15], "hand": [20, 21, 22, 23], "foot": [7, 8, 10, 11]}


@dataclass(frozen=True)
class Quality:
    """What was lost on the way, metres."""

    shape_left_out_m: float
    joint_error_m: float


def _numbering(picks: dict[str, int], kept: Int[np.ndarray, " V"]) -> np.ndarray:
    """The kept vertices in their final order: picks where `smplx` expects them."""
    order = np.full(len(kept), -1)
    for name, slot in kp.SMPL_PICKS.items():
        order[slot] = picks[name]
    rest = np.setdiff1d(kept, list(picks.values()))
    order[order < 0] = rest
    return order


def build(samples: int, seed: int) -> tuple[dict[str, np.ndarray], Quality]:
    """All arrays of the body file, by SMPL's key names, and its quality."""
    source = load_source(samples, seed)
    names, mirror = source.bone_names, source.mirror
    weights24 = merge_weights(source.weights, names)
    (skin,), (heads,) = to_zero_pose(
        source.vertices[:1], source.bone_heads[:1], source.weights, names, source.bone_parents
    )
    eye = source.eye_centres[0]
    closed = close_skin(
        source.faces, source.hidden_faces, source.vertices[0], (eye, int(mirror[eye])), mirror
    )
    importance = np.ones(len(skin))
    for part, moved_by in _PARTS.items():
        importance[np.isin(weights24.argmax(1), moved_by)] = IMPORTANCE[part]
    opened = mirrored_faces(source.faces[~source.hidden_faces], source.vertices[0], mirror)
    rims = boundary_loops(opened)  # eyelids and lips
    mouth = min(rims, key=lambda loop: abs(skin[loop].mean(0)[0]))
    outline = {eye, int(mirror[eye])}.union(*rims)
    kept, faces = decimate(closed, skin, mirror, importance, VERTEX_COUNT, outline)

    def anatomy(order: np.ndarray) -> kp.Anatomy:
        new = np.full(len(skin), -1)
        new[order] = np.arange(len(order))
        return kp.Anatomy(
            vertices=skin[order],
            faces=new[faces],
            mirror=new[mirror[order]],
            main_bone=[names[b] for b in source.weights[order].argmax(1)],
            bone_heads=dict(zip(names, heads, strict=True)),
            eye_left=int(new[eye]),
            lips=skin[mouth],
        )

    first = anatomy(kept)
    picks = {name: int(kept[i]) for name, i in kp.smpl_extra(first).items()}
    order = _numbering(picks, kept)
    body = anatomy(order)

    posed, posed_heads = to_zero_pose(
        source.vertices[:, order], source.bone_heads, source.weights[order], names,
        source.bone_parents,
    )  # fmt: skip
    joints = smpl_joints(posed_heads, names)
    shift = PELVIS - joints[:, :1]
    space = symmetric(shape_space(posed + shift, joints + shift, body.faces), body.mirror)
    regressor = joint_regressor(space, body.mirror)
    regressed = np.einsum("jv,vck->jck", regressor, space.shapedirs)
    off = np.abs(regressor @ space.v_template - space.joints).max()
    off_directions = np.linalg.norm(regressed - space.joint_directions, axis=1).max()

    weights = weights24[order]
    foot, sole = kp.foot_vertices(body, weights)
    parents = np.array(SMPL_PARENTS, dtype=np.int64)
    parents[0] = 2**32 - 1
    arrays = {
        "v_template": space.v_template,
        "shapedirs": space.shapedirs,
        "posedirs": np.zeros((VERTEX_COUNT, 3, 207)),
        "J_regressor": regressor,
        "J": regressor @ space.v_template,
        "weights": weights,
        "f": body.faces.astype(np.uint32),
        "kintree_table": np.stack([parents, np.arange(24)]).astype(np.uint32),
        "bs_type": np.array("lrotmin"),
        "bs_style": np.array("lbs"),
        "extra_vertices": np.array(list(kp.SMPL_PICKS.values()), dtype=np.int32),
        "keypoint_vertices": kp.wholebody_points(body).astype(np.int32),
        "mirror_vertices": body.mirror.astype(np.int32),
        "left_foot_vertices": foot.astype(np.int32),
        "right_foot_vertices": body.mirror[foot].astype(np.int32),
        "left_sole_vertices": sole.astype(np.int32),
        "right_sole_vertices": body.mirror[sole].astype(np.int32),
    }
    arrays = {k: v.astype(np.float32) if v.dtype == np.float64 else v for k, v in arrays.items()}
    return arrays, Quality(space.left_out_m, float(max(off, off_directions)))


def write(arrays: dict[str, np.ndarray], path: Path) -> None:
    """Write the body file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished.npz")
    np.savez_compressed(unfinished, allow_pickle=False, **arrays)
    unfinished.replace(path)
