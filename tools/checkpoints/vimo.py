"""Trains the demo's VIMO on rendered people: single frames first, then windows of 16, too.

The backbone starts from the demo's ViTPose, as HMR2.0's does from the official one: it knows where
joints are. A stock of crops is rendered while training goes on and every crop is used a few times,
mirrored and recoloured. Boxes are those of the visible pixels, a little disturbed, as SAM 2's are.
"""

from collections.abc import Callable
from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from stages.stage0_vimo.checkpoint import save_network
from stages.stage0_vimo.network import Vimo, VimoConfig
from stages.stage0_vimo.network.config import WINDOW
from stages.stage0_vimo.network.rotation6d import matrix_from_6d
from tools.checkpoints import pictures, vimo_losses
from tools.checkpoints.sample_stock import Stock
from tools.checkpoints.samples import Footage
from tools.checkpoints.vimo_losses import Skeleton, aligned_errors_m
from tools.checkpoints.vimo_samples import VimoSamples, mirrored, samples_of
from tools.checkpoints.vitpose_backbone import load_vitpose_backbone

VITPOSE = Path(__file__).resolve().parents[2] / "data" / "weights" / "demo" / "vitpose"

STILLS_ALONE_SHARE = 0.5
STILLS_EVERY = 3
STILLS_A_BATCH, WINDOWS_A_BATCH = 320, 20
STILLS_IN_STOCK, WINDOWS_IN_STOCK = 16_000, 800
NEW_STILLS, NEW_CLIPS = 128, 8
STEPS_A_RENDER = 6
STOCK_BEFORE_START = 0.15


class VimoWithProbe(nn.Module):
    """The network and two read-outs for training alone.

    The probe says where in the grid each joint is, and how deep. The guide reads the pose off the
    mean token: it teaches the backbone long before the head's single query finds its way.
    """

    def __init__(self) -> None:
        super().__init__()
        self.vimo = Vimo(VimoConfig.demo())
        self.probe = nn.Linear(self.vimo.config.dim, 2 * 24)
        self.guide = nn.Linear(self.vimo.config.dim, 144)
        initialise(self.vimo)
        load_vitpose_backbone(self.vimo.backbone, VITPOSE)
        nn.init.xavier_uniform_(self.guide.weight, gain=0.1)
        with torch.no_grad():
            self.guide.bias.copy_(self.vimo.smpl_head.init_body_pose[0])


def initialise(network: Vimo) -> None:
    """Starts near the mean: an upright body that faces the camera, features that pass unchanged."""
    head = network.smpl_head
    for layer in (head.decpose, head.decshape, head.deccam, network.st_module.l2):
        nn.init.xavier_uniform_(layer.weight, gain=0.05)
        nn.init.zeros_(layer.bias)
    facing = head.init_body_pose.new_tensor([1.0, 0.0, 0.0, 0.0, -1.0, 0.0])
    head.init_body_pose[0, :6] = facing
    nn.init.xavier_uniform_(network.motion_module.l2.weight, gain=0.1)
    with torch.no_grad():
        network.motion_module.l2.bias.copy_(head.init_body_pose[0])


