"""Trains the demo's SAM 2 on rendered clips: box on the first frame, then tracking."""

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from tools.checkpoints import pictures, sam2_model
from tools.checkpoints.sam2_clips import BY_BOX, clip_losses, track
from tools.checkpoints.sample_stock import Stock
from tools.checkpoints.samples import Footage, Shots, bounds_of_people
from tools.footage.batches import Batched

# Share of the budget up to which a clip length holds, frames a clip, clips a batch. Long clips are
# thousands of small kernels, which a GPU waits for; most is learnt from short ones.
CURRICULUM = ((0.35, 1, 128), (0.7, 2, 64), (0.9, 4, 32), (1.0, 8, 16))
PROMPT_SHARES = (0.55, 0.15, 0.3)  # by box, by own mask, by true mask
FRAMES_IN_STOCK, CLIPS_IN_STOCK, NEW_CLIPS = 8, 1600, 16
STEPS_A_RENDER = 3
STOCK_BEFORE_START = 0.1
SMALLEST_PX = 250
EVALUATED_FRAMES = 20


@dataclass
class SeenClips(Batched):
    """Rendered clips at the network's size, and where each of P people is seen in them."""

    pictures: UInt8[Tensor, "B T 3 S S"]
    people: Bool[Tensor, "B T P S S"]


@dataclass
class Clips:
    """Clips ready for the network, T first: pictures 0..1, one target each, its box in frame 0."""

    pictures: Float[Tensor, "T B 3 S S"]
    masks: Bool[Tensor, "T B S S"]
    boxes: Float[Tensor, "B 4"]


def seen_clips(shots: Shots) -> SeenClips:
    """Clips in whose first frame somebody is well seen."""
    side = sam2_model.IMAGE_PX
    rgb, people = [], []
    slots = torch.arange(shots.boxes.shape[1], device=shots.rgb.device) + 1
    for some in torch.arange(len(shots.rgb), device=shots.rgb.device).split(256):
        small = pictures.resized(pictures.as_float(shots.rgb[some]), side, side)
        rgb.append((small * 255 + 0.5).byte())
        masks = (shots.person_ids[some, None] == slots[:, None, None]).float()
        people.append(pictures.resized(masks, side, side) > 0.5)
    shape = (-1, shots.frames)
    clips = SeenClips(torch.cat(rgb).unflatten(0, shape), torch.cat(people).unflatten(0, shape))
    return clips[_well_seen(clips.people[:, 0]).any(1).nonzero()[:, 0]]


def _well_seen(people: Bool[Tensor, "B P S S"]) -> Bool[Tensor, "B P"]:
    return people.flatten(2).sum(-1) >= SMALLEST_PX


def with_target(clips: SeenClips, jitter: float = 0.04) -> Clips:
    """Picks one person a clip, well seen in its first frame; every side of the box is a bit off."""
    first = clips.people[:, 0]
    fit = _well_seen(first)
    target = (torch.rand(fit.shape, device=fit.device) * fit).argmax(1)
    masks = clips.people[torch.arange(len(target), device=fit.device), :, target]
    side = first.shape[-1]
    boxes = bounds_of_people(masks[:, 0].int(), 1)[0][:, 0]
    size = (boxes[:, 2:] - boxes[:, :2]).repeat(1, 2)
    boxes = (boxes + torch.randn_like(boxes) * jitter * size).clamp(0, side - 1)
    rgb = clips.pictures.transpose(0, 1).float() / 255
    return Clips(rgb, masks.transpose(0, 1), boxes)


def varied(clips: SeenClips, frames: int) -> SeenClips:
    """`frames` neighbouring frames of each clip, half of the clips mirrored, half run backwards.

    A clip is taken as it is if somebody would else not be seen well in its new first frame.
    """
    device, length = clips.people.device, clips.people.shape[1]
    start = torch.randint(0, length - frames + 1, (len(clips),), device=device)
    at = start[:, None] + torch.arange(frames, device=device)
    at = torch.where(torch.rand(len(clips), 1, device=device) < 0.5, at, at.flip(1))
    rows = torch.arange(len(clips), device=device)
    fit = _well_seen(clips.people[rows, at[:, 0]]).any(1)
    at = torch.where(fit[:, None], at, torch.arange(frames, device=device))
    chosen = SeenClips(clips.pictures[rows[:, None], at], clips.people[rows[:, None], at])
    mirror = torch.rand(len(clips), 1, 1, 1, 1, device=device) < 0.5
    return chosen._map(lambda value: torch.where(mirror, value.flip(-1), value))


