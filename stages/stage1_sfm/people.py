"""Depth of people, who move: that of their bodies, since structure from motion has none of them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32

from stages.body.joint_names import (
    COCO_WHOLEBODY_NAMES,
    SMPL24_NAMES,
    SMPL45_OF_COCO18,
    coco18_row,
)
from stages.body.model import JOINT_COUNT, BodyModel
from stages.body.skin import forward_kinematics
from stages.body.surface_parts import sole_parts
from stages.geometry.placement import first_scale, place_before_camera
from stages.people.ground import grounds_near
from stages.people.tracks import Track

SURE = 0.5
"""Score of keypoints that place a body."""
LOOKED_AT = 12
"""Frames in which the ground under feet says how large people are in the world."""
AROUND_FEET = 0.15
"""So far around a sole the ground is looked for, as a share of the height of the shoulders."""
_ANKLES = [SMPL24_NAMES.index(f"{side}_ankle") for side in ("left", "right")]
_LIMBS = [
    ("shoulder", "elbow"), ("elbow", "wrist"), ("shoulder", "hip"), ("hip", "knee"),
    ("knee", "ankle"), ("ankle", "heel"), ("ankle", "big_toe"), ("heel", "big_toe"),
]  # fmt: skip
_BONES = np.array(
    [[coco18_row(f"{side}_{end}") for end in limb] for side in ("left", "right") for limb in _LIMBS]
    + [[coco18_row(f"{side}_{end}") for side in ("left", "right")] for end in ("shoulder", "hip")]
)


@dataclass(frozen=True)
class PlacedPerson:
    """A person before the cameras, by the size and place of their body in the pictures.

    points_m: the 18 keypoints, then the ball and the heel of the left and of the right sole, in
        the cameras' axes. known: frames with a body and keypoints. contacts: of the two feet;
        None where nothing says.
    """

    person: int
    points_m: Float[np.ndarray, "T 22 3"]
    known: Bool[np.ndarray, " T"]
    contacts: Bool[np.ndarray, "T 2"] | None


def placed(track: Track, model: BodyModel, intrinsics: Float[np.ndarray, "T 3 3"]) -> PlacedPerson:
    """A person by their track; `intrinsics` are those of its pixels."""
    offsets = _body_points(track, model)
    ones = np.ones((*track.pixels.shape[:-1], 1))
    rays = np.concatenate([track.pixels, ones], -1) @ np.linalg.inv(intrinsics).mT
    weights = np.where(track.scores > SURE, track.scores, 0.0) * track.detected[:, None]
    root = place_before_camera(offsets[:, : len(SMPL45_OF_COCO18)], rays, weights)
    known = track.detected & ((weights > 0).sum(1) >= 4)
    contacts = track.contacts if track.contacts.any() else None
    return PlacedPerson(track.person, root[:, None] + offsets, known, contacts)


def _body_points(track: Track, model: BodyModel) -> Float[np.ndarray, "T 22 3"]:
    """Keypoints and soles from the pelvis, in the cameras' axes; feet are stiff from the ankle."""
    rest = model.rest_joints(track.betas)
    skin = model.v_template + model.shapedirs @ track.betas
    R, p = forward_kinematics(track.rotmats, rest, np.zeros((len(track.rotmats), 3)))

    def on_foot(side: int, point: Float[np.ndarray, " 3"]) -> Float[np.ndarray, "T 3"]:
        ankle = _ANKLES[side]
        return p[:, ankle] + R[:, ankle] @ (point - rest[ankle])

    points = []
    for row, name in zip(SMPL45_OF_COCO18, COCO_WHOLEBODY_NAMES[5:], strict=False):
        if row < JOINT_COUNT:
            points.append(p[:, row])
        else:
            tip = skin[model.extra_vertices[row - JOINT_COUNT]]
            points.append(on_foot(name.startswith("right"), tip))
    for side, foot in enumerate((model.left_foot_vertices, model.right_foot_vertices)):
        for part in sole_parts(model.v_template, foot):
            # It is the lowest point of a part of the sole that touches the ground.
            sole = skin[part].mean(0)
            points.append(on_foot(side, np.array([sole[0], skin[part, 1].min(), sole[2]])))
    return np.stack(points, 1)


