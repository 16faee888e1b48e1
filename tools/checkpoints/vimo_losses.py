"""What VIMO's trainer minimises and measures: rotations, joints, shape, camera, joint places."""

import torch
from jaxtyping import Float
from torch import Tensor

from stages.stage0_vimo.network.backbone import GRID
from tools.checkpoints.joint_places import place_losses
from tools.checkpoints.vimo_samples import MARGIN_PX, VimoSamples
from tools.footage.skinning import BodyTensors, forward_kinematics

ROTATION, JOINTS, SHAPE, PROJECTION = 1.0, 8.0, 0.3, 2.0
PLACES, DEPTHS, MOTION, COLUMNS = 0.15, 2.0, 4.0, 0.1
_ROOT_WEIGHT = 3.0


class Skeleton:
    """Joint positions from rotations and shape, for one body."""

    def __init__(self, body: BodyTensors) -> None:
        self.rest = body.J_regressor @ body.v_template
        self.shape = torch.einsum("jv,vck->jck", body.J_regressor, body.shapedirs)

    def joints(
        self, rotmats: Float[Tensor, "n 24 3 3"], betas: Float[Tensor, "n 10"]
    ) -> Float[Tensor, "n 24 3"]:
        """Joints relative to the pelvis, in the frame that the root rotation leads to."""
        rest = self.rest + torch.einsum("nk,jck->njc", betas, self.shape)
        return forward_kinematics(rotmats, rest, torch.zeros_like(rest[:, 0]))[1]


def rotation_loss(ours: Float[Tensor, "*b 24 3 3"], truth: Float[Tensor, "*b 24 3 3"]) -> Tensor:
    """Squared matrix difference, the root counted more."""
    squared = (ours - truth).square().sum((-1, -2))
    return squared[..., 1:].mean() + _ROOT_WEIGHT / 24 * squared[..., 0].mean()


def projection_loss(
    joints_m: Float[Tensor, "n 24 3"],
    weak_camera: Float[Tensor, "n 3"],
    samples: VimoSamples,
) -> Tensor:
    """Distance in the crop, in half crop sizes, of the joints that VIMO's camera projects.

    The crop's place follows from the box information with focal length one.
    """
    info = samples.bbox_info.flatten(0, 1)
    offset, size = info[:, :2] / 2.8, (info[:, 2:] * 0.06 + 0.24)
    scaled = size * weak_camera[:, :1].clamp(min=0.2)
    xy = weak_camera[:, 1:] + 2 * offset / scaled
    placed = joints_m + torch.cat([xy, 2 / scaled], 1)[:, None]
    in_picture = placed[..., :2] / placed[..., 2:].clamp(min=0.3)
    ours = 2 * (in_picture - offset[:, None]) / size[:, None]
    shift = ours.new_tensor([MARGIN_PX + 0.5, 0.5])
    truth = (samples.joints_px.flatten(0, 1) + shift) / 128 - 1
    near = (truth.abs() < 1.5).all(-1)
    return ((ours - truth).abs().sum(-1) * near).sum() / near.sum().clamp(min=1)


def grid_losses(
    logits: Float[Tensor, "n 192 24"], depths: Float[Tensor, "n 192 24"], samples: VimoSamples
) -> tuple[Tensor, Tensor]:
    """`place_losses` in the backbone's grid, with depths behind the pelvis."""
    # Patches start two pixels outside the crop; the centre of patch i is at 16 i + 5.5.
    at = (samples.joints_px.flatten(0, 1) - 5.5) / 16
    depth = samples.joints_m.flatten(0, 1)[..., 2]
    return place_losses(logits, depths, at, depth - depth[:, :1], GRID)


def aligned_errors_m(
    ours: Float[Tensor, "n 24 3"], truth: Float[Tensor, "n 24 3"]
) -> Float[Tensor, " n"]:
    """Mean joint distance after the best similarity transform (PA-MPJPE), metres."""
    a, b = ours - ours.mean(1, keepdim=True), truth - truth.mean(1, keepdim=True)
    U, S, Vt = torch.linalg.svd(a.transpose(1, 2) @ b)
    sign = torch.ones_like(S)
    sign[:, 2] = torch.linalg.det(U @ Vt).sign()
    R = (U * sign[:, None]) @ Vt
    scale = (S * sign).sum(-1) / a.square().sum((1, 2)).clamp(min=1e-9)
    return (scale[:, None, None] * (a @ R) - b).norm(dim=-1).mean(1)
