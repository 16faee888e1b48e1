"""Trains the demo's BSTRO on rendered people that walk, jump and climb.

The network learns plain probabilities; at saving they are shifted so that what it finds as likely
as not gets 0.95, the threshold that the original's command line draws. Its vertices at coarse
resolution are spread over the demo body, most of them on the feet.
"""

import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from stages.body.model import DEMO_BODY
from stages.stage0_bstro.checkpoint import save_network
from stages.stage0_bstro.flags import FootRule, feet_in_contact
from stages.stage0_bstro.network import Bstro, BstroConfig, BstroOutput
from stages.stage0_bstro.network.config import CROP_PX, GRID_CELLS
from stages.stage0_bstro.selection import coarse_selection
from stages.stage0_bstro.template import coarse_template, rotated_rest_vertices
from tools.checkpoints import pictures
from tools.checkpoints.bstro_samples import BstroSamples, Feet, mirrored, samples_of
from tools.checkpoints.joint_places import place_losses
from tools.checkpoints.sample_stock import Stock
from tools.checkpoints.samples import Footage
from tools.footage.skinning import BodyTensors

BATCH, STOCK, NEW_STILLS, STOCK_BEFORE_START = 256, 24_000, 128, 0.15
STEPS_A_RENDER = 2
FEET_LOSS, BODY_LOSS, FLAG_LOSS, COARSE_LOSS = 1.0, 0.5, 0.5, 0.3
PLACES_LOSS, DEPTHS_LOSS, HEIGHTS_LOSS = 0.2, 1.0, 0.5
HEIGHT_SCALE_M = 0.1
GRID = math.isqrt(GRID_CELLS)
CELL_PX = CROP_PX / GRID
SHIFT = math.log(0.95 / 0.05)


def selected_vertices(body: BodyTensors, feet: Feet, config: BstroConfig) -> np.ndarray:
    """The demo's own middle selection, the coarse one first."""
    sides = (feet.left.cpu().numpy(), feet.right.cpu().numpy())
    rest = body.v_template.cpu().numpy()
    return coarse_selection(rest, sides, config.coarse_vertices, config.middle_vertices)


def build(body: BodyTensors, feet: Feet) -> Bstro:
    """An untrained network whose last two layers already spread numbers over the body."""
    config = BstroConfig.demo()
    rest = body.v_template.cpu()
    selection = selected_vertices(body, feet, config)
    joint = (body.J_regressor @ body.v_template)[0].cpu().numpy()
    turned = rotated_rest_vertices(rest.numpy(), joint)
    template = coarse_template(turned, joint, selection[: config.coarse_vertices])
    network = Bstro(torch.from_numpy(template), config)
    middle = rest[selection]
    with torch.no_grad():
        network.upsampling.weight.copy_(_spread(middle, middle[: config.coarse_vertices]))
        network.upsampling2.weight.copy_(_spread(rest, middle))
        network.upsampling.bias.zero_()
        # Most vertices touch nothing: start there.
        network.upsampling2.bias.fill_(-3.0)
    for module in network.backbone.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return network


def _spread(to: Tensor, source: Tensor) -> Tensor:
    """Interpolation weights by nearness, three neighbours each."""
    distance = torch.cdist(to, source)
    near, index = distance.topk(3, largest=False)
    weight = 1 / (near + 0.01)
    return torch.zeros_like(distance).scatter_(1, index, weight / weight.sum(1, keepdim=True))


class Guide(nn.Module):
    """What the trunk is asked directly, in training only: through the encoders it learns slowly.

    Which feet are planted and how high they are, the middle vertices' contacts, and where in the
    grid each of the 24 joints is, left told from right, and how deep.
    """

    def __init__(self, config: BstroConfig) -> None:
        super().__init__()
        self.middle_vertices = config.middle_vertices
        inputs = GRID_CELLS * config.image_features
        self.whole = nn.Linear(inputs, 4 + config.middle_vertices)
        self.cell = nn.Linear(config.image_features, 48)

    def forward(self, tokens: Float[Tensor, "b 49 c"]) -> dict[str, Tensor]:
        planted, heights, middle = (
            self.whole(tokens.flatten(1)).float().split([2, 2, self.middle_vertices], 1)
        )
        places, depths = self.cell(tokens).float().split(24, -1)
        return {
            "planted": planted,
            "heights": heights,
            "middle": middle,
            "places": places,
            "depths_m": depths,
        }


def as_a_camera_sees(crops: UInt8[Tensor, "n 3 224 224"]) -> Float[Tensor, "n 3 224 224"]:
    """Recoloured, compressed and normalised; what is black outside the box stays black."""
    inside = crops.amax(1, keepdim=True) > 0
    frames = pictures.compressed(pictures.recoloured(crops.float() / 255))
    return pictures.normalised(frames * inside)


