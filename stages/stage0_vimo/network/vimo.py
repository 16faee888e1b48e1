"""VIMO: per-frame features, mixed over a 16-frame window, decoded to SMPL, smoothed as motion.

Wang et al., "TRAM" (ECCV 2024); facts from the MIT-licensed release. The backbone looks at one
frame, everything after it at a window, so that callers compute `frame_features` once per frame and
reuse them in every window that holds the frame.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from stages.stage0_vimo.network.backbone import Backbone
from stages.stage0_vimo.network.config import CROP_PX, VimoConfig
from stages.stage0_vimo.network.rotation6d import matrix_from_6d
from stages.stage0_vimo.network.smpl_head import POSE_DIM, SmplHead
from stages.stage0_vimo.network.temporal import TemporalModule

BBOX_INFO_DIM = 3


@dataclass(frozen=True)
class VimoOutput:
    """Prediction for every frame of every window.

    `rotmat`: local SMPL rotations, [..., 0, :, :] root to camera. `frame_rotmat`: the same before
    the motion module. `weak_camera`: (s, tx, ty) in the crop.
    """

    rotmat: Float[Tensor, "b t 24 3 3"]
    shape: Float[Tensor, "b t 10"]
    weak_camera: Float[Tensor, "b t 3"]
    frame_rotmat: Float[Tensor, "b t 24 3 3"]
    pose6d: Float[Tensor, "b t 144"]
    frame_pose6d: Float[Tensor, "b t 144"]


class Vimo(nn.Module):
    """The whole network; parameter names are those of `vimo_checkpoint.pth.tar`."""

    initialized: Tensor

    def __init__(self, config: VimoConfig | None = None) -> None:
        super().__init__()
        c = self.config = config or VimoConfig()
        self.backbone = Backbone(c.dim, c.depth, c.heads, c.mlp_ratio)
        self.st_module = TemporalModule(
            c.dim + BBOX_INFO_DIM,
            c.dim,
            c.spacetime_dim,
            c.spacetime_depth,
            c.spacetime_feedforward,
            c.temporal_heads,
            c.temporal_dropout,
            residual=True,
        )
        self.motion_module = TemporalModule(
            POSE_DIM + BBOX_INFO_DIM,
            POSE_DIM,
            c.motion_dim,
            c.motion_depth,
            c.motion_feedforward,
            c.temporal_heads,
            c.temporal_dropout,
            residual=False,
        )
        self.smpl_head = SmplHead(
            c.head_dim,
            c.head_depth,
            c.dim,
            c.head_heads,
            c.head_attention_dim,
            c.head_feedforward,
        )
        self.register_buffer("initialized", torch.tensor(False))

    def frame_features(self, crops: Float[Tensor, "n 3 256 256"]) -> Float[Tensor, "n 192 c"]:
        """Features of square normalised crops; only the middle 192 columns are looked at."""
        margin = CROP_PX // 8
        return self.backbone(crops[..., margin:-margin])

    def mix_over_time(
        self, features: Float[Tensor, "b t 192 c"], bbox_info: Float[Tensor, "b t 3"]
    ) -> Float[Tensor, "b t 192 c"]:
        """The space-time module: every grid cell attends to itself over the window."""
        windows, _, cells, _ = features.shape
        info = bbox_info[:, :, None].expand(-1, -1, cells, -1)
        sequences = torch.cat([features, info], dim=-1).transpose(1, 2).flatten(0, 1)
        return self.st_module(sequences).unflatten(0, (windows, cells)).transpose(1, 2)

    def forward(
        self, features: Float[Tensor, "b t 192 c"], bbox_info: Float[Tensor, "b t 3"]
    ) -> VimoOutput:
        """Predict windows of frames from `frame_features` and `camera.bbox_info`."""
        shape = features.shape[:2]
        grid = self.mix_over_time(features, bbox_info)
        frame_pose, betas, camera = self.smpl_head(grid.flatten(0, 1))
        frame_pose = frame_pose.unflatten(0, shape)
        pose = self.motion_module(torch.cat([frame_pose, bbox_info], dim=-1)).float()
        return VimoOutput(
            rotmat=matrix_from_6d(pose),
            shape=betas.unflatten(0, shape),
            weak_camera=camera.unflatten(0, shape),
            frame_rotmat=matrix_from_6d(frame_pose.float()),
            pose6d=pose,
            frame_pose6d=frame_pose,
        )
