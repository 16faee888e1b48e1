"""Trains the demo's SAM 2 on rendered clips: box on the first frame, then tracking."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from tools.checkpoints import pictures, sam2_model
from tools.checkpoints.sam2_clips import BY_BOX, clip_losses, track
from tools.checkpoints.samples import Footage, Shots

# Share of the budget up to which a clip length holds, frames a clip, clips a batch.
CURRICULUM = ((0.22, 1, 96), (0.42, 2, 56), (0.72, 4, 32), (1.0, 8, 18))
PROMPT_SHARES = (0.55, 0.15, 0.3)  # by box, by own mask, by true mask
REUSED = 2
EVALUATED_FRAMES = 20


@dataclass
class Clips:
    """Clips ready for the network, T first: pictures 0..1, one target each, its box in frame 0."""

    pictures: Float[Tensor, "T B 3 S S"]
    masks: Bool[Tensor, "T B S S"]
    boxes: Float[Tensor, "B 4"]


def clips_of(shots: Shots, count: int, jitter: bool) -> Clips:
    """Picks one person a clip, well seen in its first frame; shots without one are left out."""
    frames, side = shots.frames, sam2_model.IMAGE_PX
    clips = len(shots.rgb) // frames
    area = shots.visible_px.view(clips, frames, -1)[:, 0]
    fit = area >= 400
    # A random fitting person a clip; clips without any come last and repeat fitting ones.
    target = (torch.rand_like(area.float()) * fit).argmax(1)
    order = torch.argsort((~fit.any(1)).int(), stable=True)
    fitting = int(fit.any(1).sum())
    if fitting == 0:
        raise ValueError("no clip of the batch shows a person in its first frame")
    chosen = order[torch.arange(count, device=order.device) % fitting]
    target = target[chosen]

    height, width = shots.rgb.shape[1:3]
    index = (chosen[None] * frames + torch.arange(frames, device=chosen.device)[:, None]).flatten()
    rgb = pictures.as_float(shots.rgb[index])
    masks = shots.person_ids[index] == (target.repeat(frames) + 1)[:, None, None]
    small = pictures.resized(rgb, side, side).view(frames, count, 3, side, side)
    masks = pictures.resized(masks[:, None].float(), side, side)[:, 0] > 0.5
    scale = torch.tensor([side / width, side / height] * 2, device=rgb.device)
    boxes = shots.boxes[chosen * frames, target] * scale
    if jitter:
        size = (boxes[:, 2:] - boxes[:, :2]).repeat(1, 2)
        boxes = boxes + torch.randn_like(boxes) * 0.04 * size
        boxes = boxes.clamp(0, side - 1)
    return Clips(small, masks.view(frames, count, side, side), boxes)


LOSSES = ("total", "focal", "cross", "dice", "iou", "seen", "mean_iou")


class ClipLoss(torch.nn.Module):
    """Losses of a clip batch as a tuple in the order of LOSSES, which CUDA graphs can capture."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, normalised: Tensor, boxes: Tensor, masks: Tensor, prompt: Tensor
    ) -> tuple[Tensor, ...]:
        device = normalised.device
        with torch.autocast(
            device.type, torch.bfloat16, enabled=device.type == "cuda", cache_enabled=False
        ):
            tracked = track(self.model, normalised, boxes, masks[0], prompt)
        losses = clip_losses(tracked, masks)
        return (losses["total"], *(losses[name].detach() for name in LOSSES[1:]))


