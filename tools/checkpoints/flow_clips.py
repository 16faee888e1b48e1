"""Clips with what MegaSaM's networks are to find: flow between frames, depth, what moves.

Rendered at the size of the demo's videos and made smaller as the stage does it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from stages.geometry import se3
from stages.geometry.rotations import wxyz_from_matrix
from tools.checkpoints import pictures
from tools.checkpoints.samples import Footage, Shots, full_precision
from tools.footage.batches import Batched
from tools.footage.rasterise import NOTHING, barycentric, visible_triangles
from tools.footage.raycast import FAR_M
from tools.footage.skinning import BodyTensors

HIDDEN_SHARE, HIDDEN_M = 1.03, 0.03
"""A point that lies so much behind what is seen in its place is hidden."""

UNKNOWN_PX = 1e4
"""Flow that no trainer counts."""

LONGEST_STRIDE = 8
"""Between frames of a clip: a quarter of a second at 30 frames a second."""


@dataclass
class FlowClips(Batched):
    """C clips of T frames; maps that are `seen on a grid` have one element every `every` pixels.

    lens: fx, fy, cx, cy in pixels of the pictures. T_camera_world: metres. depth_m, person: seen
    on the grid, sky is FAR_M away. flow: x and y in pixels from frame i to frame j, at [i, j], and
    whether the point is seen there.
    """

    pictures: UInt8[Tensor, "C T 3 H W"]
    lens: Float[Tensor, "C 4"]
    T_camera_world: Float[Tensor, "C T 7"]
    depth_m: Float[Tensor, "C T h w"]
    person: Bool[Tensor, "C T h w"]
    flow: Float[Tensor, "C T T h w 2"]
    visible: Bool[Tensor, "C T T h w"]


@torch.no_grad()
def flow_clips(
    footage: Footage, clips: int, frames: int, size: tuple[int, int], every: int = 1
) -> FlowClips:
    """New clips; each group of them has frames one to `LONGEST_STRIDE` steps apart."""
    stride = int(torch.randint(1, LONGEST_STRIDE + 1, (1,), generator=footage.random))
    shots = footage.shots(clips, frames, stride)
    with full_precision():
        return _annotated(shots, footage.body, size, every)


def _annotated(shots: Shots, body: BodyTensors, size: tuple[int, int], every: int) -> FlowClips:
    full_high, full_wide = shots.rgb.shape[1:3]
    high, wide = size
    T, count = shots.frames, len(shots.rgb) // shots.frames
    device = shots.rgb.device
    scale = torch.tensor([full_wide / wide, full_high / high], device=device)
    at = _nearest_pixels(size, every, scale, (full_high, full_wide), device)
    column, row = at.unbind(-1)

    small = pictures.resized(pictures.as_float(shots.rgb), high, wide)
    depth = torch.where(shots.depth_m > 0, shots.depth_m, FAR_M)
    seen = depth[:, row, column]
    person, corners, weights = _triangles(shots, body, at)

    cameras = shots.cameras
    points = _points(cameras.K, cameras.T_world_camera, at, seen)
    flow = torch.zeros(count, T, T, *seen.shape[1:], 2, device=device)
    visible = torch.zeros(count, T, T, *seen.shape[1:], dtype=torch.bool, device=device)
    frame = torch.arange(count * T, device=device).view(count, T)
    image = person.nonzero()[:, 0]
    vertices = shots.people.vertices_m.flatten(1, 2)
    for i in range(T):
        for j in range(T):
            moved = points.clone()
            there = image + (j - i)
            mine = image % T == i
            bent = (weights[mine, :, None] * vertices[there[mine, None], corners[mine]]).sum(1)
            moved[person & (torch.arange(len(points), device=device) % T == i)[:, None, None]] = (
                bent
            )
            sources, targets = frame[:, i], frame[:, j]
            places, far = cameras[targets].project(moved[sources])
            # A triangle seen from its edge has no weights.
            flow[:, i, j] = torch.nan_to_num((places - at) / scale, nan=UNKNOWN_PX)
            visible[:, i, j] = _is_seen(places, far, depth[targets])
    first = cameras.K.view(count, T, 3, 3)[:, 0]
    lens = torch.stack(
        [first[:, 0, 0] / scale[0], first[:, 1, 1] / scale[1],
         (first[:, 0, 2] + 0.5) / scale[0] - 0.5, (first[:, 1, 2] + 0.5) / scale[1] - 0.5], -1
    )  # fmt: skip
    poses = camera_poses(cameras.T_world_camera).view(count, T, 7)

    def by_clip(value: Tensor) -> Tensor:
        return value.unflatten(0, (count, T))

    rgb = (small * 255 + 0.5).clamp(0, 255).to(torch.uint8)
    return FlowClips(by_clip(rgb), lens, poses, by_clip(seen), by_clip(person), flow, visible)


def _nearest_pixels(size, every, scale, full, device) -> Tensor:
    """Full-size pixels (column, row) next to the middles of the grid's elements."""
    sides = []
    for side, factor, most in zip(size, scale.flip(0), full, strict=True):
        middle = torch.arange(side // every, device=device) * every + (every - 1) / 2
        sides.append((((middle + 0.5) * factor - 0.5).round().long()).clamp(0, most - 1))
    rows, columns = torch.meshgrid(*sides, indexing="ij")
    return torch.stack([columns, rows], -1)


def _triangles(shots: Shots, body: BodyTensors, at: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Which elements show people; vertices of the triangle that each shows, and their weights."""
    people = shots.people
    slots, vertices = people.vertices_m.shape[1:3]
    offsets = torch.arange(slots, device=at.device) * vertices
    faces = (body.faces + offsets[:, None, None]).flatten(0, 1)
    there, depth = shots.cameras.project(people.vertices_m.flatten(1, 2))
    present = people.present.repeat_interleave(len(body.faces), 1)
    facing = -torch.linalg.det(shots.cameras.K[:, :2, :2]).sign()
    high, wide = shots.depth_m.shape[1:]
    face, _ = visible_triangles(there, depth, faces, high, wide, present, facing=facing)
    column, row = at.unbind(-1)
    shown = face[:, row, column]
    # Borders may be a pixel off from one rendering to the next.
    person = (shots.person_ids[:, row, column] > 0) & (shown != NOTHING)
    image, *place = person.nonzero(as_tuple=True)
    pixel, corners = at[*place], faces[shown[person]]
    weights = barycentric(
        there[image[:, None], corners], depth[image[:, None], corners], pixel.float()
    )
    return person, corners, weights


def _points(K: Tensor, T_world_camera: Tensor, at: Tensor, depth: Tensor) -> Tensor:
    homogeneous = torch.cat([at.float(), torch.ones_like(at[..., :1]).float()], -1)
    rays = torch.einsum(
        "nij,hwj->nhwi", T_world_camera[:, :3, :3] @ torch.linalg.inv(K), homogeneous
    )
    return T_world_camera[:, None, None, :3, 3] + rays * depth[..., None]


def _is_seen(places: Tensor, far: Tensor, depth: Tensor) -> Tensor:
    high, wide = depth.shape[1:]
    x, y = torch.nan_to_num(places).round().clamp(-1, max(high, wide)).long().unbind(-1)
    inside = (x >= 0) & (x < wide) & (y >= 0) & (y < high) & (far > 0)
    image = torch.arange(len(depth), device=depth.device)[:, None, None]
    surface = depth[image, y.clamp(0, high - 1), x.clamp(0, wide - 1)]
    return inside & (far < HIDDEN_SHARE * surface + HIDDEN_M)


def camera_poses(T_world_camera: Float[Tensor, "n 4 4"]) -> Float[Tensor, "n 7"]:
    """T_camera_world as position and quaternion wxyz."""
    T = torch.linalg.inv(T_world_camera.double()).cpu()
    wxyz = torch.as_tensor(wxyz_from_matrix(T[:, :3, :3].numpy()))
    return torch.cat([T[:, :3, 3], wxyz], 1).float().to(T_world_camera.device)


def as_filmed(clips: UInt8[Tensor, "C T 3 H W"]) -> Float[Tensor, "C T 3 H W"]:
    """Recoloured and compressed, 0 to 255: the frames of a clip in the same way."""
    tall = clips.movedim(2, 1).flatten(2, 3).float() / 255
    changed = pictures.compressed(pictures.recoloured(tall))
    return 255 * changed.unflatten(2, (clips.shape[1], clips.shape[3])).movedim(1, 2)


def rigid_places(
    disparity: Float[Tensor, "n h w"],
    T_target_source: Float[Tensor, "n 7"],
    lens: Float[Tensor, "n 4"],
    grid: Float[Tensor, "h w 2"],
) -> Float[Tensor, "n h w 2"]:
    """Where elements of a static world are seen after a motion of the camera; lens of the grid."""
    focal, centre = lens[:, None, None, :2], lens[:, None, None, 2:]
    rays = F.pad((grid - centre) / focal, (0, 1), value=1.0)
    turned = se3.rotate(T_target_source[:, None, None, 3:], rays)
    there = turned + T_target_source[:, None, None, :3] * disparity[..., None]
    return there[..., :2] / there[..., 2:].clamp(min=0.1) * focal + centre
