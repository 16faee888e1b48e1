"""Labelled pictures of the demo's scene family for training: draws, poses, renders, annotates.

`Footage.shots` gives clips of any length (stills are clips of one frame) with everything that the
five trainers need. Places and motions come from a `MotionPool`; people, clothes, materials, light
and the camera are drawn anew each time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from tools.checkpoints.motion_pool import FPS, MotionPool
from tools.checkpoints.shot_cameras import draw_cameras
from tools.footage.batches import CameraBatch, PeopleBatch, SceneBatch
from tools.footage.render import render
from tools.footage.scenes import MAX_OBJECTS, MAX_STEPS, sample_appearance, sample_looks
from tools.footage.skinning import BodyTensors, pose_people, wholebody133

HEIGHT_PX, WIDTH_PX = 360, 640
OCCLUDED_BEHIND_M = 0.25


@dataclass
class Shots:
    """N = clips * frames pictures; picture `clip * frames + t` is frame t of its clip.

    person_ids: p + 1 where person p is seen. boxes: bounds of what is seen of each person (left,
    top, right, bottom pixel), zero where nothing is; visible_px: how many pixels that are.
    keypoints_px: 133 whole-body points; in_frame: their positions are in the picture;
    visible: also nothing stands before them (the body's own surface does not count).
    local_rotmats[..., 0] is R_world_root, root_m the pelvis joint; people holds vertices and the
    24 joints in the world. contacts: left and right foot planted.
    """

    frames: int
    rgb: UInt8[Tensor, "N H W 3"]
    person_ids: Int[Tensor, "N H W"]
    depth_m: Float[Tensor, "N H W"]
    cameras: CameraBatch
    scene: SceneBatch
    people: PeopleBatch
    boxes: Float[Tensor, "N P 4"]
    visible_px: Int[Tensor, "N P"]
    keypoints_px: Float[Tensor, "N P 133 2"]
    in_frame: Bool[Tensor, "N P 133"]
    visible: Bool[Tensor, "N P 133"]
    local_rotmats: Float[Tensor, "N P 24 3 3"]
    root_m: Float[Tensor, "N P 3"]
    betas: Float[Tensor, "N P 10"]
    contacts: Bool[Tensor, "N P 2"]


class Footage:
    """An endless source of shots on one device; the same seed gives the same sequence.

    people: slots for people in a picture. shares: how often a clip has 0, 1, 2, ... people.
    """

    def __init__(
        self,
        pool: MotionPool,
        body: BodyTensors,
        device: str,
        seed: int,
        shares: tuple[float, ...] = (0.08, 0.55, 0.27, 0.10),
        supersample: int = 1,
    ) -> None:
        self.pool, self.body, self.device = pool.to(device), body.to(device), device
        self.shares, self.supersample = torch.tensor(shares), supersample
        self.random = torch.Generator().manual_seed(seed)
        flat = self.pool.flat.cpu()
        self.flat = (flat if flat.any() else ~flat).nonzero()[:, 0]

    @torch.no_grad()
    def shots(self, clips: int, frames: int = 1, stride: int | None = None) -> Shots:
        """`clips` new clips; every `stride`-th frame of the motion (1 to 3 unless said)."""
        people = len(self.shares) - 1
        generator = self.random
        count = torch.multinomial(self.shares, clips, replacement=True, generator=generator)
        present = torch.arange(people)[None] < count[:, None]
        lead = torch.randint(len(self.pool), (clips,), generator=generator)
        others = self.flat[torch.randint(len(self.flat), (clips, people - 1), generator=generator)]
        who = torch.cat([lead[:, None], others], 1)
        steps = (
            torch.randint(1, 4, (clips,), generator=generator)
            if stride is None
            else torch.full((clips,), stride)
        )
        when = self._frames(who, steps, frames)

        pick, at = who[:, None].to(self.device), when.to(self.device)
        rotmats, root = self.pool.local_rotmats[pick, at], self.pool.root_m[pick, at]
        rotmats, root = self._scattered(rotmats, root)
        betas = self.pool.betas[pick].expand(-1, frames, -1, -1)
        contacts = self.pool.contacts[pick, at]
        with full_precision():
            posed = pose_people(
                self.body,
                betas.flatten(0, 1),
                rotmats.flatten(0, 1),
                root.flatten(0, 1),
                sample_appearance(clips, people, generator).repeated(frames).to(self.device),
                present.repeat_interleave(frames, 0).to(self.device),
            )
            scene = self._places(lead)
            seconds = (steps / FPS).to(self.device)
            cameras, scene = draw_cameras(
                posed.joints_m.unflatten(0, (clips, frames)),
                scene,
                seconds,
                generator,
                HEIGHT_PX,
                WIDTH_PX,
            )
            scene = scene.repeated(frames)
            seen = render(self.body, scene, posed, cameras, HEIGHT_PX, WIDTH_PX, self.supersample)
            points, depth = cameras.project(wholebody133(self.body, posed))
        boxes, area = bounds_of_people(seen.person_ids, people)
        in_frame, visible = point_states(points, depth, seen.depth_m, posed.present)
        return Shots(
            frames, seen.rgb, seen.person_ids, seen.depth_m, cameras, scene, posed, boxes, area,
            points, in_frame, visible, rotmats.flatten(0, 1), root.flatten(0, 1),
            betas.flatten(0, 1), contacts.flatten(0, 1),
        )  # fmt: skip

    def _uniform(self, low: float, high: float, *shape: int) -> Tensor:
        drawn = torch.rand(*shape, generator=self.random)
        return (low + (high - low) * drawn).to(self.device)

    def _frames(self, who: Tensor, steps: Tensor, frames: int) -> Tensor:
        """Frame numbers of each person of each clip (clips, frames, people)."""
        length = self.pool.length.cpu()[who]
        room = (length - 1 - steps[:, None] * (frames - 1)).clamp(min=0)
        start = (torch.rand(who.shape, generator=self.random) * (room + 1)).long()
        at = start[:, None] + steps[:, None, None] * torch.arange(frames)[None, :, None]
        return torch.minimum(at, length[:, None] - 1)

    def _scattered(self, rotmats: Tensor, root: Tensor) -> tuple[Tensor, Tensor]:
        """Everybody but the first is turned and put somewhere around the first."""
        clips, _, people = rotmats.shape[:3]
        turn = self._uniform(-torch.pi, torch.pi, clips, people)
        distance = self._uniform(0.55, 2.6, clips, people)
        direction = self._uniform(-torch.pi, torch.pi, clips, people)
        turn[:, 0] = 0
        cos, sin, zero, one = turn.cos(), turn.sin(), turn * 0, turn * 0 + 1
        R = torch.stack([cos, -sin, zero, sin, cos, zero, zero, zero, one], -1)
        R = R.view(clips, 1, people, 3, 3)
        lead = root[:, :1, :1].clone()
        aside = torch.stack([distance * direction.cos(), distance * direction.sin()], -1)[:, None]
        moved = (R @ (root - root[:, :1])[..., None])[..., 0]
        moved[..., :2] += lead[..., :2] + aside
        moved[..., 2] += root[:, :1, :, 2]
        first = torch.arange(people, device=root.device) == 0
        root = torch.where(first[:, None], root, moved)
        rotmats = rotmats.clone()
        rotmats[:, :, :, 0] = R @ rotmats[:, :, :, 0]
        return rotmats, root

    def _places(self, lead: Tensor) -> SceneBatch:
        """The leads' places in new looks; some objects and walls are left out."""
        scene = self.pool.scene[lead.to(self.device)]
        looks = sample_looks(len(lead), self.random)
        for name, value in looks.items():
            setattr(scene, name, value.to(self.device))
        keep = self._uniform(0, 1, *scene.box_present.shape) < 0.85
        keep[:, :MAX_STEPS] = True
        no_walls = self._uniform(0, 1, len(lead)) < 0.15
        keep[no_walls, MAX_STEPS + MAX_OBJECTS :] = False
        scene.box_present = scene.box_present & keep
        return scene


@contextmanager
def full_precision() -> Iterator[None]:
    """Geometry needs all of float32: TensorFloat products are off inside."""
    kept = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = kept


def bounds_of_people(
    person_ids: Int[Tensor, "N H W"], people: int
) -> tuple[Float[Tensor, "N P 4"], Int[Tensor, "N P"]]:
    """Bounds (left, top, right, bottom pixel) and pixel counts of what is seen of each person."""
    height, width = person_ids.shape[1:]
    x = torch.arange(width, device=person_ids.device)
    y = torch.arange(height, device=person_ids.device)
    boxes, areas = [], []
    for p in range(people):
        mask = person_ids == p + 1
        columns, rows = mask.any(1), mask.any(2)
        left, right = torch.where(columns, x, width).amin(1), torch.where(columns, x, -1).amax(1)
        top, bottom = torch.where(rows, y, height).amin(1), torch.where(rows, y, -1).amax(1)
        box = torch.stack([left, top, right, bottom], -1).float()
        boxes.append(torch.where((right >= 0)[:, None], box, 0.0))
        areas.append(mask.flatten(1).sum(1))
    return torch.stack(boxes, 1), torch.stack(areas, 1)


def point_states(
    points_px: Float[Tensor, "N P K 2"],
    point_depth: Float[Tensor, "N P K"],
    depth_m: Float[Tensor, "N H W"],
    present: Bool[Tensor, "N P"],
) -> tuple[Bool[Tensor, "N P K"], Bool[Tensor, "N P K"]]:
    """Which points lie in the picture, and which of those nothing stands before."""
    height, width = depth_m.shape[1:]
    limit = torch.tensor([width - 1, height - 1], device=points_px.device)
    inside = ((points_px >= 0) & (points_px <= limit)).all(-1)
    in_frame = inside & (point_depth > 0.05) & present[..., None]
    cell = torch.nan_to_num(points_px).round().long().clamp(min=0)
    x, y = cell[..., 0].clamp(max=width - 1), cell[..., 1].clamp(max=height - 1)
    picture = torch.arange(len(depth_m), device=depth_m.device)[:, None, None]
    surface = depth_m[picture, y, x]
    behind = (surface > 0) & (point_depth > surface + OCCLUDED_BEHIND_M)
    return in_frame, in_frame & ~behind
