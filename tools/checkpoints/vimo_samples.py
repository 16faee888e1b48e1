"""Labelled crops for VIMO, from rendered shots.

What the trainer needs of a shot: the picture, the box of what is seen of a person, the SMPL
rotations (root in the world), shape and joints in the world, and the camera.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from stages.body.joint_names import SMPL24_MIRROR
from stages.stage0_vimo.crops import BOX_DILATION
from stages.stage0_vimo.network.camera import bbox_info
from stages.stage0_vimo.network.config import CROP_PX
from tools.checkpoints import pictures
from tools.checkpoints.person_crops import (
    Chosen,
    chosen_clips,
    chosen_stills,
    cut,
    disturbed_boxes,
    to_square,
)
from tools.checkpoints.samples import Shots
from tools.footage.batches import Batched

MARGIN_PX = CROP_PX // 8
CROP_WIDTH_PX = CROP_PX - 2 * MARGIN_PX


@dataclass
class VimoSamples(Batched):
    """Windows of T frames of one person (T is 1 for stills).

    crops: the 192 columns that the backbone sees. rotmats: local, root in the camera.
    joints_m: the 24 joints in the camera. joints_px: in crop pixels.
    """

    crops: UInt8[Tensor, "B T 3 256 192"]
    bbox_info: Float[Tensor, "B T 3"]
    rotmats: Float[Tensor, "B T 24 3 3"]
    betas: Float[Tensor, "B 10"]
    joints_m: Float[Tensor, "B T 24 3"]
    joints_px: Float[Tensor, "B T 24 2"]


def samples_of(shots: Shots, clips: bool, box_noise: float = 0.03) -> VimoSamples:
    """Everybody who is seen well: whole clips as windows, or every picture by itself."""
    chosen = chosen_clips(shots) if clips else chosen_stills(shots)
    frames = shots.frames if clips else 1
    picture, slot = chosen.picture, chosen.slot
    A, info = _crop_of(shots, chosen, box_noise)
    R_world_camera = shots.cameras.T_world_camera[picture, :3, :3]
    centre = shots.cameras.T_world_camera[picture, :3, 3]
    rotmats = shots.local_rotmats[picture, slot].clone()
    rotmats[:, 0] = R_world_camera.transpose(1, 2) @ rotmats[:, 0]
    joints_world = shots.people.joints_m[picture, slot]
    joints_px, _ = shots.cameras[picture].project(joints_world)

    def windowed(value: Tensor) -> Tensor:
        return value.unflatten(0, (-1, frames)) if len(value) else value[:, None]

    return VimoSamples(
        crops=windowed(cut(shots, picture, A, CROP_PX, CROP_WIDTH_PX)),
        bbox_info=windowed(info),
        rotmats=windowed(rotmats),
        betas=windowed(shots.betas[picture, slot])[:, 0],
        joints_m=windowed((joints_world - centre[:, None]) @ R_world_camera),
        joints_px=windowed(pictures.apply_affine(A, joints_px)),
    )


def _crop_of(shots: Shots, chosen: Chosen, box_noise: float) -> tuple[Tensor, Tensor]:
    boxes = disturbed_boxes(chosen.boxes, box_noise)
    low, high = boxes[:, :2], boxes[:, 2:]
    size, centre = BOX_DILATION * (high - low).amax(1), (low + high) / 2
    height, width = shots.rgb.shape[1:3]
    focal = size.new_full((len(size),), (height**2 + width**2) ** 0.5)
    middle = size.new_tensor([width / 2, height / 2]).expand(len(size), 2)
    A = to_square(centre - size[:, None] / 2, size, CROP_PX)
    A[:, 0, 2] -= MARGIN_PX
    return A, bbox_info(centre, size, focal, middle)


def mirrored(samples: VimoSamples) -> VimoSamples:
    """The same people seen in a mirror; the demo's bodies are nearly symmetric."""
    flip = torch.tensor([-1.0, 1.0, 1.0], device=samples.bbox_info.device)
    swap = list(SMPL24_MIRROR)
    joints_px = samples.joints_px[:, :, swap].clone()
    joints_px[..., 0] = CROP_WIDTH_PX - 1 - joints_px[..., 0]
    return VimoSamples(
        crops=samples.crops.flip(-1),
        bbox_info=samples.bbox_info * flip,
        rotmats=samples.rotmats[:, :, swap] * flip[:, None] * flip,
        betas=samples.betas,
        joints_m=samples.joints_m[:, :, swap] * flip,
        joints_px=joints_px,
    )
