"""Body models in SMPL's file layout: reading them and what can be told without a pose.

Sources of the layout: the SMPL paper (Loper et al. 2015) and the public `smplx` package.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import scipy.sparse
from jaxtyping import Float, Int

from stages.artifacts.errors import ArtifactError
from stages.artifacts.npz_files import read_npz
from stages.artifacts.opening import reason_of
from stages.artifacts.pickles import read_pickle
from stages.body.joint_names import SMPL_EXTRA_VERTICES, SMPL_PARENTS, smpl45_row

DEMO_BODY = Path(__file__).resolve().parents[2] / "data" / "bodies" / "demo_body.npz"
"""A body of this project's own, CC0."""

BETA_COUNT = 10
JOINT_COUNT = 24
VERTEX_COUNT = 6890
LEAST_M, MOST_M = 0.3, 10.0
"""Between these the largest extent of a body in metres lies, of whatever creature."""


@dataclass(frozen=True, eq=False)
class BodyModel:
    """A skinned body; metres; axes of SMPL: x to the body's left, y up, z forward."""

    v_template: Float[np.ndarray, "V 3"]
    shapedirs: Float[np.ndarray, "V 3 10"]
    posedirs: Float[np.ndarray, "V 3 207"]
    J_regressor: Float[np.ndarray, "24 V"]
    weights: Float[np.ndarray, "V 24"]
    faces: Int[np.ndarray, "F 3"]
    extra_vertices: Int[np.ndarray, " 21"]
    """The vertices that are joints 24..44 of SMPL-45."""
    left_foot_vertices: Int[np.ndarray, " L"]
    """All that moves with ankle and toes."""
    right_foot_vertices: Int[np.ndarray, " R"]
    keypoint_vertices: Int[np.ndarray, " 110"] | None = None
    """Vertices of COCO-WholeBody's face and hand points 23..132, where the file has them."""
    left_sole_vertices: Int[np.ndarray, " S"] | None = None
    """The part of the foot that touches a flat floor, where the file has it."""
    right_sole_vertices: Int[np.ndarray, " S"] | None = None
    mirror_vertices: Int[np.ndarray, " V"] | None = None
    """The vertex on the other side of the body, for bodies that are symmetric."""
    parents: ClassVar[tuple[int, ...]] = SMPL_PARENTS

    @cached_property
    def joint_template(self) -> Float[np.ndarray, "24 3"]:
        """Joint centres of the mean body."""
        return (self.J_regressor @ self.v_template).astype(np.float32)

    @cached_property
    def joint_directions(self) -> Float[np.ndarray, "24 3 10"]:
        """How joint centres move with each beta."""
        return np.einsum("jv,vck->jck", self.J_regressor, self.shapedirs).astype(np.float32)

    def rest_joints(self, betas: Float[np.ndarray, " 10"]) -> Float[np.ndarray, "24 3"]:
        """Joint centres of a shape in the zero pose; betas may also be JAX's."""
        return self.joint_template + self.joint_directions @ betas

    @cached_property
    def has_pose_directions(self) -> bool:
        """Whether the skin changes with the pose beyond skinning."""
        return bool(np.any(self.posedirs))


def load_body(path: Path | str) -> BodyModel:
    """Read a body model: a .npz with SMPL's key names, or SMPL's own .pkl.

    Raises:
        ArtifactError: missing, a folder, damaged, unsafe, or not a body of SMPL's layout in metres.
    """
    path = Path(path)
    if path.is_dir():
        raise ArtifactError(path, "a folder", "name the file of the body in it")
    if not path.exists():
        raise ArtifactError(path, "no such file")
    data = read_npz(path, "make it anew") if path.suffix == ".npz" else read_pickle(path)
    if not isinstance(data, dict):
        raise ArtifactError(path, "holds no table of arrays", "give a body in SMPL's layout")
    try:
        return _from_arrays(data)
    except KeyError as error:
        raise ArtifactError(path, f"lacks {error}", "give a body in SMPL's layout") from None
    except Exception as error:  # NumPy has many over arrays of another kind.
        raise ArtifactError(path, reason_of(error), "give a body in SMPL's layout") from None