def as_a_camera_sees(crops: UInt8[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 h w"]:
    """Recoloured, compressed and normalised, for the backbone."""
    frames = pictures.compressed(pictures.recoloured(crops.float() / 255))
    return pictures.normalised(frames)


class VimoTask:
    """See `training.Task`."""

    name = "vimo"
    learning_rate = 1e-3
    weight_decay = 0.03

    def __init__(self, footage: Footage, held_out: Footage, smoke: bool = False) -> None:
        self.model = VimoWithProbe()
        self.footage, self.held_out, self.smoke = footage, held_out, smoke
        self.skeleton = Skeleton(footage.body)
        self._seen: Callable[[Tensor], Tensor] = as_a_camera_sees
        self._features: Callable[[Tensor], Tensor] = self.model.vimo.backbone
        self._stills: Stock[VimoSamples] = Stock(64 if smoke else STILLS_IN_STOCK)
        self._windows: Stock[VimoSamples] = Stock(8 if smoke else WINDOWS_IN_STOCK)

    def compile(self) -> None:
        """Fuses the picture changes and the backbone; for a GPU."""
        self._seen = torch.compile(self._seen, dynamic=False)
        self._features = torch.compile(self._features, dynamic=False)

    def loss(self, progress: float, step: int) -> dict[str, Tensor]:
        stills = step % STILLS_EVERY == 0 or progress < STILLS_ALONE_SHARE
        if self.smoke:
            stills = step % 2 == 0
        samples = self._batch(stills, step)
        if torch.rand(()) < 0.5:
            samples = mirrored(samples)
        return self._losses(samples, self._seen(samples.crops.flatten(0, 1)))

    def _batch(self, stills: bool, step: int) -> VimoSamples:
        stock = self._stills if stills else self._windows
        count, new, frames = (
            (STILLS_A_BATCH, NEW_STILLS, 1) if stills else (WINDOWS_A_BATCH, NEW_CLIPS, WINDOW)
        )
        if self.smoke:
            count, new = (4, 4) if stills else (2, 2)
        least = 1 if self.smoke else int(stock.capacity * STOCK_BEFORE_START)
        due = step % STEPS_A_RENDER == 0
        stock.refill(lambda: samples_of(self.footage.shots(new, frames), not stills), least, due)
        return stock.draw(count)

    def _losses(
        self, samples: VimoSamples, frames: Float[Tensor, "n 3 256 192"]
    ) -> dict[str, Tensor]:
        vimo, window = self.model.vimo, samples.crops.shape[:2]
        with torch.autocast(frames.device.type, torch.bfloat16, enabled=frames.is_cuda):
            features = self._features(frames)
            probe = self.model.probe(features)
            guided = self.model.guide(features.flatten(1, -2).mean(1))
            out = vimo(features.unflatten(0, window), samples.bbox_info)
        betas = out.shape.float().flatten(0, 1)
        truth = (samples.joints_m - samples.joints_m[:, :, :1]).flatten(0, 1)
        poses = {
            "frame": out.frame_pose6d.float(),
            "motion": out.pose6d.float(),
            "guide": guided.float().unflatten(0, window),
        }
        rotmats = {name: matrix_from_6d(pose) for name, pose in poses.items()}
        turns = torch.cat([value.flatten(0, 1) for value in rotmats.values()])
        joints = self.skeleton.joints(turns, torch.cat([betas, betas, betas.detach()]))
        placed = dict(zip(poses, joints.chunk(len(poses)), strict=True))
        parts: dict[str, Tensor] = {}
        for name in poses:
            parts[f"{name}_rot"] = vimo_losses.rotation_loss(rotmats[name], samples.rotmats)
            parts[f"{name}_joints"] = (placed[name] - truth).norm(dim=-1).mean()
        # Columns that shrink, where a turn is unsure, would have gradients without bound.
        columns = torch.cat(list(poses.values())).unflatten(-1, (-1, 3)).norm(dim=-1)
        parts["columns"] = (columns - 1).square().mean()
        camera = out.weak_camera.float().flatten(0, 1)
        parts["projection"] = vimo_losses.projection_loss(placed["frame"], camera, samples)
        parts["shape"] = (out.shape.float() - samples.betas[:, None]).square().mean()
        logits, depths = probe.float().split(24, -1)
        parts["places"], parts["depths"] = vimo_losses.grid_losses(logits, depths, samples)
        total = (
            vimo_losses.ROTATION * (parts["frame_rot"] + parts["motion_rot"] + parts["guide_rot"])
            + vimo_losses.JOINTS
            * (parts["frame_joints"] + parts["motion_joints"] + parts["guide_joints"])
            + vimo_losses.COLUMNS * parts["columns"]
            + vimo_losses.PROJECTION * parts["projection"]
            + vimo_losses.SHAPE * parts["shape"]
            + vimo_losses.PLACES * parts["places"]
            + vimo_losses.DEPTHS * parts["depths"]
        )
        if window[1] > 1:
            steps = (placed["motion"] - truth).unflatten(0, window).diff(dim=1)
            parts["steps"] = steps.norm(dim=-1).mean()
            total = total + vimo_losses.MOTION * parts["steps"]
        return {"total": total, **parts}

    def evaluate(self, full: bool) -> dict[str, float]:
        """PA-MPJPE and root orientation on windows of held-out seeds, at 30 frames a second."""
        rounds, clips, frames = (12, 16, WINDOW) if full else (4, 16, WINDOW)
        if self.smoke:
            rounds, clips = 1, 2
        rows: dict[str, list[Tensor]] = {
            name: [] for name in ("pa", "pa_frame", "mpjpe", "root", "shape", "stature")
        }
        for _ in range(rounds):
            samples = samples_of(self.held_out.shots(clips, frames, 1), True, box_noise=0.01)
            if len(samples) == 0:
                continue
            self._measure(samples, rows)
        joined = {k: torch.cat(v) for k, v in rows.items() if v}
        if not joined:
            return {"pa_mpjpe_mm": float("nan")}
        return {
            "pa_mpjpe_mm": 1000 * float(joined["pa"].mean()),
            "pa_mpjpe_median_mm": 1000 * float(joined["pa"].median()),
            "pa_mpjpe_p90_mm": 1000 * float(joined["pa"].float().quantile(0.9)),
            "pa_mpjpe_frame_mm": 1000 * float(joined["pa_frame"].mean()),
            "mpjpe_mm": 1000 * float(joined["mpjpe"].mean()),
            "root_deg": float(joined["root"].mean()),
            "shape_mse": float(joined["shape"].mean()),
            "first_beta_mse": float(joined["stature"].mean()),
            "frames": float(len(joined["pa"])),
        }

    def _measure(self, samples: VimoSamples, rows: dict[str, list[Tensor]]) -> None:
        vimo = self.model.vimo
        frames = pictures.normalised(samples.crops.flatten(0, 1).float() / 255)
        features = torch.cat([vimo.backbone(some) for some in frames.split(128)])
        out = vimo(features.unflatten(0, samples.crops.shape[:2]), samples.bbox_info)
        truth = (samples.joints_m - samples.joints_m[:, :, :1]).flatten(0, 1)
        betas = out.shape.flatten(0, 1)
        joints = self.skeleton.joints(out.rotmat.flatten(0, 1), betas)
        before = self.skeleton.joints(out.frame_rotmat.flatten(0, 1), betas)
        squared = (out.shape.mean(1) - samples.betas).square()
        rows["shape"].append(squared.mean(1))
        rows["stature"].append(squared[:, 0])
        rows["pa"].append(aligned_errors_m(joints, truth))
        rows["pa_frame"].append(aligned_errors_m(before, truth))
        rows["mpjpe"].append((joints - truth).norm(dim=-1).mean(-1))
        turn = out.rotmat[:, :, 0].transpose(-1, -2) @ samples.rotmats[:, :, 0]
        cosine = (turn.diagonal(dim1=-2, dim2=-1).sum(-1) - 1) / 2
        rows["root"].append(torch.rad2deg(torch.arccos(cosine.clamp(-1, 1))).flatten())

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        about = {"made_by": "tools/checkpoints", "trained_on": "rendered demo people"}
        save_network(self.model.vimo, folder / "vimo.safetensors", about)