def frames_to_look_at(people: list[PlacedPerson], usable: Bool[np.ndarray, " T"]) -> list[int]:
    """Frames in which somebody stands, as far as anything says so, spread over the clip."""
    standing = np.zeros(len(usable), bool)
    for each in people:
        touching = each.known if each.contacts is None else each.contacts.any(1)
        standing |= each.known & touching
    found = np.flatnonzero(standing & usable)
    chosen = np.linspace(0, len(found) - 1, min(LOOKED_AT, len(found))).round().astype(int)
    return [int(frame) for frame in found[chosen]]


def metres_per_unit(
    people: list[PlacedPerson],
    frames: list[int],
    depth_of: Callable[[int], Float32[np.ndarray, "H W"]],
    intrinsic_of: Callable[[int], Float[np.ndarray, "3 3"]],
) -> float | None:
    """How large people are in the world: soles that stand are as far below the camera as the
    ground around them.

    Args:
        depth_of: the place's depth in a frame, behind people too; 0 where it is not known.

    Returns:
        None if the ground under feet is nowhere known.
    """
    metres, units, weights = [], [], []
    for frame in frames:
        depth, intrinsic = depth_of(frame), intrinsic_of(frame)
        for each in people:
            if not each.known[frame]:
                continue
            up, height_m = _upright(each.points_m[frame])
            for foot, sole in enumerate(each.points_m[frame, -4:].reshape(2, 2, 3).mean(1)):
                if each.contacts is not None and not each.contacts[frame, foot]:
                    continue
                pixel = (intrinsic @ (sole / sole[2]))[:2]
                radius_px = AROUND_FEET * height_m / sole[2] * intrinsic[0, 0]
                for patch in grounds_near(depth, depth > 0, intrinsic, pixel, radius_px, up, frame):
                    below = -float(patch.point @ patch.normal)
                    steep = below / float(np.linalg.norm(patch.point))
                    metres.append(-float(sole @ patch.normal))
                    units.append(below)
                    weights.append(patch.weight * max(steep, 0.0))
    return first_scale(np.array(metres), np.array(units), np.array(weights))


def _upright(points_m: Float[np.ndarray, "22 3"]) -> tuple[Float[np.ndarray, " 3"], float]:
    """The direction from the soles to the shoulders, and how far it is."""
    shoulders = [coco18_row(f"{side}_shoulder") for side in ("left", "right")]
    away = points_m[shoulders].mean(0) - points_m[-4:].mean(0)
    height_m = float(np.linalg.norm(away))
    return away / max(height_m, 1e-9), height_m


def body_depth(
    points_m: Float[np.ndarray, "P 3"],
    mask: Bool[np.ndarray, "H W"],
    intrinsic: Float[np.ndarray, "3 3"],
) -> Float32[np.ndarray, "H W"]:
    """z-depth (m) of the middle of the limb that is nearest to a pixel; 0 outside of the mask.

    Keypoints on this depth are the body's joints: these, and not the skin before them, are what
    the original compares them with.
    """
    z = np.maximum(points_m[:, 2], 1e-3)
    pixels = (points_m / z[:, None]) @ intrinsic.T
    start, end = pixels[_BONES[:, 0], :2], pixels[_BONES[:, 1], :2]
    rows, columns = np.nonzero(mask)
    away = np.stack([columns, rows], -1)[:, None] - start
    along = end - start
    share = (away * along).sum(-1) / np.maximum((along**2).sum(-1), 1e-9)
    share = share.clip(0, 1)
    nearest = np.linalg.norm(away - share[..., None] * along, axis=-1).argmin(1)
    share = share[np.arange(len(nearest)), nearest]
    bone = _BONES[nearest]
    depth = np.zeros(mask.shape, np.float32)
    depth[rows, columns] = 1 / ((1 - share) / z[bone[:, 0]] + share / z[bone[:, 1]])
    return depth
