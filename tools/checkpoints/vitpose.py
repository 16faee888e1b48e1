"""Trains the demo's ViTPose on crops of rendered people."""

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from stages.body.joint_names import BODY_AND_FEET
from tools.checkpoints import pictures
from tools.checkpoints import vitpose_model as net
from tools.checkpoints.samples import Footage, Shots

BATCH, STOCK_SHOTS, CROPS_A_SHOT = 256, 256, 4
SIGMA_CELLS = 2.0
# Body and feet decide the demo; 110 face and hand points would otherwise own the loss.
BODY_WEIGHT, FACE_WEIGHT, HAND_WEIGHT = 3.0, 0.25, 0.5
MSE_WEIGHT, SHARPNESS = 400.0, 15.0
EMPTY_WEIGHT = 0.25


@dataclass
class Crops:
    """Crops 0..1, black outside the frame, with points in crop pixels.

    known: the point lies in the frame and in the crop. visible: also nothing stands before it.
    box_height_px: height of the person's box, in crop pixels.
    """

    pictures: Float[Tensor, "B 3 256 192"]
    points: Float[Tensor, "B 133 2"]
    known: Bool[Tensor, "B 133"]
    visible: Bool[Tensor, "B 133"]
    box_height_px: Float[Tensor, " B"]

    def part(self, index: Tensor) -> "Crops":
        return Crops(
            self.pictures[index], self.points[index], self.known[index], self.visible[index],
            self.box_height_px[index],
        )  # fmt: skip


def crops_of(shots: Shots, frames: Float[Tensor, "N 3 H W"], count: int, jitter: bool) -> Crops:
    """`count` crops of people well in view, by the stage's crop rule; `jitter` disturbs boxes.

    Without jitter everyone comes once before anybody comes twice.
    """
    box_size = shots.boxes[..., 2:] - shots.boxes[..., :2]
    seen = shots.visible[..., :BODY_AND_FEET].sum(-1)
    fit = (shots.visible_px >= 400) & (box_size[..., 1] >= 45) & (seen >= 7)
    picture, person = fit.nonzero(as_tuple=True)
    if len(picture) == 0:
        raise ValueError("no picture of the batch shows a person well enough to crop")
    device = frames.device
    if jitter:
        pick = torch.randint(len(picture), (count,), device=device)
    else:
        pick = torch.arange(count, device=device) % len(picture)
    picture, person = picture[pick], person[pick]

    boxes, size = shots.boxes[picture, person], box_size[picture, person]
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    aspect = net.HEIGHT_PX / net.WIDTH_PX
    tall = torch.maximum(size[:, 1], size[:, 0] * aspect) * pictures.CROP_PADDING
    turn = torch.zeros(count, device=device)
    if jitter:
        tall = tall * torch.exp(0.09 * torch.randn(count, device=device)).clamp(0.8, 1.35)
        reach = torch.stack([tall / aspect, tall], -1)
        centre = centre + 0.03 * torch.randn(count, 2, device=device) * reach
        turn = 0.14 * torch.randn(count, device=device)
        turn = turn * (torch.rand(count, device=device) < 0.4)
    A = pictures.affine_about(centre, net.HEIGHT_PX / tall, turn, net.HEIGHT_PX, net.WIDTH_PX)
    points = pictures.apply_affine(A, shots.keypoints_px[picture, person])
    limit = torch.tensor([net.WIDTH_PX - 1, net.HEIGHT_PX - 1], device=device)
    inside = ((points >= 0) & (points <= limit)).all(-1)
    return Crops(
        pictures=pictures.crops(frames, picture, A, net.HEIGHT_PX, net.WIDTH_PX),
        points=points,
        known=shots.in_frame[picture, person] & inside,
        visible=shots.visible[picture, person] & inside,
        box_height_px=size[:, 1] * net.HEIGHT_PX / tall,
    )


