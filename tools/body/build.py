"""Puts the demo body together and says how good it is."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int

from stages.body.joint_names import SMPL24_NAMES, SMPL_PARENTS
from tools.body.decimate import decimate
from tools.body.face import face_points
from tools.body.landmarks import (
    SMPL_PICKS,
    Anatomy,
    foot_vertices,
    hand_points,
    smpl_extra,
)
from tools.body.regressor import joint_regressor
from tools.body.rig import merge_weights, smpl_joints
from tools.body.shapes import ShapeSpace, shape_space, symmetric
from tools.body.source import SourceBody, load_source
from tools.body.surface import boundary_loops, close_skin, mirrored_faces
from tools.body.tpose import to_zero_pose

VERTEX_COUNT = 6890
PELVIS = np.array([0.0, -0.22, 0.02])  # SMPL's origin is above the pelvis joint, not in it
IMPORTANCE = {"head": 2.2, "hand": 2.2, "foot": 1.8}
_PARTS = {"head": ("head",), "hand": ("_wrist", "_hand"), "foot": ("_ankle", "_foot")}


@dataclass(frozen=True)
class Quality:
    """What was lost on the way, metres."""

    shape_left_out_m: float
    """Distance of the sampled adults' skin to the ten directions, root mean square."""
    joint_error_m: float
    """Largest distance to MakeHuman's joint centres, of the mean or per unit of a beta. The
    regressed centres stay inside the skin, where MakeHuman's knees wander with stature."""


def _thin_skin(source: SourceBody, skin: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Kept vertices (ascending), triangles over all vertices, and the line of the lips."""
    mirror, first = source.mirror, source.vertices[0]
    eyes = (source.eye_centres[0], int(mirror[source.eye_centres[0]]))
    closed = close_skin(source.faces, source.hidden_faces, first, eyes, mirror)
    importance = np.ones(len(skin))
    main_joint = merge_weights(source.weights, source.bone_names).argmax(1)
    for part, moved_by in _PARTS.items():
        joints = [i for i, name in enumerate(SMPL24_NAMES) if name.endswith(moved_by)]
        importance[np.isin(main_joint, joints)] = IMPORTANCE[part]
    opened = mirrored_faces(source.faces[~source.hidden_faces], first, mirror)
    rims = boundary_loops(opened)  # eyelids and lips
    mouth = min(rims, key=lambda loop: abs(skin[loop].mean(0)[0]))
    outline = set(eyes).union(*rims)
    kept, faces = decimate(closed, skin, mirror, importance, VERTEX_COUNT, outline)
    return kept, faces, skin[mouth]


def _anatomy(
    source: SourceBody, skin: np.ndarray, heads: np.ndarray, faces: np.ndarray, lips: np.ndarray,
    order: np.ndarray,
) -> Anatomy:  # fmt: skip
    """The thinned body with its vertices numbered in `order`."""
    new = np.full(len(skin), -1)
    new[order] = np.arange(len(order))
    return Anatomy(
        vertices=skin[order],
        faces=new[faces],
        mirror=new[source.mirror[order]],
        main_bone=[source.bone_names[b] for b in source.weights[order].argmax(1)],
        bone_heads=dict(zip(source.bone_names, heads, strict=True)),
        eye_left=int(new[source.eye_centres[0]]),
        lips=lips,
    )


def _numbering(picks: dict[str, int], kept: Int[np.ndarray, " V"]) -> np.ndarray:
    """The kept vertices in their final order: picks where `smplx` expects them."""
    order = np.full(len(kept), -1)
    for name, slot in SMPL_PICKS.items():
        order[slot] = picks[name]
    order[order < 0] = np.setdiff1d(kept, list(picks.values()))
    return order


def _thinned_body(source: SourceBody) -> tuple[Anatomy, np.ndarray]:
    """The body in SMPL's zero pose and topology, and where its vertices come from."""
    (skin,), (heads,) = to_zero_pose(
        source.vertices[:1], source.bone_heads[:1], source.weights, source.bone_names,
        source.bone_parents,
    )  # fmt: skip
    kept, faces, lips = _thin_skin(source, skin)
    unordered = _anatomy(source, skin, heads, faces, lips, kept)
    order = _numbering({name: int(kept[i]) for name, i in smpl_extra(unordered).items()}, kept)
    return _anatomy(source, skin, heads, faces, lips, order), order


def _shapes(source: SourceBody, body: Anatomy, order: np.ndarray) -> ShapeSpace:
    vertices, heads = to_zero_pose(
        source.vertices[:, order], source.bone_heads, source.weights[order], source.bone_names,
        source.bone_parents,
    )  # fmt: skip
    joints = smpl_joints(heads, source.bone_names)
    shift = PELVIS - joints[:, :1]
    return symmetric(shape_space(vertices + shift, joints + shift, body.faces), body.mirror)


def _joint_error_m(space: ShapeSpace, regressor: np.ndarray) -> float:
    mean = np.linalg.norm(regressor @ space.v_template - space.joints, axis=1)
    moved = np.einsum("jv,vck->jck", regressor, space.shapedirs)
    return float(max(mean.max(), np.linalg.norm(moved - space.joint_directions, axis=1).max()))


def build(samples: int, seed: int) -> tuple[dict[str, np.ndarray], Quality]:
    """All arrays of the body file, by SMPL's key names, and its quality."""
    source = load_source(samples, seed)
    body, order = _thinned_body(source)
    space = _shapes(source, body, order)
    regressor = joint_regressor(space, body.mirror)
    weights = merge_weights(source.weights, source.bone_names)[order]
    foot, sole = foot_vertices(body, weights)
    left_hand = hand_points(body)
    keypoints = [*face_points(body), *left_hand, *body.mirror[left_hand]]
    parents = np.array(SMPL_PARENTS) % 2**32  # SMPL's own files have the root's -1 unsigned
    floats = {
        "v_template": space.v_template,
        "shapedirs": space.shapedirs,
        "posedirs": np.zeros((VERTEX_COUNT, 3, 207)),
        "J_regressor": regressor,
        "J": regressor @ space.v_template,
        "weights": weights,
    }
    indices = {
        "extra_vertices": list(SMPL_PICKS.values()),
        "keypoint_vertices": keypoints,
        "mirror_vertices": body.mirror,
        "left_foot_vertices": foot,
        "right_foot_vertices": body.mirror[foot],
        "left_sole_vertices": sole,
        "right_sole_vertices": body.mirror[sole],
    }
    arrays = {
        **{name: value.astype(np.float32) for name, value in floats.items()},
        "f": body.faces.astype(np.uint32),
        "kintree_table": np.stack([parents, np.arange(24)]).astype(np.uint32),
        "bs_type": np.array("lrotmin"),
        "bs_style": np.array("lbs"),
        **{name: np.array(value, dtype=np.int32) for name, value in indices.items()},
    }
    return arrays, Quality(space.left_out_m, _joint_error_m(space, regressor))


def write(arrays: dict[str, np.ndarray], path: Path) -> None:
    """Write the body file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished.npz")
    np.savez_compressed(unfinished, allow_pickle=False, **arrays)
    unfinished.replace(path)
