"""stage1-align3r: cameras and depth of a video by Align3R."""

from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import torch
from jaxtyping import Float, UInt8

from stages.artifacts import layout
from stages.cameras.footage import check_footage
from stages.cameras.frames import Frames
from stages.cameras.world_stage import PicturesStage
from stages.flow.checkpoint import load_flow
from stages.flow.config import LEAST_PX
from stages.running import (
    InputPaths,
    Processed,
    VideoError,
    flag,
    folder,
    stage_command,
    torch_device,
)
from stages.running.device import free_bytes
from stages.running.model_flags import checkpoint_flag
from stages.stage1_align3r.alignment.optimise import STEPS
from stages.stage1_align3r.checkpoint import load_network
from stages.stage1_align3r.inference import PAIRS_AT_ONCE
from stages.stage1_align3r.memory import most_frames
from stages.stage1_align3r.pair_graph import pair_count
from stages.stage1_align3r.picture_size import Cropping, cropping
from stages.stage1_align3r.reconstruction import Reconstruction, flow_by, reconstruct
from stages.stage1_align3r.views import masked, priors, shown, world_frames
from stages.weights.locate import is_demo
from stages.weights.metric_depth import load_metric

METHOD = "align3r"


@dataclass(kw_only=True)
class Align3rStage(PicturesStage):
    """Reconstruct cameras and depth by Align3R: point maps of pairs of frames, put together.

    Writes <outdir>/align3r_reconstruction_results_<video>_cam01_frame_<s>_<e>_subsample_<n>.h5,
    up to scale.
    """

    outdir: Path = folder(
        layout.world_folder(METHOD), "Folder for the reconstructions.", is_output=True
    )
    niter: int = flag(STEPS, "Steps of the alignment.", kind=click.IntRange(1))
    flow_loss: bool = flag(True, "Hold cameras to the flow of pixels.")
    batchify: bool = flag(
        True, "Look at a few pairs at a time; else at all, for which memory must do.",
        changes_results=False,
    )  # fmt: skip
    batch_size: int = flag(
        PAIRS_AT_ONCE, "How many pairs those are.", kind=click.IntRange(1), changes_results=False
    )
    model_path: Path = checkpoint_flag(
        "align3r", "The network: align3r_depthpro.pth.", name="--model-path"
    )
    raft: Path = checkpoint_flag("raft", "RAFT, for flow: raft-things.pth.", name="--raft")
    metric_depth: Path = checkpoint_flag(
        "depth_metric", "Depth Pro or a metric Depth Anything, as a folder.", name="--metric-depth"
    )

    name = "stage1-align3r"
    method = METHOD

    def notice(self) -> str:
        known = ", which know only the demo's rendered scenes" if is_demo(self.model_path) else ""
        people = "masked out" if self.gsam2 else "left to flow"
        return (
            f"Align3R, weights {self.model_path}{known}, depth of single pictures by "
            f"{self.metric_depth}; people are {people}; {torch_device()}"
        )

    def load(self) -> None:
        self.device = torch_device()
        self.network = load_network(self.model_path).to(self.device)
        self.flow = flow_by(load_flow(self.raft).to(self.device))
        self.metric = load_metric(self.metric_depth, self.device)

    def process(self, video: str, inputs: InputPaths) -> Processed:
        chosen = self.frames_of(video, inputs)
        crop = self._cropping(chosen)
        pictures = shown(chosen, crop)
        check_footage(pictures.movedim(1, -1).numpy(), [image.name for image in chosen.images])
        people = masked(chosen, crop)
        at_once = self.batch_size if self.batchify else pair_count(len(chosen))
        self._check_memory(len(chosen), crop, at_once)
        try:
            depths = priors(chosen, self._depth_of, crop)
        except ValueError as error:
            raise VideoError(f"{error}; use another --metric-depth") from None
        made = reconstruct(
            self.network,
            pictures.to(self.device),
            depths.to(self.device),
            self.flow,
            None if people is None else people.to(self.device),
            at_once,
            self.niter,
            self.flow_loss,
        )
        self.write(
            video,
            inputs,
            world_frames(made, pictures, chosen, crop),
            focal_px_original=made.focal_px * crop.original_width / crop.resized_width,
            registered_frames=len(chosen),
        )
        return _processed(made, crop)

    def _cropping(self, chosen: Frames) -> Cropping:
        try:
            crop = cropping(chosen.height, chosen.width, self.network.config.long_side_px)
            if min(crop.height, crop.width) < LEAST_PX:
                raise ValueError(
                    f"of pictures of {chosen.height}x{chosen.width} px the network would see only "
                    f"{crop.height}x{crop.width}, and flow needs {LEAST_PX}"
                )
        except ValueError as error:
            raise VideoError(f"{error}; cut the video to a less narrow shape") from None
        return crop

    def _check_memory(self, frames: int, crop: Cropping, at_once: int) -> None:
        free = free_bytes(self.device)
        most = most_frames(free, crop.height * crop.width, at_once)
        if frames > most:
            fewer = f"--stride {-(-frames // most)}, a part of them by --end-frame, or "
            raise VideoError(
                f"{frames} frames are too many to align together: {free / 2**30:.1f} GiB of memory "
                f"are free, for {most}; use {fewer if most > 1 else ''}a machine with more"
            )

    def _depth_of(self, rgb: UInt8[np.ndarray, "H W 3"]) -> Float[np.ndarray, "H W"]:
        picture = torch.from_numpy(rgb).movedim(-1, 0)[None].to(self.device)
        depth, _ = self.metric(picture)
        return depth[0].cpu().numpy()


def _processed(made: Reconstruction, crop: Cropping) -> Processed:
    frames = len(made.depth)
    focal = made.focal_px / max(crop.resized_height, crop.resized_width)
    sure, moving = (float(each.float().mean()) for each in (made.sure, made.moving))
    note = (
        f"{frames} frames, {pair_count(frames)} pairs, focal {focal:.2f} of the long side, "
        f"depth is sure on {sure:.0%}"
    )
    details = {
        "frames": frames,
        "pairs": pair_count(frames),
        "focal_share_of_long_side": round(focal, 4),
        "sure_share": round(sure, 4),
        "moving_share": round(moving, 4),
        "loss": [round(made.losses[0], 5), round(made.losses[-1], 5)],
    }
    return Processed(note, details)


main = stage_command(Align3rStage)