def heatmap_targets(points: Float[Tensor, "B K 2"]) -> Float[Tensor, "B K 64 48"]:
    """Gaussians of two cells' deviation and height 1; cell (i, j) is crop pixel (4 i, 4 j)."""
    at = torch.nan_to_num(points, nan=-1e3) / net.CELL_PX
    x = torch.arange(net.WIDTH_PX // net.CELL_PX, device=points.device)
    y = torch.arange(net.HEIGHT_PX // net.CELL_PX, device=points.device)
    gx = torch.exp(-((x - at[..., :1]) ** 2) / (2 * SIGMA_CELLS**2))
    gy = torch.exp(-((y - at[..., 1:]) ** 2) / (2 * SIGMA_CELLS**2))
    return gy[..., :, None] * gx[..., None, :]


def group_weights(device: torch.device) -> Float[Tensor, " 133"]:
    weights = torch.full((net.KEYPOINTS,), HAND_WEIGHT, device=device)
    weights[:BODY_AND_FEET] = BODY_WEIGHT
    weights[BODY_AND_FEET:91] = FACE_WEIGHT
    return weights


def heatmap_losses(
    heatmaps: Float[Tensor, "B 133 64 48"],
    points: Float[Tensor, "B 133 2"],
    known: Bool[Tensor, "B 133"],
) -> dict[str, Tensor]:
    """Squared error on the maps, and cross entropy between maps sharpened to distributions.

    Both have their minimum at the Gaussian; the second keeps a gradient where a peak sits in the
    wrong place. Points that are not in the crop have empty maps.
    """
    weights, seen = group_weights(heatmaps.device), known.float()
    target = heatmap_targets(points)
    squared = ((heatmaps - target * seen[..., None, None]) ** 2).mean((2, 3))
    share = (EMPTY_WEIGHT + (1 - EMPTY_WEIGHT) * seen) * weights
    mse = MSE_WEIGHT * (squared * share).mean() / weights.mean()
    spread = F.log_softmax(SHARPNESS * heatmaps.flatten(2), -1)
    wanted = F.softmax(SHARPNESS * target.flatten(2), -1)
    cross = -(wanted * spread).sum(-1)
    counted = seen * weights
    cross = (cross * counted).sum() / counted.sum().clamp(min=1)
    return {"total": mse + cross, "mse": mse, "cross": cross}


def decoded(heatmaps: Float[Tensor, "B K 64 48"]) -> tuple[Tensor, Tensor]:
    """Crop pixels and scores: the highest cell, a quarter cell towards the higher neighbour."""
    rows, columns = heatmaps.shape[2:]
    flat = heatmaps.flatten(2)
    score, best = flat.max(-1)
    x, y = best % columns, torch.div(best, columns, rounding_mode="floor")

    def value(dy: int, dx: int) -> Tensor:
        cell = (y + dy).clamp(0, rows - 1) * columns + (x + dx).clamp(0, columns - 1)
        return flat.gather(2, cell[..., None])[..., 0]

    shift_x = 0.25 * torch.sign(value(0, 1) - value(0, -1))
    shift_y = 0.25 * torch.sign(value(1, 0) - value(-1, 0))
    inner = (x > 0) & (x < columns - 1) & (y > 0) & (y < rows - 1)
    at = torch.stack([x + shift_x * inner, y + shift_y * inner], -1)
    return at * net.CELL_PX, score


class VitPoseTask:
    """See `training.Task`."""

    name = "vitpose"
    learning_rate = 1e-3
    weight_decay = 0.05

    def __init__(self, footage: Footage, held_out: Footage, smoke: bool = False) -> None:
        self.model = net.build()
        self.footage, self.held_out = footage, held_out
        self.batch = 4 if smoke else BATCH
        self.stock_shots = 4 if smoke else STOCK_SHOTS
        self.tests = 8 if smoke else 1024
        self._stock: list[Crops] = []

    def loss(self, progress: float, step: int) -> dict[str, Tensor]:
        if not self._stock:
            self._stock = self._fresh()
        crops = self._stock.pop()
        device = crops.pictures.device
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            heatmaps = self.model(pictures.normalised(crops.pictures)).heatmaps
        return heatmap_losses(heatmaps.float(), crops.points, crops.known)

    def _fresh(self) -> list[Crops]:
        """Frames rendered once, each person cropped several times in different ways."""
        shots = self.footage.shots(self.stock_shots)
        frames = pictures.as_float(shots.rgb)
        frames = pictures.compressed(pictures.recoloured(frames))
        count = self.stock_shots * CROPS_A_SHOT
        return [
            crops_of(shots, frames, self.batch, jitter=True) for _ in range(count // self.batch)
        ]

    def evaluate(self, full: bool) -> dict[str, float]:
        """Error over box height of points in view, with boxes of true masks, in per cent."""
        tests = self.tests if full else max(self.tests // 4, 4)
        at_once = min(self.batch, tests)
        errors, visible, scores, hidden = [], [], [], []
        for _ in range(max(tests // at_once, 1)):
            shots = self.held_out.shots(at_once)
            crops = crops_of(shots, pictures.as_float(shots.rgb), at_once, jitter=False)
            device = crops.pictures.device
            with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
                heatmaps = self.model(pictures.normalised(crops.pictures)).heatmaps.float()
            points, score = decoded(heatmaps)
            error = (points - crops.points).norm(dim=-1) / crops.box_height_px[:, None]
            errors.append(100 * error)
            visible.append(crops.visible)
            scores.append(score)
            hidden.append(~crops.known)
        error, seen = torch.cat(errors), torch.cat(visible)
        score, away = torch.cat(scores), torch.cat(hidden)
        first = error[:, :BODY_AND_FEET][seen[:, :BODY_AND_FEET]]
        result = {
            "median": float(first.median()),
            "mean": float(first.mean()),
            "90th": float(first.quantile(0.9)),
            "score": float(score[:, :BODY_AND_FEET][seen[:, :BODY_AND_FEET]].mean()),
        }
        groups = {"body": slice(0, 17), "feet": slice(17, 23), "face": slice(23, 91)}
        for name, part in {**groups, "hands": slice(91, 133)}.items():
            shown = error[:, part][seen[:, part]]
            result[name] = float(shown.mean()) if len(shown) else 0.0
        outside = score[:, :BODY_AND_FEET][away[:, :BODY_AND_FEET]]
        result["score_outside"] = float(outside.mean()) if len(outside) else 0.0
        return result

    def save(self, folder: Path) -> None:
        net.save(self.model, folder)
