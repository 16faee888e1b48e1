"""Trains the demo's MegaSaM tracker: flow along edges, how sure it is, and what is static.

The official network learns through bundle adjustment. Here the truth takes its place: every step
shows the network places that cameras and depth which are partly wrong give, less so from step to
step, and asks for the flow, for the weight that a robust fit would give to the flow's error, and
for what moves. Bundle adjustment's damping is not learned.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from stages.flow.config import CELL_PX, LEVELS
from stages.flow.correlation import CorrelationPyramid
from stages.flow.grid import cell_grid
from stages.geometry import se3
from stages.stage1_megasam.network import DroidConfig, DroidNet
from stages.stage1_megasam.network.config import RADIUS
from stages.stage1_megasam.network.update import motion_features
from stages.weights.sized import save_sized
from tools.checkpoints.flow_clips import FlowClips, as_filmed, flow_clips, rigid_places
from tools.checkpoints.sample_stock import Stock
from tools.checkpoints.samples import Footage

CONFIG = DroidConfig(encoder=(24, 32, 48), features=64, hidden=48, long_side_px=256)
SIZE = (144, 256)
FRAMES, STOCK, NEW_CLIPS, CLIPS = 5, 1500, 24, 12
STEPS_A_RENDER = 8
STEPS, FADING = 8, 0.85
STILL_SHARE = 0.4
"""Of edges that begin where nothing has moved, as new keyframes do."""

TURN_RAD, SHIFT, DEPTH = 0.02, 0.06, 0.3
"""Deviation of the first error of rotation, of position over the median depth, of log depth."""

SURE_CELLS = 0.1
"""An error of the flow that halves its weight."""

WEIGHT_LOSS, STATIC_LOSS = 0.2, 0.2
DAMPING_BIAS = -2.25
"""Makes bundle adjustment's damping 0.001, as it stays."""


@dataclass
class Edges:
    """One entry an edge: frames of clips, and the truth at cells of the source."""

    sources: Tensor
    targets: Tensor
    group: Tensor
    places: Float[Tensor, "n h w 2"]
    visible: Bool[Tensor, "n h w"]
    static: Bool[Tensor, "n h w"]
    disparity: Float[Tensor, "n h w"]
    T_target_source: Float[Tensor, "n 7"]
    lens: Float[Tensor, "n 4"]


def edges_of(clips: FlowClips) -> Edges:
    """From two frames of each clip to all others of it."""
    count, T = clips.depth_m.shape[:2]
    device = clips.depth_m.device
    clip = torch.arange(count, device=device).repeat_interleave(2 * (T - 1))
    first = torch.stack([torch.randperm(T, device=device)[:2] for _ in range(count)])
    i = first.repeat_interleave(T - 1, 1).flatten()
    others = torch.arange(T - 1, device=device).repeat(2 * count)
    j = others + (others >= i)
    depth = clips.depth_m[clip, i]
    unit = clips.depth_m.flatten(1).median(1).values[clip]
    poses = clips.T_camera_world.clone()
    poses[..., :3] /= clips.depth_m.flatten(1).median(1).values[:, None, None]
    motion = se3.multiply(poses[clip, j], se3.inverse(poses[clip, i]))
    focal, centre = clips.lens[clip].split(2, 1)
    grid = cell_grid(depth)
    return Edges(
        sources=clip * T + i,
        targets=clip * T + j,
        group=torch.arange(2 * count, device=device).repeat_interleave(T - 1),
        places=grid + clips.flow[clip, i, j] / CELL_PX,
        visible=clips.visible[clip, i, j],
        static=~clips.person[clip, i],
        disparity=unit[:, None, None] / depth,
        T_target_source=motion,
        lens=torch.cat([focal / CELL_PX, (centre + 0.5) / CELL_PX - 0.5], 1),
    )


class Guess:
    """Cameras and depth that come nearer to the truth from step to step."""

    def __init__(self, edges: Edges) -> None:
        self.edges = edges
        count, device = len(edges.sources), edges.places.device
        size = torch.tensor([SHIFT] * 3 + [TURN_RAD] * 3, device=device)
        self.tangent = size * torch.randn(count, 6, device=device)
        still = torch.rand(count, device=device) < STILL_SHARE
        away = se3.log(se3.inverse(edges.T_target_source))
        self.tangent = torch.where(still[:, None], away, self.tangent)
        coarse = torch.randn(count, 1, 3, 4, device=device)
        smooth = F.interpolate(coarse, edges.disparity.shape[1:], mode="bilinear")[:, 0]
        self.depth = DEPTH * smooth + 0.3 * DEPTH * torch.randn_like(edges.disparity)

    def places(self) -> Float[Tensor, "n h w 2"]:
        """Of the cells in their targets."""
        motion = se3.retract(self.edges.T_target_source, self.tangent)
        disparity = self.edges.disparity * self.depth.exp()
        return rigid_places(disparity, motion, self.edges.lens, cell_grid(disparity))

    def improve(self) -> None:
        """By a share that differs from edge to edge, as bundle adjustment does."""
        kept = torch.rand(len(self.tangent), 2, device=self.tangent.device) * 0.6
        self.tangent = self.tangent * kept[:, :1]
        self.depth = self.depth * (0.4 + kept[:, 1:, None])


