"""Rendered scenes with people in them, as the tracker's cells see them."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from stages.body.model import DEMO_BODY, load_body
from stages.geometry import se3
from stages.geometry.rotations import wxyz_from_matrix
from stages.stage1_megasam.projection import Scene
from tools.footage import raycast
from tools.footage.batches import CameraBatch
from tools.footage.clips import Clip, ClipOptions, plan_clip
from tools.footage.rasterise import NOTHING, barycentric, visible_triangles
from tools.footage.skinning import BodyTensors

SCENES = (
    *(("jump_box", 101, "walks"), ("stairs", 102, "walks"), ("flat", 103, "walks")),
    *(("two_people", 104, "walks"), ("climb_box", 105, "walks"), ("stairs", 106, "walks")),
    *(("jump_box", 107, "stands"), ("two_people", 108, "stands")),
    *(("flat", 109, "turns"), ("stairs", 110, "turns")),
)
"""Kind, seed and camera."""

WIDTH_PX, HEIGHT_PX = 512, 288
_NEAR_PERCENTILE, _NEAR_DISPARITY = 98, 2.0
_FARTHEST = 1e-4


@dataclass(frozen=True)
class Place:
    """A clip at the tracker's cells, lengths in the tracker's unit, the first camera at zero."""

    name: str
    truth: Scene
    person: Bool[Tensor, "f h w"]
    corners: Float[Tensor, "k 3"]
    """Weights of the corners of the triangle that each of the people's cells shows."""
    faces: Tensor
    """Its corners' rows among the vertices (k, 3)."""
    vertices: Float[Tensor, "f v 3"]
    """Of all people, in the first camera's frame."""
    unit: float
    """The tracker's unit over a metre."""


def place(
    kind: str, seed: int, camera: str, frames: int, fps: float, cell_px: int, short: float = 0.5
) -> Place:
    """The scene of a kind and seed; cells have this side in pixels of a 512x288 picture.

    The optical axis is so much short of half the width and height, in cells: 0.5 is the middle.
    """
    model = load_body(DEMO_BODY)
    body = BodyTensors.from_model(model)
    options = ClipOptions(frames, fps, WIDTH_PX, HEIGHT_PX, camera)
    clip = plan_clip(kind, seed, model, body, options)
    high, wide = HEIGHT_PX // cell_px, WIDTH_PX // cell_px
    K = clip.path.K.copy()
    K[:2, 2] = (K[:2, 2] + 0.5) / cell_px - short
    K[:2, :2] /= cell_px
    cameras = CameraBatch(
        torch.as_tensor(K, dtype=torch.float32).repeat(frames, 1, 1),
        clip.path.batch().T_world_camera,
    )
    pixels = raycast.pixel_grid(high, wide, torch.device("cpu"))
    rays = raycast.rays_through(cameras, pixels[None])
    batch = clip.scene.batch.repeated(frames)
    depth = raycast.cast(batch, cameras.T_world_camera[:, :3, 3], rays).depth_m
    depth = depth.view(frames, high, wide)
    face, of_people = _people(clip, body, cameras, high, wide)
    person = (face != NOTHING) & (of_people < depth)
    depth = torch.where(person, of_people, depth)
    disparity = (1 / depth).clamp(min=_FARTHEST).double()
    unit = float(np.percentile(disparity, _NEAR_PERCENTILE)) / _NEAR_DISPARITY

    Ts = np.linalg.inv(clip.path.T_world_camera) @ clip.path.T_world_camera[0]
    Ts[:, :3, 3] *= unit
    poses = torch.as_tensor(np.concatenate([Ts[:, :3, 3], wxyz_from_matrix(Ts[:, :3, :3])], 1))
    truth = Scene(poses, (disparity / unit).float(), torch.as_tensor(K[[0, 1, 0, 1], [0, 1, 2, 2]]))
    vertices = clip.people.vertices_m.flatten(1, 2).double()
    first = torch.as_tensor(np.linalg.inv(clip.path.T_world_camera[0]))
    vertices = (vertices @ first[:3, :3].T + first[:3, 3]) * unit
    count = clip.people.vertices_m.shape[2]
    rows = face[person]
    faces = body.faces[rows % len(body.faces)] + count * (rows // len(body.faces))[:, None]
    return Place(
        f"{kind} {seed}, {camera}", truth, person,
        _corner_weights(truth, person, vertices, faces), faces, vertices, unit,
    )  # fmt: skip


def path_length(truth: Scene) -> float:
    """Of the camera's centre, in the tracker's unit."""
    centres = se3.inverse(truth.T_camera_world)[:, :3]
    return float(centres.diff(dim=0).norm(dim=-1).sum())


def _people(clip: Clip, body: BodyTensors, cameras: CameraBatch, high: int, wide: int):
    people = clip.people
    count, vertices = people.vertices_m.shape[1:3]
    offsets = torch.arange(count) * vertices
    faces = (body.faces + offsets[:, None, None]).flatten(0, 1)
    corners, depth = cameras.project(people.vertices_m.flatten(1, 2))
    facing = -torch.linalg.det(cameras.K[:, :2, :2]).sign()
    return visible_triangles(corners, depth, faces, high, wide, facing=facing)


def _corner_weights(truth: Scene, person: Tensor, vertices: Tensor, faces: Tensor) -> Tensor:
    frame, row, column = person.nonzero(as_tuple=True)
    poses = truth.T_camera_world[frame]
    corners = se3.act(poses[:, None], vertices[frame[:, None], faces])
    places = corners[..., :2] / corners[..., 2:] * truth.intrinsics[:2] + truth.intrinsics[2:]
    return barycentric(places, corners[..., 2], torch.stack([column, row], dim=1).double())