class Sam2Task:
    """See `training.Task`."""

    name = "sam2"
    learning_rate = 3e-4
    weight_decay = 0.05

    def __init__(self, footage: Footage, held_out: Footage, smoke: bool = False) -> None:
        self.model = sam2_model.build()
        self.footage, self.held_out, self.smoke = footage, held_out, smoke
        self._stock: Stock[SeenClips] = Stock(8 if smoke else CLIPS_IN_STOCK)

    def loss(self, progress: float, step: int) -> dict[str, Tensor]:
        frames, count = next((t, b) for until, t, b in CURRICULUM if progress <= until)
        if self.smoke:
            frames, count = (1, 2) if step < 2 else (3, 2)
        clips = with_target(varied(self._draw(count, step), frames))
        device = clips.pictures.device
        coloured = pictures.normalised(recoloured_clips(clips.pictures).flatten(0, 1))
        prompt = torch.multinomial(torch.tensor(PROMPT_SHARES), count, replacement=True).to(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            tracked = track(
                self.model, coloured.view_as(clips.pictures), clips.boxes, clips.masks[0], prompt
            )
        return clip_losses(tracked, clips.masks)

    def _draw(self, count: int, step: int) -> SeenClips:
        new, frames = (4, 3) if self.smoke else (NEW_CLIPS, FRAMES_IN_STOCK)
        least = 1 if self.smoke else int(self._stock.capacity * STOCK_BEFORE_START)
        due = step % STEPS_A_RENDER == 0
        self._stock.refill(lambda: seen_clips(self.footage.shots(new, frames)), least, due)
        return self._stock.draw(count)

    def evaluate(self, full: bool) -> dict[str, float]:
        """IoU at the network's size over clips of 20 frames, prompted by a slightly wrong box."""
        clips_wanted, at_once = (192, 32) if full else (64, 32)
        frames = EVALUATED_FRAMES
        if self.smoke:
            clips_wanted, at_once, frames = 2, 2, 4
        overlaps, seen = [], []
        for _ in range(clips_wanted // at_once):
            shots = self.held_out.shots(int(at_once * 1.4), frames)
            clips = with_target(seen_clips(shots)[:at_once])
            device = clips.pictures.device
            with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
                flat = pictures.normalised(clips.pictures.flatten(0, 1))
                tracked = track(
                    self.model,
                    flat.view_as(clips.pictures),
                    clips.boxes,
                    clips.masks[0],
                    torch.full((len(clips.boxes),), BY_BOX, device=device),
                )
            found = (tracked.mask_logits > 0) & (tracked.object_score > 0)[..., None, None]
            union = (found | clips.masks).flatten(2).sum(-1)
            overlaps.append((found & clips.masks).flatten(2).sum(-1) / union.clamp(min=1))
            seen.append(clips.masks.flatten(2).sum(-1) > 100)
        overlap, visible = torch.cat(overlaps, 1), torch.cat(seen, 1)
        a_clip = (overlap * visible).sum(0) / visible.sum(0).clamp(min=1)
        return {
            "iou": float(overlap[visible].mean()),
            "iou_first": float(overlap[0][visible[0]].mean()),
            "iou_last": float(overlap[-1][visible[-1]].mean()),
            "iou_median": float(overlap[visible].median()),
            "clips_below_0.7": float((a_clip < 0.7).float().mean()),
            "clips": float(overlap.shape[1]),
        }

    def save(self, folder: Path) -> None:
        sam2_model.save(self.model, folder)


def recoloured_clips(clips: Float[Tensor, "T B 3 S S"]) -> Float[Tensor, "T B 3 S S"]:
    """Colour and sharpness changes that hold for a whole clip, noise and compression a frame."""
    count, device = clips.shape[1], clips.device

    def draw(low: float, high: float, channels: int = 1) -> Tensor:
        return low + (high - low) * torch.rand(1, count, channels, 1, 1, device=device)

    soft = F.avg_pool2d(F.pad(clips.flatten(0, 1), (1, 1, 1, 1), mode="replicate"), 3, 1)
    clips = torch.lerp(clips, soft.view_as(clips), draw(-0.3, 0.8).clamp(min=0))
    clips = (clips * draw(0.75, 1.25) * draw(0.94, 1.06, 3)).clamp(1e-4, 1) ** draw(0.8, 1.25)
    clips = pictures.compressed(clips.flatten(0, 1)).view_as(clips)
    return (clips + draw(0, 0.02) * torch.randn_like(clips)).clamp(0, 1)