class TrackerTask:
    """See `training.Task`."""

    name = "megasam-tracker"
    learning_rate = 5e-4
    weight_decay = 1e-5

    def __init__(self, footage: Footage, held_out: Footage, smoke: bool = False) -> None:
        self.model = DroidNet(CONFIG)
        damping = self.model.update.agg.eta
        for name, value in damping.named_parameters():
            torch.nn.init.constant_(value, DAMPING_BIAS if name.endswith("bias") else 0)
        self.footage, self.held_out, self.smoke = footage, held_out, smoke
        self._stock: Stock[FlowClips] = Stock(1 if smoke else STOCK)

    def loss(self, progress: float, step: int) -> dict[str, Tensor]:
        new = 1 if self.smoke else NEW_CLIPS
        least = 1 if self.smoke else STOCK // 10
        due = step % STEPS_A_RENDER == 0 and not self.smoke
        self._stock.refill(lambda: self._clips(self.footage, new), least, due)
        clips = self._stock.draw(1 if self.smoke else CLIPS)
        edges = edges_of(clips)
        found = [_losses(edges, *step) for step in self._steps(clips, edges, Guess(edges))]
        shares = [FADING ** (len(found) - 1 - number) for number in range(len(found))]
        parts = {
            name: torch.stack(
                [share * each[name] for share, each in zip(shares, found, strict=True)]
            )
            for name in ("flow", "weight", "static")
        }
        flow, weight, static = (part.sum() for part in parts.values())
        total = flow + WEIGHT_LOSS * weight + STATIC_LOSS * static
        return {"total": total, **{name: part[-1] for name, part in parts.items()}}

    def _clips(self, footage: Footage, count: int) -> FlowClips:
        frames = 3 if self.smoke else FRAMES
        return flow_clips(footage, count, frames, SIZE, CELL_PX)

    def _steps(self, clips: FlowClips, edges: Edges, guess: Guess):
        """Places, static probability and weight after each step."""
        frames = as_filmed(clips.pictures) if self.model.training else clips.pictures.float()
        features = self.model.frame_features(frames.flatten(0, 1))
        volume = CorrelationPyramid.between(
            features.matching[edges.sources], features.matching[edges.targets], LEVELS, RADIUS
        )
        state, context = features.state[edges.sources], features.context[edges.sources]
        groups = int(edges.group.max()) + 1
        wanted = guess.places()
        for _ in range(2 if self.smoke else STEPS):
            places = guess.places()
            found = self.model.update(
                state, context, volume.look_up(places), motion_features(places, wanted),
                edges.group, groups,
            )  # fmt: skip
            state = found.edges.state
            yield places + found.edges.delta, found.static[:, 0], found.edges.weight
            wanted = (places + found.edges.delta).detach()
            guess.improve()

    def evaluate(self, full: bool) -> dict[str, float]:
        """On held-out clips: the error of the flow of cells that are seen, and what moves."""
        errors, sure, agrees, both = [], [], 0.0, 0.0
        for _ in range(1 if self.smoke else 8 if full else 2):
            clips = self._clips(self.held_out, 1 if self.smoke else 8)
            edges = edges_of(clips)
            *_, (found, static, weight) = self._steps(clips, edges, Guess(edges))
            shown = edges.visible & edges.static
            errors.append(CELL_PX * (found - edges.places).norm(dim=-1)[shown])
            sure.append(weight.mean(-1)[shown])
            moves, truth = static < 0.5, ~edges.static
            agrees += float((moves & truth).sum())
            both += float((moves | truth).sum())
        error, weights = torch.cat(errors), torch.cat(sure)
        return {
            "flow_px_median": float(error.median()),
            "flow_px_mean": float(error.mean()),
            "flow_px_weighted": float((error * weights).sum() / weights.sum()),
            "moving_iou": agrees / max(both, 1.0),
        }

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        about = {"made_by": "tools/checkpoints", "trained_on": "rendered demo scenes"}
        save_sized(self.model, folder / "tracker.safetensors", about)


def _losses(edges: Edges, found: Tensor, static: Tensor, weight: Tensor) -> dict[str, Tensor]:
    high, wide = edges.visible.shape[1:]
    ends = edges.places.new_tensor([wide, high])
    near = ((edges.places > -4) & (edges.places < ends + 4)).all(-1)
    # What is hidden is guessed from around it, and counts less.
    counts = near * (0.25 + 0.75 * edges.visible)
    off = (found - edges.places).abs()
    flow = (off.sum(-1).clamp(max=20) * counts).sum() / counts.sum().clamp(min=1)
    fit = edges.visible[..., None] / (1 + (off.detach() / SURE_CELLS) ** 2)
    sure = F.binary_cross_entropy(weight.clamp(1e-5, 1 - 1e-5), fit)
    moving = F.binary_cross_entropy(static.clamp(1e-5, 1 - 1e-5), edges.static.float())
    return {"flow": flow, "weight": sure, "static": moving}
