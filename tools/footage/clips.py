"""A clip: scene, people in motion and camera together, rendered with its ground truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8

from stages.artifacts.truth import Truth
from stages.body.joint_names import smpl45_row
from stages.body.model import BodyModel
from tools.footage.batches import PeopleBatch
from tools.footage.camera_paths import CameraPath, sample_path
from tools.footage.motions.motion import Motion
from tools.footage.performances import perform
from tools.footage.render import render
from tools.footage.scenes import Scene, sample_appearance, sample_scene
from tools.footage.skinning import BodyTensors, pose_people, smpl45, wholebody133
from tools.footage.visibility import keypoint_visibility

DEPTH_EVERY = 10
_FRAMES_AT_ONCE = 8


@dataclass(frozen=True)
class ClipOptions:
    """How a clip is filmed.

    camera: one of `camera_paths.CAMERAS`. uneven_times: frame times jitter, as a phone's variable
    rate does.
    """

    frames: int = 100
    fps: float = 30.0
    width: int = 640
    height: int = 360
    camera: str = "walks"
    uneven_times: bool = False


@dataclass(frozen=True)
class Clip:
    """A planned clip: everything but the pixels. Motions have one entry per frame."""

    scene: Scene
    times_s: Float[np.ndarray, " T"]
    motions: tuple[Motion, ...]
    people: PeopleBatch  # one image a frame
    path: CameraPath


def plan_clip(
    kind: str, seed: int, model: BodyModel, body: BodyTensors, options: ClipOptions
) -> Clip:
    """The clip of a kind and seed; `body` is `model` in torch, on the CPU."""
    scene = sample_scene(kind, seed)
    rng = np.random.default_rng([seed, 7])
    times_s = frame_times(rng, options)
    motions = perform(scene.terrain, rng, model, times_s)
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    people = people_of(body, motions, generator)
    points = people.joints_m.permute(1, 0, 2, 3).double().numpy()
    # The crown and the soles reach beyond the joints.
    crown = points[:, :, [smpl45_row("head")]] + [0, 0, 0.2]
    extent = np.concatenate([points, crown, points - [0, 0, 0.07]], 2)
    path = sample_path(
        np.random.default_rng([seed, 8]), scene, times_s, extent,
        options.width, options.height, options.camera,
    )  # fmt: skip
    return Clip(scene, times_s, motions, people, path)


def frame_times(rng: np.random.Generator, options: ClipOptions) -> Float[np.ndarray, " T"]:
    """Presentation times, starting at 0."""
    if not options.uneven_times:
        return np.arange(options.frames) / options.fps
    steps = rng.uniform(0.6, 1.4, options.frames - 1) / options.fps
    return np.concatenate([[0.0], np.cumsum(steps)])


def people_of(
    body: BodyTensors, motions: tuple[Motion, ...], generator: torch.Generator
) -> PeopleBatch:
    """The motions' bodies, one image a frame, each person dressed the same throughout."""
    frames = len(motions[0])

    def stacked(arrays: list[np.ndarray]) -> torch.Tensor:
        return torch.as_tensor(np.stack(arrays, 1), dtype=torch.float32)

    return pose_people(
        body,
        stacked([np.repeat(motion.betas[None], frames, 0) for motion in motions]),
        stacked([motion.local_rotmats for motion in motions]),
        stacked([motion.root_m for motion in motions]),
        sample_appearance(1, len(motions), generator).repeated(frames),
    )


def film(
    clip: Clip, body: BodyTensors, name: str, options: ClipOptions, device: str = "cpu"
) -> tuple[UInt8[np.ndarray, "T H W 3"], Truth]:
    """The clip's frames and its ground truth."""
    frames = len(clip.times_s)
    cameras = clip.path.batch()
    on_device = body.to(device)
    images, depths, ids, pixels, states = [], [], [], [], []
    for start in range(0, frames, _FRAMES_AT_ONCE):
        piece = slice(start, min(start + _FRAMES_AT_ONCE, frames))
        people, view = clip.people[piece].to(device), cameras[piece].to(device)
        scene = clip.scene.batch.repeated(len(view)).to(device)
        out = render(on_device, scene, people, view, options.height, options.width)
        px, state = keypoint_visibility(out, view, wholebody133(on_device, people))
        images.append(out.rgb.cpu().numpy())
        ids.append(out.person_ids.cpu().numpy().astype(np.uint8))
        wanted = [n - start for n in range(piece.start, piece.stop) if n % DEPTH_EVERY == 0]
        depths.append(out.depth_m.cpu().numpy()[wanted])
        pixels.append(px.cpu().numpy())
        states.append(state.cpu().numpy().astype(np.uint8))
    return np.concatenate(images), Truth(
        name=name, kind=clip.scene.terrain.kind, seed=clip.scene.seed, fps=options.fps,
        times_s=clip.times_s, K=clip.path.K, T_world_camera=clip.path.T_world_camera,
        depth_frames=np.arange(0, frames, DEPTH_EVERY), depth_m=np.concatenate(depths),
        person_ids=np.concatenate(ids),
        betas=np.stack([motion.betas for motion in clip.motions]),
        local_rotmats=np.stack([motion.local_rotmats for motion in clip.motions]),
        root_m=np.stack([motion.root_m for motion in clip.motions]),
        joints_m=smpl45(body, clip.people).permute(1, 0, 2, 3).numpy(),
        contacts=np.stack([motion.contacts for motion in clip.motions]),
        keypoints_px=np.moveaxis(np.concatenate(pixels), 1, 0),
        keypoint_states=np.moveaxis(np.concatenate(states), 1, 0),
        terrain=clip.scene.terrain,
    )  # fmt: skip