class BstroTask:
    """See `training.Task`."""

    name = "bstro"
    learning_rate = 7e-4
    weight_decay = 0.03

    def __init__(
        self, footage: Footage, held_out: Footage, smoke: bool = False, body_file: Path = DEMO_BODY
    ) -> None:
        device = footage.body.v_template.device
        self.feet = Feet.of_body_file(str(body_file), device)
        self.model = build(footage.body, self.feet)
        self.footage, self.held_out, self.smoke = footage, held_out, smoke
        selection = selected_vertices(footage.body, self.feet, self.model.config)
        self.selection = torch.as_tensor(selection.astype(np.int64), device=device)
        self._stock: Stock[BstroSamples] = Stock(64 if smoke else STOCK)
        config = self.model.config
        self.guide = Guide(config).to(device)
        self.model.add_module("guide", self.guide)

    def loss(self, progress: float, step: int) -> dict[str, Tensor]:
        samples = self._batch(step)
        if step % 2:
            samples = mirrored(samples, self.feet)
        crops = as_a_camera_sees(samples.crops)
        with torch.autocast(crops.device.type, torch.bfloat16, enabled=crops.is_cuda):
            tokens = self.model.image_tokens(crops)
            out, guided = self.model.contact(tokens), self.guide(tokens)
        return self._losses(samples, out, guided)

    def _batch(self, step: int) -> BstroSamples:
        count, new = (4, 4) if self.smoke else (BATCH, NEW_STILLS)
        least = 1 if self.smoke else int(self._stock.capacity * STOCK_BEFORE_START)
        due = step % STEPS_A_RENDER == 0
        self._stock.refill(lambda: samples_of(self.footage.shots(new, 1), self.feet), least, due)
        return self._stock.draw(count)

    def _losses(
        self, samples: BstroSamples, out: BstroOutput, guided: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        contact, full = samples.contact.float(), out.full.float()
        cross = F.binary_cross_entropy_with_logits(full, contact, reduction="none")
        parts = {"body": cross.mean()}
        sides = (self.feet.left, self.feet.right)
        parts["feet"] = torch.stack([cross[:, v].mean() for v in sides]).mean()
        # The flag follows the surest part of a foot: the vertices that touch when it stands.
        flags = []
        for side, vertices in enumerate(sides):
            surest = full[:, vertices].topk(len(vertices) // 4, dim=1).values.mean(1)
            truth = samples.planted[:, side].float()
            flags.append(F.binary_cross_entropy_with_logits(surest, truth))
        parts["flags"] = torch.stack(flags).mean()
        middle = contact[:, self.selection]
        coarse = F.binary_cross_entropy_with_logits(out.middle.float(), middle)
        parts["coarse"] = coarse
        planted = F.binary_cross_entropy_with_logits(guided["planted"], samples.planted.float())
        parts["planted"] = planted
        parts["middle"] = F.binary_cross_entropy_with_logits(guided["middle"], middle)
        height = (samples.heights_m / HEIGHT_SCALE_M).clamp(max=2)
        parts["heights"] = (guided["heights"] - height).abs().mean()
        at_cell = (samples.joints_px + 0.5) / CELL_PX - 0.5
        parts["places"], parts["depths"] = place_losses(
            guided["places"], guided["depths_m"], at_cell, samples.depths_m, (GRID, GRID)
        )
        total = (
            parts["planted"]
            + parts["middle"]
            + PLACES_LOSS * parts["places"]
            + DEPTHS_LOSS * parts["depths"]
            + HEIGHTS_LOSS * parts["heights"]
            + FEET_LOSS * parts["feet"]
            + BODY_LOSS * parts["body"]
            + FLAG_LOSS * parts["flags"]
            + COARSE_LOSS * parts["coarse"]
        )
        return {"total": total, **parts}

    def evaluate(self, full: bool) -> dict[str, float]:
        """Foot flags by the command line's rule against planted feet, on held-out seeds."""
        rounds, pictures_each = (12, 128) if full else (4, 128)
        if self.smoke:
            rounds, pictures_each = 1, 4
        left, right = (v.cpu().numpy() for v in (self.feet.left, self.feet.right))
        rule = FootRule(left, right)
        ours, truth, overlap = [], [], []
        for _ in range(rounds):
            samples = samples_of(self.held_out.shots(pictures_each), self.feet, box_noise=0.01)
            if len(samples) == 0:
                continue
            crops = pictures.normalised(samples.crops.float() / 255)
            logits = torch.cat([self.model(some).full for some in crops.split(128)])
            probability = torch.sigmoid(logits + SHIFT)
            ours.append(feet_in_contact(probability.cpu().numpy(), rule))
            truth.append(samples.planted.cpu().numpy())
            touching = probability > rule.contact_thr
            union = (touching | samples.contact).sum(1).clamp(min=1)
            both = (touching & samples.contact).sum(1)
            overlap.append((both / union)[samples.contact.any(1)])
        if not ours:
            return {"foot_f1": float("nan")}
        found, real = np.concatenate(ours), np.concatenate(truth)
        hits = float((found & real).sum())
        return {
            "foot_f1": 2 * hits / max(float(found.sum() + real.sum()), 1.0),
            "foot_precision": hits / max(float(found.sum()), 1.0),
            "foot_recall": hits / max(float(real.sum()), 1.0),
            "planted_share": float(real.mean()),
            "vertex_iou": float(torch.cat(overlap).mean()),
            "people": float(len(real)),
        }

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        bias = self.model.upsampling2.bias.data
        about = {"made_by": "tools/checkpoints", "trained_on": "rendered demo people"}
        bias.add_(SHIFT)
        del self.model.guide
        save_network(self.model, folder / "bstro.safetensors", about)
        self.model.add_module("guide", self.guide)
        bias.sub_(SHIFT)
