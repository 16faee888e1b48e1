"""Posing an SMPL-layout body in torch: shape and pose offsets, then linear blend skinning.

In torch, because renderer and trainers are, on their device and differentiable; `stages.body` has
the same in JAX and NumPy.

Formulas: Loper et al., "SMPL: A Skinned Multi-Person Linear Model" (2015), equations 2 to 10.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from stages.body.joint_names import (
    BODY_AND_FEET,
    COCO_WHOLEBODY_NAMES,
    SMPL_PARENTS,
    smpl45_row,
)
from stages.body.model import BodyModel
from tools.footage.batches import Appearance, PeopleBatch
from tools.footage.linear import apply


@dataclass(frozen=True)
class BodyTensors:
    """A body model on one device; see `stages.body.BodyModel` for the arrays' meaning.

    keypoint_vertices: vertex picks for COCO-WholeBody 23..132 (68 face, 42 hand points); the body
    and foot points before them come from joints and the SMPL-45 picks.
    """

    v_template: Float[Tensor, "V 3"]
    shapedirs: Float[Tensor, "V 3 10"]
    posedirs: Float[Tensor, "V 3 207"]
    J_regressor: Float[Tensor, "24 V"]
    weights: Float[Tensor, "V 24"]
    faces: Int[Tensor, "F 3"]
    extra_vertices: Int[Tensor, 21]
    keypoint_vertices: Int[Tensor, 110] | None

    @classmethod
    def from_model(cls, model: BodyModel, device: torch.device | str = "cpu") -> BodyTensors:
        """Faces are turned outward, as the rasteriser leaves out what faces away."""

        def real(array) -> Tensor:
            return torch.as_tensor(np.asarray(array, np.float32), device=device)

        def whole(array) -> Tensor:
            return torch.as_tensor(np.asarray(array, np.int64), device=device)

        corners = model.v_template[model.faces]
        volume = np.einsum("fi,fi->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2]))
        faces = model.faces[:, :: 1 if volume > 0 else -1]
        picks = model.keypoint_vertices
        return cls(
            v_template=real(model.v_template), shapedirs=real(model.shapedirs),
            posedirs=real(model.posedirs), J_regressor=real(model.J_regressor),
            weights=real(model.weights), faces=whole(faces.copy()),
            extra_vertices=whole(model.extra_vertices),
            keypoint_vertices=None if picks is None else whole(picks),
        )  # fmt: skip

    def to(self, device: torch.device | str) -> BodyTensors:
        tensors = {
            name: value.to(device)
            for name, value in self.__dict__.items()
            if isinstance(value, Tensor)
        }
        return replace(self, **tensors)


def forward_kinematics(
    local_rotmats: Float[Tensor, "N 24 3 3"],
    joints_rest: Float[Tensor, "N 24 3"],
    root_m: Float[Tensor, "N 3"],
) -> tuple[Float[Tensor, "N 24 3 3"], Float[Tensor, "N 24 3"]]:
    """Rotations and places of all joints in the world; local_rotmats[:, 0] is R_world_root."""
    rotations, joints = [local_rotmats[:, 0]], [root_m]
    for joint, parent in enumerate(SMPL_PARENTS[1:], start=1):
        bone = joints_rest[:, joint] - joints_rest[:, parent]
        joints.append(joints[parent] + apply(rotations[parent], bone))
        rotations.append(rotations[parent] @ local_rotmats[:, joint])
    return torch.stack(rotations, 1), torch.stack(joints, 1)


def pose_vertices(
    body: BodyTensors,
    betas: Float[Tensor, "N 10"],
    local_rotmats: Float[Tensor, "N 24 3 3"],
    root_m: Float[Tensor, "N 3"],
) -> tuple[Float[Tensor, "N V 3"], Float[Tensor, "N 24 3"]]:
    """Vertices and joints in the world; local_rotmats[:, 0] is R_world_root, root_m the pelvis."""
    count = len(betas)
    vertices = body.v_template + (betas @ body.shapedirs.flatten(0, 1).T).view(count, -1, 3)
    joints_rest = body.J_regressor @ vertices
    bend = (local_rotmats[:, 1:] - torch.eye(3, device=betas.device)).reshape(count, 207)
    vertices = vertices + (bend @ body.posedirs.flatten(0, 1).T).view(count, -1, 3)

    R, p = forward_kinematics(local_rotmats, joints_rest, root_m)
    moved = p - apply(R, joints_rest)
    blend = torch.einsum("vj,njk->nvk", body.weights, torch.cat([R.flatten(2), moved], -1))
    R_vertex, t_vertex = blend[..., :9].unflatten(-1, (3, 3)), blend[..., 9:]
    return apply(R_vertex, vertices) + t_vertex, p


def pose_people(
    body: BodyTensors,
    betas: Float[Tensor, "B P 10"],
    local_rotmats: Float[Tensor, "B P 24 3 3"],
    root_m: Float[Tensor, "B P 3"],
    appearance: Appearance,
    present: Bool[Tensor, "B P"] | None = None,
) -> PeopleBatch:
    """Bodies in the world, ready to render. present: all of them unless said."""
    batch, people = betas.shape[:2]
    vertices, joints = pose_vertices(
        body, betas.flatten(0, 1), local_rotmats.flatten(0, 1), root_m.flatten(0, 1)
    )
    if present is None:
        present = torch.ones(batch, people, dtype=torch.bool, device=betas.device)
    return PeopleBatch(
        vertices_m=vertices.unflatten(0, (batch, people)),
        joints_m=joints.unflatten(0, (batch, people)),
        present=present,
        appearance=appearance,
    )


_BODY_AND_FEET_OF_SMPL45 = [smpl45_row(name) for name in COCO_WHOLEBODY_NAMES[:BODY_AND_FEET]]


def smpl45(body: BodyTensors, people: PeopleBatch) -> Float[Tensor, "B P 45 3"]:
    """The 24 joints and the 21 picked vertices in the world."""
    return torch.cat([people.joints_m, people.vertices_m[:, :, body.extra_vertices]], 2)


def wholebody133(body: BodyTensors, people: PeopleBatch) -> Float[Tensor, "B P 133 3"]:
    """COCO-WholeBody points in the world; NaN for face and hands if the body has no picks."""
    joints = smpl45(body, people)
    first = joints[:, :, _BODY_AND_FEET_OF_SMPL45]
    if body.keypoint_vertices is None:
        rest = first.new_full((*first.shape[:2], 110, 3), float("nan"))
    else:
        rest = people.vertices_m[:, :, body.keypoint_vertices]
    return torch.cat([first, rest], 2)
