"""Trains the demo's two Depth Anything: disparity without a unit, and depth in metres."""

from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation, Dinov2Config
from transformers.utils import logging

from stages.weights.depth_anything import DepthAnything
from tools.checkpoints import pictures
from tools.checkpoints.megasam_tracker import SIZE
from tools.checkpoints.samples import Footage
from tools.footage.raycast import FAR_M

PATCH_PX = 28
HIDDEN, LAYERS, HEADS = 160, 6, 5
FARTHEST_M = 30
SHOTS, DRAWS = 96, 4
GRADIENT_LOSS, GRADIENT_SCALES = 0.5, 4


def build(metric: bool) -> DepthAnythingForDepthEstimation:
    """A network of the smallest size that tells rendered depth, untrained."""
    backbone = Dinov2Config(
        hidden_size=HIDDEN, num_hidden_layers=LAYERS, num_attention_heads=HEADS, mlp_ratio=4,
        image_size=16 * PATCH_PX, patch_size=PATCH_PX, reshape_hidden_states=False,
        out_indices=[2, 3, 5, 6],  # type: ignore[call-arg] # the base class takes it
    )  # fmt: skip
    config = DepthAnythingConfig(
        backbone_config=backbone, patch_size=PATCH_PX, reassemble_hidden_size=HIDDEN,
        neck_hidden_sizes=[24, 32, 48, 64], fusion_hidden_size=32, head_hidden_size=16,
        depth_estimation_type="metric" if metric else "relative",
        max_depth=FARTHEST_M if metric else 1,
    )  # fmt: skip
    model = DepthAnythingForDepthEstimation(config)
    if not metric:
        # The last layer is a ReLU, and learns nothing where it begins below zero.
        torch.nn.init.constant_(model.head.conv3.bias, 1.0)
    return model


class _Both(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.relative, self.metric = build(metric=False), build(metric=True)


class DepthTask:
    """See `training.Task`."""

    name = "depth-anything"
    learning_rate = 6e-4
    weight_decay = 0.02

    def __init__(self, footage: Footage, held_out: Footage, smoke: bool = False) -> None:
        self.model = _Both()
        self.footage, self.held_out, self.smoke = footage, held_out, smoke
        self._stock: list[tuple[Tensor, Tensor]] = []

    def loss(self, progress: float, step: int) -> dict[str, Tensor]:
        if not self._stock:
            seen = self._seen(self.footage, 1 if self.smoke else SHOTS)
            self._stock = [seen] * (1 if self.smoke else DRAWS)
        shown, depth = self._stock.pop()
        if step % 2:
            shown, depth = shown.flip(-1), depth.flip(-1)
        shown = 255 * pictures.compressed(pictures.recoloured(shown))
        with torch.autocast(shown.device.type, torch.bfloat16, enabled=shown.is_cuda):
            relative, metric = self._found(shown)
        relative, metric = relative.float(), metric.float()
        parts = {
            "relative": _up_to_scale(relative, 1 / depth),
            "metric": (metric.clamp(min=0.1).log() - depth.log()).abs().mean(),
        }
        total = parts["relative"] + parts["metric"]
        total = total + 0.2 * _gradients(metric.clamp(min=0.1).log() - depth.log())
        return {"total": total, **parts}

    def _seen(self, footage: Footage, count: int) -> tuple[Tensor, Tensor]:
        """Pictures, 0 to 1, and depth, as the stage would make them small."""
        shots = footage.shots(count)
        rgb = pictures.resized(pictures.as_float(shots.rgb), *SIZE)
        far = torch.where(shots.depth_m > 0, shots.depth_m, FAR_M).clamp(max=FARTHEST_M)
        return rgb, F.interpolate(far[:, None], SIZE, mode="nearest-exact")[:, 0]

    def _found(self, shown: Float[Tensor, "n 3 h w"]) -> tuple[Tensor, Tensor]:
        models = (self.model.relative, self.model.metric)
        # The stage's own way of showing pictures, with gradients.
        call = DepthAnything.__call__.__wrapped__  # type: ignore[attr-defined] # no_grad keeps it
        relative, metric = (
            call(DepthAnything(model, bool(n), PATCH_PX), shown) for n, model in enumerate(models)
        )
        return relative, metric

    def evaluate(self, full: bool) -> dict[str, float]:
        """On held-out pictures: relative errors, of disparity after a scale and shift."""
        off, metric_off = [], []
        for _ in range(1 if self.smoke else 6 if full else 2):
            shown, depth = self._seen(self.held_out, 1 if self.smoke else 32)
            relative, metric = self._found(255 * shown)
            truth = 1 / depth
            off.append((_fitted(relative, truth) / truth - 1).abs().flatten())
            metric_off.append((metric / depth - 1).abs().flatten())
        one, two = torch.cat(off), torch.cat(metric_off)
        return {
            "disparity_median": float(one.median()),
            "disparity_mean": float(one.mean()),
            "metric_median": float(two.median()),
        }

    def save(self, folder: Path) -> None:
        logging.disable_progress_bar()
        for name, model in self.model.named_children():
            copy = build(metric=name == "metric")
            copy.load_state_dict(model.state_dict())
            copy.half().save_pretrained(folder / name)


def _up_to_scale(found: Tensor, truth: Tensor) -> Tensor:
    """Both moved and scaled by their own median and spread (MiDaS, Ranftl et al. 2020)."""
    off = _normal(found) - _normal(truth)
    return off.abs().clamp(max=4).mean() + GRADIENT_LOSS * _gradients(off)


def _normal(maps: Tensor) -> Tensor:
    middle = maps.flatten(1).median(1).values[:, None, None]
    spread = (maps - middle).abs().flatten(1).mean(1)[:, None, None]
    return (maps - middle) / spread.clamp(min=1e-4)


def _gradients(off: Tensor) -> Tensor:
    total = off.new_zeros(())
    for level in range(GRADIENT_SCALES):
        some = off[:, :: 2**level, :: 2**level]
        total = total + some.diff(dim=1).abs().clamp(max=4).mean()
        total = total + some.diff(dim=2).abs().clamp(max=4).mean()
    return total / GRADIENT_SCALES


def _fitted(found: Tensor, truth: Tensor) -> Tensor:
    """By least squares, one scale and shift a picture."""
    x, y = found.flatten(1), truth.flatten(1)
    mx, my = x.mean(1, keepdim=True), y.mean(1, keepdim=True)
    scale = ((x - mx) * (y - my)).sum(1) / ((x - mx) ** 2).sum(1).clamp(min=1e-9)
    return ((x - mx) * scale[:, None] + my).view_as(truth)
