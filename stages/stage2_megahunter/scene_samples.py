"""Samples of the reconstruction at people's keypoints and around their feet, frame by frame."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from stages.artifacts.errors import ArtifactError
from stages.artifacts.masks import mask_path, read_mask
from stages.artifacts.world import FrameGroup, WorldFrameView
from stages.body.joint_names import coco18_row
from stages.people.ground import CANDIDATES, NO_GROUND, GroundPatch, grounds_near
from stages.people.tracks import Cameras, Track
from stages.stage2_megahunter.surface_points import (
    inside_own_mask,
    sample_depths,
    without_outliers,
)

FOOT_WINDOW = 0.12  # of the box height
_FEET = tuple(
    [coco18_row(f"{side}_{part}") for part in ("big_toe", "small_toe", "heel")]
    for side in ("left", "right")
)


@dataclass(frozen=True)
class SceneSamples:
    """The reconstruction sampled at one person's keypoints and around the feet, in its own units.

    Attributes:
        depths, trust: of the surface at the 18 keypoints; trust 0 where unknown.
        ground_points, ground_normals, ground_weights: planes that may be under the left and right
            foot, in the axes of each frame's camera; weight 0 where there is none.
    """

    depths: Float[np.ndarray, "T 18"]
    trust: Float[np.ndarray, "T 18"]
    ground_points: Float[np.ndarray, "T 2 K 3"]
    ground_normals: Float[np.ndarray, "T 2 K 3"]
    ground_weights: Float[np.ndarray, "T 2 K"]


def sample_scene(
    world: FrameGroup,
    cameras: Cameras,
    tracks: list[Track],
    masks: Path,
    gradient_thr: float,
    sees_behind_people: bool,
) -> list[SceneSamples]:
    """Samples depth at keypoints and the ground around feet; reads one frame at a time.

    Args:
        masks: folder of the video's masks.
        gradient_thr: see `surface_points.sample_depths`.
        sees_behind_people: the method has depth of the place where people hide it.

    Raises:
        ArtifactError: a mask is missing, damaged or of another size than its image.
    """
    T = len(world)
    samples = [
        SceneSamples(
            np.zeros((T, 18)),
            np.zeros((T, 18)),
            np.zeros((T, 2, CANDIDATES, 3)),
            np.tile(NO_GROUND.normal, (T, 2, CANDIDATES, 1)),
            np.zeros((T, 2, CANDIDATES)),
        )
        for _ in tracks
    ]
    ups = [mean_up(cameras, track) for track in tracks]
    for t, frame in enumerate(world):
        present = [i for i, track in enumerate(tracks) if track.detected[t]]
        if not present:
            continue
        # Depth 0 is what confidence 0 is, a hole, so the confidence need not be unpacked too.
        depth, measured, dynamic = frame.place_depth, frame.measured, frame.dynamic
        known = depth > 0
        usable = measured & known
        static = known & (measured != dynamic if sees_behind_people else measured & ~dynamic)
        for i in present:
            track, around = tracks[i], samples[i]
            depths, trust = sample_depths(depth, usable, track.pixels[t], gradient_thr)
            if trust.any():
                trust = trust * _on_own_mask(masks, frame, cameras, track, t)
                trust = without_outliers(_unprojected(cameras, track, depths, t), trust)
            around.depths[t], around.trust[t] = depths, trust
            for foot in range(len(_FEET)):
                up = cameras.R_world_camera[t].T @ ups[i]
                planes = _grounds(depth, static, cameras, track, t, foot, up)
                for k, patch in enumerate(planes):
                    around.ground_points[t, foot, k] = patch.point
                    around.ground_normals[t, foot, k] = patch.normal
                    around.ground_weights[t, foot, k] = patch.weight
    return samples


def mean_up(cameras: Cameras, track: Track) -> Float[np.ndarray, " 3"]:
    """The body's mean up direction in the world: people are mostly upright."""
    ups = np.einsum("tab,tb->ta", cameras.R_world_camera, track.rotmats[:, 0, :, 1])
    total = ups[track.detected].sum(axis=0)
    return total / max(float(np.linalg.norm(total)), 1e-9)


def _on_own_mask(
    masks: Path, frame: WorldFrameView, cameras: Cameras, track: Track, t: int
) -> np.ndarray:
    ids = read_mask(masks, frame.name)
    A = cameras.affine_original_from_reconstruction
    height, width = frame.size
    implied = np.array([height * A[1, 1] + 2 * A[1, 2], width * A[0, 0] + 2 * A[0, 2]])
    if np.any(np.abs(np.array(ids.shape) / implied - 1.0) > 0.05):
        raise ArtifactError(
            mask_path(masks, frame.name),
            f"mask is {ids.shape[1]}x{ids.shape[0]} but the reconstruction was made from images of"
            f" about {implied[1]:.0f}x{implied[0]:.0f}",
            "masks and reconstruction do not belong together: run both stages again",
        )
    return inside_own_mask(ids, track.person, track.pixels[t] @ A[:, :2].T + A[:, 2])


def _unprojected(
    cameras: Cameras, track: Track, depths: Float[np.ndarray, " 18"], t: int
) -> Float[np.ndarray, "18 3"]:
    """Points in the camera; distances between them are those in the world."""
    rays = np.concatenate([track.pixels[t], np.ones((18, 1))], axis=1)
    return rays @ np.linalg.inv(cameras.intrinsics[t]).T * depths[:, None]


def _grounds(
    depth: np.ndarray,
    static: np.ndarray,
    cameras: Cameras,
    track: Track,
    t: int,
    foot: int,
    body_up: Float[np.ndarray, " 3"],
) -> list[GroundPatch]:
    seen = track.scores[t, _FEET[foot]] > 0.3
    if not seen.any():
        return []
    pixel = np.median(track.pixels[t, _FEET[foot]][seen], axis=0)
    radius = max(FOOT_WINDOW * (track.boxes[t, 3] - track.boxes[t, 1]), 4.0)
    return grounds_near(depth, static, cameras.intrinsics[t], pixel, radius, body_up, seed=t)
