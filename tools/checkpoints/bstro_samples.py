"""Labelled crops for BSTRO, from rendered shots.

What the trainer needs of a shot: the picture, the box of what is seen of a person, the posed
vertices and the blocks of the place in the world, and which feet are planted.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from stages.body.joint_names import SMPL24_MIRROR
from stages.stage0_bstro.network.config import CROP_PX
from tools.checkpoints import pictures
from tools.checkpoints.person_crops import (
    chosen_stills,
    cut,
    disturbed_boxes,
    to_square,
)
from tools.checkpoints.samples import Shots
from tools.footage.batches import Batched, SceneBatch

TOUCHING_M = 0.02
SOLE_SHARE = 0.33
"""A planted foot counts as touching with at least this share of its vertices, nearest first."""


@dataclass
class BstroSamples(Batched):
    """crops: the box alone on black. contact: vertices that touch. planted: left, right foot.

    joints_px: the 24 joints in crop pixels. depths_m: how far behind the pelvis each is.
    heights_m: how far the nearest point of the left and the right foot is from the place.
    """

    crops: UInt8[Tensor, "B 3 224 224"]
    contact: Bool[Tensor, "B 6890"]
    planted: Bool[Tensor, "B 2"]
    joints_px: Float[Tensor, "B 24 2"]
    depths_m: Float[Tensor, "B 24"]
    heights_m: Float[Tensor, "B 2"]


@dataclass(frozen=True)
class Feet:
    """Vertex numbers of the left and right foot, and of every vertex's mirror image."""

    left: Int[Tensor, " left"]
    right: Int[Tensor, " right"]
    mirror: Int[Tensor, "6890"]

    @staticmethod
    def of_body_file(path: str, device: torch.device | str) -> "Feet":
        """From the arrays that the demo body stores beside the SMPL ones."""
        with np.load(path) as arrays:
            lists = (arrays[n] for n in ("left_foot_vertices", "right_foot_vertices",
                                         "mirror_vertices"))  # fmt: skip
            return Feet(*(torch.as_tensor(a.astype(np.int64), device=device) for a in lists))


def distance_to_place_m(points: Float[Tensor, "n v 3"], scene: SceneBatch) -> Float[Tensor, "n v"]:
    """How far points are from the floor (z = 0) and the blocks; 0 inside them."""
    nearest = points[..., 2].clamp(min=0)
    for box in range(scene.box_centre_m.shape[1]):
        offset = points - scene.box_centre_m[:, None, box]
        yaw = scene.box_yaw_rad[:, None, box]
        cos, sin = yaw.cos(), yaw.sin()
        x = cos * offset[..., 0] + sin * offset[..., 1]
        y = cos * offset[..., 1] - sin * offset[..., 0]
        local = torch.stack([x, y, offset[..., 2]], -1).abs() - scene.box_half_m[:, None, box]
        distance = local.clamp(min=0).norm(dim=-1)
        absent = ~scene.box_present[:, None, box]
        nearest = torch.minimum(nearest, distance.masked_fill(absent, float("inf")))
    return nearest


def touching_vertices(
    distance_m: Float[Tensor, "n 6890"], planted: Bool[Tensor, "n 2"], feet: Feet
) -> Bool[Tensor, "n 6890"]:
    """Contact labels: nearness for the body, and for feet nearness while the foot is planted.

    A foot that swings low over the ground or rolls off its toes is no contact here, as it is none
    in the motions' ground truth; a planted one touches with a good part of its vertices.
    """
    contact = distance_m < TOUCHING_M
    for side, vertices in enumerate((feet.left, feet.right)):
        own = distance_m[:, vertices]
        reach = own.quantile(SOLE_SHARE, dim=1, keepdim=True).clamp(min=TOUCHING_M)
        contact[:, vertices] = (own <= reach) & planted[:, side, None]
    return contact


def samples_of(shots: Shots, feet: Feet, box_noise: float = 0.02) -> BstroSamples:
    """Everybody in every picture who is seen well."""
    chosen = chosen_stills(shots)
    picture, slot = chosen.picture, chosen.slot
    boxes = disturbed_boxes(chosen.boxes, box_noise)
    limit = boxes.new_tensor(shots.rgb.shape[1:3]).flip(0).repeat(2)
    boxes = torch.minimum(boxes.clamp(min=0), limit).floor()
    low, high = boxes[:, :2], boxes[:, 2:]
    size = (high - low).amax(1)
    A = to_square((low + high - size[:, None]) / 2, size, CROP_PX)
    crops = cut(shots, picture, A, CROP_PX, CROP_PX)
    planted = shots.contacts[picture, slot]
    joints_px, depth_m = shots.cameras[picture].project(shots.people.joints_m[picture, slot])
    contact, heights = [planted.new_zeros(0, len(feet.mirror))], [boxes.new_zeros(0, 2)]
    for some in torch.arange(len(picture), device=picture.device).split(64):
        vertices = shots.people.vertices_m[picture[some], slot[some]]
        distance = distance_to_place_m(vertices, shots.scene[picture[some]])
        contact.append(touching_vertices(distance, planted[some], feet))
        heights.append(torch.stack([distance[:, v].amin(1) for v in (feet.left, feet.right)], 1))
    return BstroSamples(
        crops * _inside(low, high, A)[:, None],
        torch.cat(contact),
        planted,
        pictures.apply_affine(A, joints_px),
        depth_m - depth_m[:, :1],
        torch.cat(heights),
    )


def _inside(
    low: Float[Tensor, "n 2"], high: Float[Tensor, "n 2"], A: Float[Tensor, "n 2 3"]
) -> Bool[Tensor, "n 224 224"]:
    """Which crop pixels show the box itself."""
    pixel = torch.arange(CROP_PX, device=A.device)
    masks = []
    for axis in range(2):
        source = (pixel - A[:, axis, 2:]) / A[:, axis, axis, None]
        masks.append((source > low[:, axis, None] - 0.5) & (source < high[:, axis, None] - 0.5))
    return masks[1][:, :, None] & masks[0][:, None]


def mirrored(samples: BstroSamples, feet: Feet) -> BstroSamples:
    """The same people seen in a mirror."""
    swap = list(SMPL24_MIRROR)
    joints_px = samples.joints_px[:, swap].clone()
    joints_px[..., 0] = CROP_PX - 1 - joints_px[..., 0]
    return BstroSamples(
        samples.crops.flip(-1),
        samples.contact[:, feet.mirror],
        samples.planted.flip(-1),
        joints_px,
        samples.depths_m[:, swap],
        samples.heights_m.flip(-1),
    )
