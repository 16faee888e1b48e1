"""Hand-held cameras for training shots: wider in distance, height and aim than the demo's own."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from tools.footage.batches import CameraBatch, SceneBatch
from tools.footage.scenes import MAX_OBJECTS, MAX_STEPS

PERSON_M = 1.7
FARTHEST_M, NEAREST_M = 8.0, 1.3
CLEARANCE_M = 0.35
PERSON_NEARER_THAN_M = 0.7


def draw_cameras(
    joints_m: Float[Tensor, "C T P 24 3"],
    scene: SceneBatch,
    seconds_a_frame: Float[Tensor, " C"],
    generator: torch.Generator,
    height: int,
    width: int,
) -> tuple[CameraBatch, SceneBatch]:
    """A camera for every frame of every clip, flattened to C * T, about the first person.

    The person fills 0.33 to 0.95 of the picture's height, now and then more than all of it, and
    may be off the middle or cut by the border. Walls and objects that would hold the camera are
    taken out of the scene.
    """
    clips, frames = joints_m.shape[:2]
    device = joints_m.device

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        drawn = torch.rand(clips, *shape, generator=generator)
        return (low + (high - low) * drawn).to(device)

    def normal(deviation: float, *shape: int) -> Tensor:
        return (deviation * torch.randn(clips, *shape, generator=generator)).to(device)

    focal = uniform(0.72, 1.25) * width
    share = torch.where(uniform(0, 1) < 0.12, uniform(0.95, 1.5), uniform(0.33, 0.95))
    distance = (focal * PERSON_M / (share * height)).clamp(NEAREST_M, FARTHEST_M)
    time = torch.arange(frames, device=device) * seconds_a_frame[:, None]

    pelvis = joints_m[:, :, 0, 0]
    middle = pelvis.mean(1, keepdim=True)
    follow = uniform(0.3, 1.0, 1, 1)
    target = torch.lerp(middle.expand_as(pelvis), pelvis, follow)
    azimuth = uniform(-torch.pi, torch.pi, 1) + normal(0.15, 1) * time
    away = (distance[:, None] + normal(0.2, 1) * time).clamp(min=NEAREST_M)
    low, high = (distance * -0.12).clamp(min=-0.6), (distance * 0.3).clamp(max=1.1)
    rise = torch.lerp(low, high, uniform(0, 1))[:, None] + normal(0.06, 1) * time
    eye = middle + torch.stack([away * azimuth.cos(), away * azimuth.sin(), rise], -1)
    eye = eye + _sway(uniform, time, 0.012)
    eye[..., 2] = eye[..., 2].clamp(min=0.25)
    eye = _clear_of_people(eye, joints_m)

    off_x = normal(0.2, 1) * away * width / focal[:, None]
    off_z = normal(0.06, 1) * away * height / focal[:, None]
    side = torch.stack([-azimuth.sin(), azimuth.cos(), torch.zeros_like(azimuth)], -1)
    target = target + off_x[..., None] * side + _sway(uniform, time, 0.02)
    target[..., 2] = target[..., 2] + off_z

    R = looking(target - eye, normal(0.035, 1).expand(-1, frames))
    T = torch.eye(4, device=device).repeat(clips, frames, 1, 1)
    T[..., :3, :3], T[..., :3, 3] = R, eye
    K = torch.zeros(clips, frames, 3, 3, device=device)
    K[..., 0, 0] = K[..., 1, 1] = focal[:, None]
    K[..., 0, 2], K[..., 1, 2], K[..., 2, 2] = (width - 1) / 2, (height - 1) / 2, 1
    scene.box_present = scene.box_present & ~_in_the_way(scene, eye)
    return CameraBatch(K.flatten(0, 1), T.flatten(0, 1)), scene


def looking(forward: Float[Tensor, "*n 3"], roll_rad: Float[Tensor, "*n"]) -> Tensor:
    """R_world_camera that looks along `forward`, upright but for the roll."""
    forward = torch.nn.functional.normalize(forward, dim=-1)
    up = torch.tensor([0.0, 0.0, 1.0], device=forward.device).expand_as(forward)
    right = torch.nn.functional.normalize(torch.linalg.cross(forward, up), dim=-1)
    down = torch.linalg.cross(forward, right)
    cos, sin = roll_rad.cos()[..., None], roll_rad.sin()[..., None]
    return torch.stack([cos * right + sin * down, cos * down - sin * right, forward], -1)


def _sway(uniform, time: Float[Tensor, "C T"], size_m: float) -> Float[Tensor, "C T 3"]:
    """The trembling of a hand: a slow and a fast sine an axis."""
    out = torch.zeros(*time.shape, 3, device=time.device)
    for hertz, part in ((1.1, 1.0), (2.9, 0.4)):
        phase = uniform(0, 2 * torch.pi, 1, 3)
        rate = 2 * torch.pi * hertz * uniform(0.7, 1.3, 1, 3)
        out = out + uniform(0, size_m * part, 1, 3) * torch.sin(rate * time[..., None] + phase)
    return out


def _clear_of_people(
    eye: Float[Tensor, "C T 3"], joints_m: Float[Tensor, "C T P 24 3"]
) -> Float[Tensor, "C T 3"]:
    """Lifts a camera over people whom it would run through (they then are seen from above)."""
    gap = (joints_m[:, :, 1:, 0, :2] - eye[:, :, None, :2]).norm(dim=-1)
    close = (gap < PERSON_NEARER_THAN_M).flatten(1).any(1)
    lift = torch.zeros_like(eye)
    lift[..., 2] = torch.where(close, 1.2, 0.0)[:, None]
    return eye + lift


def _in_the_way(scene: SceneBatch, eye: Float[Tensor, "C T 3"]) -> Bool[Tensor, "C N"]:
    """Boxes that hold the camera in some frame, and walls that it is behind."""
    offset = eye[:, :, None] - scene.box_centre_m[:, None]
    yaw = scene.box_yaw_rad[:, None]
    cos, sin = yaw.cos(), yaw.sin()
    local = torch.stack(
        [cos * offset[..., 0] + sin * offset[..., 1], cos * offset[..., 1] - sin * offset[..., 0],
         offset[..., 2]], -1
    )  # fmt: skip
    half = scene.box_half_m[:, None] + CLEARANCE_M
    inside = (local.abs() < half).all(-1).any(1)
    # A wall's own x axis points out of the room.
    behind = (local[..., 0] > -CLEARANCE_M).any(1)
    wall = torch.arange(inside.shape[1], device=eye.device) >= MAX_STEPS + MAX_OBJECTS
    return inside | (behind & wall)
