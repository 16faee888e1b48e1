"""stage1-megasam: cameras and depth of a video by MegaSaM."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from stages.artifacts import layout
from stages.artifacts.world import WorldFrame
from stages.cameras.footage import check_footage
from stages.cameras.frames import Frames
from stages.cameras.resizing import Resizing
from stages.cameras.world_stage import PicturesStage
from stages.flow.checkpoint import load_flow
from stages.flow.config import CELL_PX
from stages.geometry import se3
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
from stages.stage1_megasam.checkpoint import load_tracker
from stages.stage1_megasam.memory import most_frames
from stages.stage1_megasam.pictures import masked, picture_size, shown
from stages.stage1_megasam.reconstruction import Networks, Reconstruction, reconstruct
from stages.stage1_megasam.rules import Thresholds, rules_of
from stages.stage1_megasam.single_pictures import Prior, lens_of, prior
from stages.stage1_megasam.tracking.windows import SHARED_FRAMES, Window, described, plan
from stages.weights.depth_anything import load_depth_anything
from stages.weights.locate import is_demo
from stages.weights.metric_depth import load_metric

METHOD = "megasam"
_DEPTHS = (1e-3, 1e2)
"""In the tracker's unit; nearer and farther ones are cut, as in the original's files."""

_MOVING = 0.5


@dataclass(kw_only=True)
class MegasamStage(PicturesStage):
    """Reconstruct cameras and depth by MegaSaM, of cameras that hardly move too.

    Writes <outdir>/megasam_reconstruction_results_<video>_cam01_frame_<s>_<e>_subsample_<n>.h5,
    up to scale. Lengths of flow are in cells of eight pixels of a picture of 512.
    """

    outdir: Path = folder(
        layout.world_folder(METHOD), "Folder for the reconstructions.", is_output=True
    )
    window: int = flag(0, "Most frames that are tracked together; 0 for what memory holds.")
    beta: float = flag(0.3, "Share of turning in the distance between frames.")
    filter_thresh: float = flag(2.0, "A frame that moved less is passed over.")
    warmup: int = flag(8, "Keyframes that begin a track.")
    keyframe_thresh: float = flag(2.0, "A keyframe nearer to the one before is given up.")
    frontend_thresh: float = flag(12.0, "Keyframes farther apart get no edge, in the front end.")
    frontend_window: int = flag(25, "Keyframes back to which edges go.")
    frontend_radius: int = flag(2, "Neighbours that always get edges, in the front end.")
    frontend_nms: int = flag(1, "Steps that an edge keeps others away, in the front end.")
    backend_thresh: float = flag(16.0, "Frames farther apart get no edge, in the back end.")
    backend_radius: int = flag(2, "Neighbours that always get edges, in the back end.")
    backend_nms: int = flag(3, "Steps that an edge keeps others away, in the back end.")
    w_grad: float = flag(2.0, "Weight of edges of depth in the refinement.")
    w_normal: float = flag(5.0, "Weight of normals in the refinement.")
    weights: Path = checkpoint_flag("megasam", "The tracker: megasam_final.pth.", name="--weights")
    model: Path = checkpoint_flag(
        "raft", "RAFT, for the refinement: raft-things.pth.", name="--model"
    )
    load_from: Path = checkpoint_flag(
        "depth_relative", "A relative Depth Anything, as a folder.", name="--load-from"
    )
    metric_depth: Path = checkpoint_flag(
        "depth_metric", "A metric Depth Anything or Depth Pro, as a folder.", name="--metric-depth"
    )

    name = "stage1-megasam"
    method = METHOD

    def notice(self) -> str:
        known = ", which know only the demo's rendered scenes" if is_demo(self.weights) else ""
        people = "masked out" if self.gsam2 else "left to the network"
        return f"MegaSaM, weights {self.weights}{known}; people are {people}; {torch_device()}"

    def load(self) -> None:
        self.device = torch_device()
        tracker, flow = load_tracker(self.weights), load_flow(self.model)
        self.networks = Networks(tracker.to(self.device), flow.to(self.device))
        self.relative = load_depth_anything(self.load_from, metric=False, device=self.device)
        self.metric = load_metric(self.metric_depth, self.device)

    def process(self, video: str, inputs: InputPaths) -> Processed:
        chosen = self.frames_of(video, inputs)
        config = self.networks.tracker.config
        resizing = picture_size(chosen.height, chosen.width, config.long_side_px)
        pictures = shown(chosen, resizing)
        check_footage(_as_images(pictures), [image.name for image in chosen.images])
        people = masked(chosen, resizing)
        cells = resizing.height * resizing.width // CELL_PX**2
        most = self.window or most_frames(config, cells, free_bytes(self.device))
        try:
            windows = plan(len(chosen), most)
            known = prior(self.relative, self.metric, pictures, self.device)
            made = self._reconstructed(pictures, people, known, windows, resizing)
        except ValueError as error:
            raise VideoError(f"{error}; {_remedy(most)}") from None
        assumed = _assumed(known, made)
        self.write(
            video,
            inputs,
            _world_frames(chosen, pictures, people if self.gsam2 else None, resizing, made),
            focal_px_original=float(made.intrinsics_px[0]) / resizing.scale[0],
            registered_frames=len(chosen),
            windows=[[window.first, window.end] for window in windows],
            metres_per_unit=1 / known.alignment.unit,
            **({"assumed": ", ".join(assumed)} if assumed else {}),
        )
        return _processed(made, windows, resizing, assumed)

    def _reconstructed(
        self,
        pictures: Tensor,
        people: Tensor,
        known: Prior,
        windows: tuple[Window, ...],
        resizing: Resizing,
    ) -> Reconstruction:
        values = {each.name: getattr(self, each.name) for each in fields(Thresholds)}
        return reconstruct(
            self.networks,
            pictures.to(self.device),
            torch.from_numpy(known.disparity).to(self.device),
            lens_of(known, resizing.height, resizing.width).to(self.device),
            windows,
            people=people.to(self.device) if self.gsam2 else None,
            rules=rules_of(Thresholds(**values), self.networks.tracker.config.long_side_px),
        )


def _as_images(pictures: Tensor) -> np.ndarray:
    return np.ascontiguousarray(pictures.movedim(1, -1).numpy())


def _remedy(most: int) -> str:
    if most <= SHARED_FRAMES:
        return "use a machine with more memory, or a larger --window"
    return "use other frames by --start-frame, --end-frame or --stride"


def _world_frames(
    chosen: Frames,
    pictures: Tensor,
    people: Tensor | None,
    resizing: Resizing,
    made: Reconstruction,
) -> Iterator[WorldFrame]:
    focal_x, focal_y, centre_x, centre_y = made.intrinsics_px.tolist()
    K = np.array([[focal_x, 0, centre_x], [0, focal_y, centre_y], [0, 0, 1]], np.float32)
    Ts = se3.matrix(se3.inverse(made.T_camera_world)).cpu().numpy().astype(np.float32)
    size = (resizing.width, resizing.height)
    for frame, (image, rgb) in enumerate(zip(chosen.images, _as_images(pictures), strict=True)):
        static = made.static[frame].cpu().numpy().astype(np.float32)
        if people is None:
            moving = cv2.resize(static, size, interpolation=cv2.INTER_LINEAR) < _MOVING
        else:
            moving = people[frame].numpy()
        depth = (1 / made.disparity[frame].clamp(1 / _DEPTHS[1], 1 / _DEPTHS[0])).cpu().numpy()
        yield WorldFrame(
            image.name,
            rgb,
            K,
            Ts[frame],
            depth.astype(np.float32),
            np.ones_like(depth, np.float32),
            moving,
            resizing.affine_original_from_reconstruction,
            motion_probability=static,
        )


def _assumed(known: Prior, made: Reconstruction) -> list[str]:
    """What no measurement says."""
    said = []
    if known.focal_assumed and not any(each.terms.focal for each in made.tracks):
        said.append("focal length")
    if any(each.stays for each in made.tracks):
        said.append("depth of single pictures")
    return said


def _processed(
    made: Reconstruction, windows: tuple[Window, ...], resizing: Resizing, assumed: list[str]
) -> Processed:
    share = float(made.intrinsics_px[0]) / max(resizing.height, resizing.width)
    keyframes = sum(each.keyframes for each in made.tracks)
    stays = sum(each.stays for each in made.tracks)
    note = (
        f"{len(made.static)} frames, {keyframes} keyframes, {described(windows)}, "
        f"focal {share:.2f} of the long side"
    )
    if stays:
        note += "; the camera stands or only turns" + (
            f" in {stays} of {len(windows)} windows" if len(windows) > 1 else ""
        )
    if assumed:
        note += f"; assumed: {', '.join(assumed)}"
    details = {
        "frames": len(made.static),
        "keyframes": [each.keyframes for each in made.tracks],
        "windows": [[window.first, window.end] for window in windows],
        "focal_share_of_long_side": round(share, 4),
        "focal_free": [each.terms.focal for each in made.tracks],
        "prior_weight": [each.terms.prior_weight for each in made.tracks],
        "stays": [each.stays for each in made.tracks],
        "curvature": [
            {"disparity": each.curvature.disparity, "focal": each.curvature.focal}
            for each in made.tracks
        ],
        "moving_share": round(float((made.static < _MOVING).float().mean()), 4),
        "assumed": assumed,
    }
    return Processed(note, details)


main = stage_command(MegasamStage)