def _from_arrays(data: dict[str, Any]) -> BodyModel:
    weights = _array(data, "weights", (VERTEX_COUNT, JOINT_COUNT))
    shapedirs = np.asarray(data["shapedirs"], np.float32)
    if shapedirs.ndim != 3 or shapedirs.shape[2] < BETA_COUNT:
        raise ValueError(f"shapedirs has shape {shapedirs.shape}, wanted (6890, 3, 10 or more)")
    shapedirs = shapedirs[:, :, :BETA_COUNT]
    posedirs = np.asarray(data["posedirs"], np.float32).reshape(VERTEX_COUNT, 3, -1)
    # The root's -1 is unsigned in SMPL's own files.
    parents = np.asarray(data["kintree_table"])[0].astype(np.int64).astype(np.int32)
    if tuple(parents[1:].tolist()) != SMPL_PARENTS[1:]:
        raise ValueError("kintree_table is not SMPL's tree of 24 joints")

    def vertices(name: str) -> np.ndarray | None:
        return np.asarray(data[name], np.int32) if name in data else None

    def foot(side: str) -> np.ndarray:
        listed = vertices(f"{side}_foot_vertices")
        ankle, toes = smpl45_row(f"{side}_ankle"), smpl45_row(f"{side}_foot")
        moved = np.flatnonzero(weights[:, ankle] + weights[:, toes] > 0.5).astype(np.int32)
        return moved if listed is None else listed

    extra = vertices("extra_vertices")
    v_template = _array(data, "v_template", (VERTEX_COUNT, 3))
    extent = np.ptp(v_template, axis=0).max()
    if not LEAST_M < extent < MOST_M:
        raise ValueError(f"v_template is {extent:.4g} from end to end, so it is not in metres")
    return BodyModel(
        v_template=v_template,
        shapedirs=_checked("shapedirs", shapedirs, (VERTEX_COUNT, 3, BETA_COUNT)),
        posedirs=_checked("posedirs", posedirs, (VERTEX_COUNT, 3, 9 * (JOINT_COUNT - 1))),
        J_regressor=_array(data, "J_regressor", (JOINT_COUNT, VERTEX_COUNT)),
        weights=weights,
        faces=_faces(data["f"]),
        extra_vertices=np.array(SMPL_EXTRA_VERTICES, np.int32) if extra is None else extra,
        left_foot_vertices=foot("left"),
        right_foot_vertices=foot("right"),
        keypoint_vertices=vertices("keypoint_vertices"),
        left_sole_vertices=vertices("left_sole_vertices"),
        right_sole_vertices=vertices("right_sole_vertices"),
        mirror_vertices=vertices("mirror_vertices"),
    )


def _array(data: dict[str, Any], name: str, shape: tuple[int, ...]) -> np.ndarray:
    value = data[name]
    if scipy.sparse.issparse(value):
        if hasattr(value, "check_format"):
            value.check_format(full_check=True)  # a damaged index would read foreign memory
        value = value.toarray()
    return _checked(name, np.asarray(value, np.float32), shape)


def _checked(name: str, value: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    if value.shape != shape:
        raise ValueError(f"{name} has shape {value.shape}, wanted {shape}")
    if not np.isfinite(value).all():
        raise ValueError(f"{name} holds numbers that are not finite")
    return value


def _faces(value: Any) -> np.ndarray:
    faces = np.asarray(value).astype(np.int64)
    if faces.ndim != 2 or faces.shape[1] != 3 or faces.min() < 0 or faces.max() >= VERTEX_COUNT:
        raise ValueError("f is no list of triangles over the vertices")
    return faces.astype(np.int32)
