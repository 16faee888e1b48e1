"""Trains the demo's RAFT, by which MegaSaM's refinement follows pixels."""

from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from stages.flow.config import RaftConfig
from stages.flow.raft import Raft
from stages.weights.sized import save_sized
from tools.checkpoints.flow_clips import FlowClips, as_filmed, flow_clips
from tools.checkpoints.megasam_tracker import SIZE
from tools.checkpoints.sample_stock import Stock
from tools.checkpoints.samples import Footage

CONFIG = RaftConfig(encoder=(24, 32, 48), features=64, hidden=48)
FRAMES, STOCK, NEW_CLIPS, CLIPS = 3, 1500, 32, 24
STEPS_A_RENDER = 8
STEPS, FADING = 10, 0.8
FARTHEST_PX = 150.0


class FlowTask:
    """See `training.Task`."""

    name = "raft"
    learning_rate = 5e-4
    weight_decay = 1e-5

    def __init__(self, footage: Footage, held_out: Footage, smoke: bool = False) -> None:
        self.model = Raft(CONFIG)
        self.footage, self.held_out, self.smoke = footage, held_out, smoke
        self._stock: Stock[FlowClips] = Stock(1 if smoke else STOCK)

    def loss(self, progress: float, step: int) -> dict[str, Tensor]:
        new = 1 if self.smoke else NEW_CLIPS
        least = 1 if self.smoke else STOCK // 10
        due = step % STEPS_A_RENDER == 0 and not self.smoke
        self._stock.refill(lambda: flow_clips(self.footage, new, FRAMES, SIZE), least, due)
        clips = self._stock.draw(1 if self.smoke else CLIPS)
        first, second, truth, seen = _pairs(clips, as_filmed(clips.pictures))
        known = truth.norm(dim=1) < FARTHEST_PX
        counts = known * (0.25 + 0.75 * seen)
        parts = []
        steps = 2 if self.smoke else STEPS
        for number, (state, flow) in enumerate(self.model.steps(first, second, steps)):
            off = (self.model.upsampled(state, flow) - truth).abs().sum(1).clamp(max=200)
            parts.append(FADING ** (steps - 1 - number) * (off * counts).sum() / counts.sum())
        return {"total": torch.stack(parts).sum(), "last_px": parts[-1].detach()}

    def evaluate(self, full: bool) -> dict[str, float]:
        """On held-out pairs: the error of the flow of pixels that are seen in both pictures."""
        errors = []
        for _ in range(1 if self.smoke else 8 if full else 2):
            clips = flow_clips(self.held_out, 1 if self.smoke else 8, FRAMES, SIZE)
            first, second, truth, seen = _pairs(clips, clips.pictures.float())
            found = self.model(first, second, 2 if self.smoke else 22).pixels
            errors.append((found - truth).norm(dim=1)[seen])
        error = torch.cat(errors)
        return {
            "flow_px_median": float(error.median()),
            "flow_px_mean": float(error.mean()),
            "over_1_px": float((error > 1).float().mean()),
        }

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        about = {"made_by": "tools/checkpoints", "trained_on": "rendered demo scenes"}
        save_sized(self.model, folder / "raft.safetensors", about)


def _pairs(
    clips: FlowClips, frames: Float[Tensor, "C T 3 H W"]
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """One pair of frames of each clip: pictures, flow and what is seen in both."""
    count, T = frames.shape[:2]
    clip = torch.arange(count, device=frames.device)
    i = torch.randint(T, (count,), device=frames.device)
    j = (i + torch.randint(1, T, (count,), device=frames.device)) % T
    flow = clips.flow[clip, i, j].movedim(-1, 1)
    return frames[clip, i], frames[clip, j], flow, clips.visible[clip, i, j]