class Sam2Task:
    """See `training.Task`."""

    name = "sam2"
    learning_rate = 1e-3
    weight_decay = 0.05

    def __init__(self, footage: Footage, held_out: Footage, smoke: bool = False) -> None:
        self.model = sam2_model.build()
        self.footage, self.held_out, self.smoke = footage, held_out, smoke
        self._stock: list[Clips] = []
        self.graphs = True
        self._graph: tuple[torch.Size, Any] | None = None

    def loss(self, progress: float, step: int) -> dict[str, Tensor]:
        frames, count = next((t, b) for until, t, b in CURRICULUM if progress <= until)
        if self.smoke:
            frames, count = (1, 2) if step < 2 else (3, 2)
        if not self._stock or self._stock[-1].pictures.shape[:2] != (frames, count):
            self._stock = self._fresh(frames, count)
        clips = self._stock.pop()
        device = clips.pictures.device
        coloured = pictures.normalised(recoloured_clips(clips.pictures).flatten(0, 1))
        prompt = torch.multinomial(torch.tensor(PROMPT_SHARES), count, replacement=True).to(device)
        inputs = (coloured.view_as(clips.pictures), clips.boxes, clips.masks, prompt)
        return self._losses(inputs)

    def _losses(self, inputs: tuple[Tensor, ...]) -> dict[str, Tensor]:
        """Through a CUDA graph where that works: clips are thousands of small kernels."""
        shape = inputs[0].shape
        if self._graph is None or self._graph[0] != shape:
            self._graph = None  # frees the memory of the last one before the next is captured
            step: Any = ClipLoss(self.model)
            if inputs[0].is_cuda and self.graphs:
                try:
                    step = torch.cuda.make_graphed_callables(
                        step, tuple(x.clone() for x in inputs), allow_unused_input=True
                    )
                except RuntimeError as error:
                    print(f"sam2: no CUDA graph, going on without: {error}", flush=True)
                    self.graphs = False
                    torch.cuda.synchronize()
            self._graph = (shape, step)
        return dict(zip(LOSSES, self._graph[1](*inputs), strict=True))

    def _fresh(self, frames: int, count: int) -> list[Clips]:
        """A few batches rendered at once, each used as it is and mirrored."""
        batches = 1 if self.smoke else max(1, 384 // (frames * count))
        stock = []
        for _ in range(batches):
            shots = self.footage.shots(int(count * 1.25) + 1, frames)
            clips = clips_of(shots, count, jitter=True)
            stock.append(clips)
            if REUSED > 1 and not self.smoke:
                stock.append(mirrored(clips))
        return stock

    def evaluate(self, full: bool) -> dict[str, float]:
        """IoU at the network's size over clips of 20 frames, prompted by a slightly wrong box."""
        clips_wanted, at_once = (192, 32) if full else (64, 32)
        frames = EVALUATED_FRAMES
        if self.smoke:
            clips_wanted, at_once, frames = 2, 2, 4
        overlaps, seen = [], []
        for _ in range(clips_wanted // at_once):
            clips = clips_of(self.held_out.shots(int(at_once * 1.4), frames), at_once, jitter=True)
            device = clips.pictures.device
            with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
                flat = pictures.normalised(clips.pictures.flatten(0, 1))
                tracked = track(
                    self.model,
                    flat.view_as(clips.pictures),
                    clips.boxes,
                    clips.masks[0],
                    torch.full((at_once,), BY_BOX, device=device),
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
    """Colour changes that hold for a whole clip, with noise and compression of its own a frame."""
    count, device = clips.shape[1], clips.device
    gain = 0.75 + 0.5 * torch.rand(1, count, 1, 1, 1, device=device)
    tint = 0.94 + 0.12 * torch.rand(1, count, 3, 1, 1, device=device)
    gamma = 0.8 + 0.45 * torch.rand(1, count, 1, 1, 1, device=device)
    clips = (clips * gain * tint).clamp(1e-4, 1) ** gamma
    clips = pictures.compressed(clips.flatten(0, 1)).view_as(clips)
    noise = 0.02 * torch.rand(1, count, 1, 1, 1, device=device)
    return (clips + noise * torch.randn_like(clips)).clamp(0, 1)


def mirrored(clips: Clips) -> Clips:
    side = clips.pictures.shape[-1]
    left, top, right, bottom = clips.boxes.unbind(-1)
    boxes = torch.stack([side - 1 - right, top, side - 1 - left, bottom], -1)
    return Clips(clips.pictures.flip(-1), clips.masks.flip(-1), boxes)
