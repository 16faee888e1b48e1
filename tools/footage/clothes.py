"""What people wear: colours as functions of a body's rest-pose coordinates, so that they stick.

In the rest pose (T-pose, y up, facing +z) every garment is an interval: sleeves end at some x along
the arms, trousers at some y along the legs, hair above a line around the head.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from stages.body.joint_names import SMPL24_NAMES
from tools.footage.batches import Appearance
from tools.footage.skinning import BodyTensors
from tools.footage.textures import SIZE, Atlas

SKIN, HAIR, SHIRT, SHIRT_ACCENT, TROUSERS, TROUSERS_ACCENT, SHOES, EYES = range(8)
_LIP_TINT = (0.78, 0.42, 0.42)
_ARM_DROP_M = 0.15
_SHOE_ABOVE_ANKLE_M = 0.015


@dataclass(frozen=True)
class Cuts:
    """Rest-pose landmarks of a body template, metres."""

    shoulder_x: float
    wrist_x: float
    arm_y: float
    arm_z: float
    hip_y: float
    ankle_y: float
    sole_y: float
    leg_x: float
    neck_y: float
    pelvis_y: float
    eyes: Float[Tensor, "2 3"]
    nose: Float[Tensor, 3]
    ear_y: float
    ear_z: float


def cuts_of(body: BodyTensors) -> Cuts:
    joints = dict(zip(SMPL24_NAMES, (body.J_regressor @ body.v_template).tolist(), strict=True))
    nose, right_eye, left_eye, right_ear, left_ear = body.v_template[body.extra_vertices[:5]]
    return Cuts(
        shoulder_x=joints["left_shoulder"][0], wrist_x=joints["left_wrist"][0],
        arm_y=joints["left_elbow"][1], arm_z=joints["left_elbow"][2],
        hip_y=joints["left_hip"][1], ankle_y=joints["left_ankle"][1],
        sole_y=float(body.v_template[:, 1].min()), leg_x=joints["left_knee"][0],
        neck_y=joints["neck"][1], pelvis_y=joints["pelvis"][1],
        eyes=torch.stack([left_eye, right_eye]), nose=nose,
        ear_y=float((right_ear[1] + left_ear[1]) / 2),
        ear_z=float((right_ear[2] + left_ear[2]) / 2),
    )  # fmt: skip


def clothes_colour(
    cuts: Cuts,
    atlas: Atlas,
    appearance: Appearance,
    image: Int[Tensor, " M"],
    person: Int[Tensor, " M"],
    rest_m: Float[Tensor, "M 3"],
    footprint_m: Float[Tensor, " M"],
) -> Float[Tensor, "M 3"]:
    """Unlit colours at body points given by their rest-pose coordinates.

    footprint_m: size of a pixel on the body, for texture filtering.
    """
    colours = appearance.colours[image, person]
    sleeve, length, hem, hair_length = appearance.cut[image, person].unbind(-1)
    x, y, z = rest_m.unbind(-1)
    side = x.abs()
    along_arm = (side - cuts.shoulder_x) / (cuts.wrist_x - cuts.shoulder_x)
    along_leg = (cuts.hip_y - y) / (cuts.hip_y - cuts.ankle_y)
    is_arm = (along_arm > 0) & (y > cuts.arm_y - _ARM_DROP_M)
    hem_y = cuts.pelvis_y + 0.03 + 0.09 * hem

    pattern = _pattern(cuts, atlas, appearance, image, person, rest_m, footprint_m, is_arm, hem_y)
    accent = appearance.accent[image, person]

    def pick(index: int) -> Tensor:
        return colours[:, index]

    shirt = torch.lerp(pick(SHIRT), pick(SHIRT_ACCENT), (pattern * accent[:, 0])[:, None])
    trousers = torch.lerp(pick(TROUSERS), pick(TROUSERS_ACCENT), (pattern * accent[:, 1])[:, None])
    skin = _face(cuts, pick(SKIN), pick(HAIR), pick(EYES), hair_length, rest_m)

    neckline = cuts.neck_y - 0.8 * torch.where(z > cuts.arm_z, (0.06 - side).clamp(min=0), 0.0)
    is_shirt = (~is_arm & (y > hem_y) & (y < neckline)) | (is_arm & (along_arm < sleeve))
    is_trousers = ~is_arm & (y <= hem_y) & (along_leg < length)
    is_shoe = y < cuts.ankle_y + _SHOE_ABOVE_ANKLE_M
    sole = y < cuts.sole_y + 0.018
    colour = torch.where(is_shirt[:, None], shirt, skin)
    colour = torch.where(is_trousers[:, None], trousers, colour)
    shoe = torch.where(sole[:, None], 0.85 - 0.5 * pick(SHOES), pick(SHOES))
    return torch.where(is_shoe[:, None], shoe, colour)


def _pattern(cuts, atlas, appearance, image, person, rest_m, footprint_m, is_arm, hem_y) -> Tensor:
    """Fabric value 0..1, wrapped around torso, arms and legs."""
    x, y, z = rest_m.unbind(-1)
    is_leg = ~is_arm & (y <= hem_y)
    around_torso = 0.14 * torch.atan2(x, z)
    around_arm = 0.05 * torch.atan2(z - cuts.arm_z, y - cuts.arm_y)
    around_leg = 0.07 * torch.atan2(x - torch.sign(x) * cuts.leg_x, z)
    u = torch.where(is_arm, around_arm, torch.where(is_leg, around_leg, around_torso))
    v = torch.where(is_arm, x, y)
    garment = is_leg.long()[:, None]
    layer = torch.gather(appearance.layers[image, person], 1, garment)[:, 0]
    repeats = torch.gather(appearance.repeats_per_m[image, person], 1, garment)[:, 0]
    uv = torch.stack([u, v], -1) * repeats[:, None]
    return atlas.sample(layer, uv, footprint_m * repeats * SIZE)


def _face(cuts, skin, hair, eyes, hair_length, rest_m) -> Tensor:
    """Skin with eyes, brows, lips and hair."""
    x, y, z = rest_m.unbind(-1)
    colour = skin
    front = z > cuts.ear_z + 0.03
    nose_x, nose_y = cuts.nose[0], cuts.nose[1]
    lips = front & ((y - (nose_y - 0.042)).abs() < 0.008) & ((x - nose_x).abs() < 0.025)
    colour = torch.where(lips[:, None], skin * skin.new_tensor(_LIP_TINT), colour)
    for eye in cuts.eyes:
        dx, dy = x - eye[0], y - eye[1]
        brow = front & ((dy - 0.022).abs() < 0.005) & (dx.abs() < 0.022)
        colour = torch.where(brow[:, None], hair * 0.7, colour)
        white = front & ((dx / 0.016) ** 2 + (dy / 0.009) ** 2 < 1)
        colour = torch.where(white[:, None], colour.new_tensor(0.92), colour)
        iris = front & (dx**2 + dy**2 < 0.007**2)
        colour = torch.where(iris[:, None], eyes, colour)
    hairline = cuts.eyes[0, 1] + 0.055
    back = z < cuts.ear_z + 0.012
    lower = torch.lerp(torch.full_like(y, cuts.ear_y), torch.full_like(y, cuts.neck_y), hair_length)
    is_hair = (y > torch.where(back, lower, hairline)) & (y > cuts.neck_y) & (hair_length >= 0)
    return torch.where(is_hair[:, None], hair, colour)
