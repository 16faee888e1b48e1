"""From tracks and cameras to people and scale: builds the problem, solves it, unpacks it."""

from dataclasses import dataclass, replace

import jax
import numpy as np
from jaxtyping import Bool, Float

from stages.solving import Limits, pad_frames, pad_mask, padded_length, solve
from stages.stage2_megahunter.marks import MarkPicker, Skeleton
from stages.stage2_megahunter.placement import first_scale, place_before_camera
from stages.stage2_megahunter.posing import posed_marks
from stages.stage2_megahunter.standing import standing_feet
from stages.stage2_megahunter.terms import DEFAULT_WEIGHTS, PROBLEM, Evidence, Pose, Weights
from stages.stage2_megahunter.tracks import Cameras, Track

PIXEL_SCORE_THR = 0.5
PEOPLE_BUCKETS = (1, 2, 4, 8, 16)
# Tolerances of the first, forgiving solve relative to the final ones.
_FORGIVING = {
    "pixel_tolerance": 6.0,
    "point_tolerance": 6.0,
    "ground_tolerance": 2.0,
    "planted_tolerance": 2.0,
}
_ROUGH = Limits(12, 1e-2, 1e-3, 1e-3)
_FINE = Limits(60, 1e-5, 1e-4, 1e-3)


@dataclass(frozen=True)
class Surroundings:
    """What the reconstruction says around one person, in its own units.

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


@dataclass(frozen=True)
class SolvedPerson:
    """One person in the metric world, all frames; only `valid` ones mean anything."""

    person: int
    valid: Bool[np.ndarray, " T"]
    detected: Bool[np.ndarray, " T"]
    rotmats: Float[np.ndarray, "T 24 3 3"]  # the first is R_world_root
    root: Float[np.ndarray, "T 3"]
    betas: Float[np.ndarray, "10"]


@dataclass(frozen=True)
class SolvedScene:
    """People, the scale that takes SfM units to metres, and how the solver ended."""

    people: list[SolvedPerson]
    scale: float
    first_scale: float
    term_costs: dict[str, float]
    iterations: int
    converged: bool


def solve_scene(
    cameras: Cameras,
    tracks: list[Track],
    surroundings: list[Surroundings],
    picker: MarkPicker,
    weights: Weights = DEFAULT_WEIGHTS,
) -> SolvedScene:
    """Solve scale, positions and poses of all people together.

    Args:
        cameras: of the reconstruction.
        tracks: one per person, gaps filled; at least one with a valid frame.
        surroundings: one per track.
        picker: of the body model.
        weights: of the terms.
    """
    skeletons = [picker.skeleton(track.betas) for track in tracks]
    placed = [
        _place(cameras, track, skeleton) for track, skeleton in zip(tracks, skeletons, strict=True)
    ]
    guess = _guess_scale(cameras, tracks, surroundings, skeletons, placed)
    starts, evidence = [], []
    for track, around, skeleton, t_camera in zip(
        tracks, surroundings, skeletons, placed, strict=True
    ):
        R0 = _world_rotmats(cameras, track)
        root = np.einsum("tab,tb->ta", cameras.R_world_camera, t_camera) + guess * cameras.centres
        starts.append(Pose(R0, root, np.diff(root, axis=0, append=root[-1:])))
        feet = posed_marks(R0, root, skeleton)[1].reshape(-1, 2, 2, 3).mean(axis=2)
        standing = replace(track, planted=standing_feet(track.planted, feet))
        evidence.append(_evidence(cameras, standing, around, skeleton, R0))

    def grounded(poses: list[Pose], scale: float) -> list[Evidence]:
        parts = zip(evidence, surroundings, poses, skeletons, strict=True)
        return [_on_nearest_ground(e, cameras, a, p, k, scale) for e, a, p, k in parts]

    valid = [track.valid for track in tracks]
    constants = weights.as_constants() | {"first_log_scale": np.float32(np.log(guess))}
    forgiving = constants | {
        name: np.float32(factor * constants[name]) for name, factor in _FORGIVING.items()
    }
    start, data, mask = _stacked(starts, grounded(starts, guess), valid)
    log_scale = np.array([np.log(guess)], np.float32)
    rough = solve(PROBLEM, start, log_scale, data, forgiving, mask, None, _ROUGH)
    T = len(valid[0])
    poses = [Pose(*(np.asarray(a[i, :T]) for a in rough.frames)) for i in range(len(tracks))]
    _, data, _ = _stacked(starts, grounded(poses, float(np.exp(rough.shared[0]))), valid)
    final = solve(PROBLEM, rough.frames, rough.shared, data, constants, mask, None, _FINE)
    final = jax.device_get(final)
    solved = [
        SolvedPerson(
            track.person,
            track.valid,
            track.detected,
            np.asarray(final.frames.R[i, : len(track.valid)]),
            np.asarray(final.frames.p[i, : len(track.valid)]),
            track.betas,
        )
        for i, track in enumerate(tracks)
    ]
    return SolvedScene(
        solved,
        scale=float(np.exp(final.shared[0])),
        first_scale=guess,
        term_costs={name: float(cost) for name, cost in final.term_costs.items()},
        iterations=int(rough.iterations + final.iterations),
        converged=bool(final.converged),
    )


def _rays(cameras: Cameras, pixels: np.ndarray) -> np.ndarray:
    """Viewing directions (T, K, 3) in the camera with z = 1."""
    ones = np.ones((*pixels.shape[:-1], 1))
    inverse = np.linalg.inv(cameras.intrinsics.astype(np.float64))
    return np.einsum("tab,tkb->tka", inverse, np.concatenate([pixels, ones], axis=-1))


def _pixel_weights(track: Track) -> np.ndarray:
    sure = np.where(track.scores > PIXEL_SCORE_THR, track.scores, 0.0)
    return sure * track.valid[:, None]


def _place(cameras: Cameras, track: Track, skeleton: Skeleton) -> np.ndarray:
    """Pelvis positions (T, 3) in the cameras, metres."""
    offsets, _ = posed_marks(track.rotmats, np.zeros((len(track.valid), 3)), skeleton)
    return place_before_camera(offsets, _rays(cameras, track.pixels), _pixel_weights(track))


def _world_rotmats(cameras: Cameras, track: Track) -> np.ndarray:
    R = track.rotmats.copy()
    R[:, 0] = cameras.R_world_camera @ R[:, 0]
    R[~track.valid] = np.eye(3)
    return R


def _guess_scale(
    cameras: Cameras,
    tracks: list[Track],
    surroundings: list[Surroundings],
    skeletons: list[Skeleton],
    placed: list[np.ndarray],
) -> float:
    """Metres per SfM unit: people's distance by their size against the reconstruction's."""
    metric, reconstructed, weights = [], [], []
    for track, around, skeleton, t_camera in zip(
        tracks, surroundings, skeletons, placed, strict=True
    ):
        keypoints, soles = posed_marks(track.rotmats, t_camera, skeleton)
        trusted = around.trust * _pixel_weights(track)
        metric.append((keypoints[..., 2] - skeleton.depths).ravel())
        reconstructed.append(around.depths.ravel())
        weights.append(trusted.ravel() / max(trusted.sum(), 1e-9))
        # A standing sole is as far below the camera as the ground around it.
        normals = around.ground_normals
        feet = soles.reshape(-1, 2, 2, 3).mean(axis=2)
        below = -np.einsum("tfc,tfkc->tfk", feet, normals)
        height = -np.einsum("tfkc,tfkc->tfk", around.ground_points, normals)
        steep = height / np.maximum(np.linalg.norm(around.ground_points, axis=-1), 1e-9)
        standing = around.ground_weights * (track.planted & track.valid[:, None])[..., None]
        sure = standing * np.clip(steep, 0.0, 1.0)
        metric.append(below.ravel())
        reconstructed.append(height.ravel())
        weights.append(sure.ravel() / max(sure.sum(), 1e-9))
    scale = first_scale(*map(np.concatenate, (metric, reconstructed, weights)))
    return scale if scale is not None else _scale_by_steadiness(cameras, tracks, placed)


def _scale_by_steadiness(cameras: Cameras, tracks: list[Track], placed: list[np.ndarray]) -> float:
    """The scale at which people move least between frames; 1 if the camera stands still."""
    dot = square = 0.0
    camera_step = np.diff(cameras.centres, axis=0)
    for track, t_camera in zip(tracks, placed, strict=True):
        both = track.valid[1:] & track.valid[:-1]
        step = np.diff(np.einsum("tab,tb->ta", cameras.R_world_camera, t_camera), axis=0)
        dot -= float((step * camera_step)[both].sum())
        square += float((camera_step**2)[both].sum())
    return dot / square if square > 0 and dot > 0 else 1.0


def _evidence(
    cameras: Cameras, track: Track, around: Surroundings, skeleton: Skeleton, R0: np.ndarray
) -> Evidence:
    """Arrays with a leading T; nothing in them is infinite or not a number."""
    T = len(track.valid)
    R, centres = cameras.R_world_camera.astype(np.float64), cameras.centres.astype(np.float64)
    rays = _rays(cameras, np.nan_to_num(track.pixels))
    points = np.einsum("tab,tkb->tka", R, rays * around.depths[..., None]) + centres[:, None]
    directions = np.einsum("tab,tkb->tka", R, rays / np.linalg.norm(rays, axis=-1, keepdims=True))
    blank = np.zeros((T, 2, 3))
    K = cameras.intrinsics
    every = Evidence(
        skeleton=Skeleton(*(np.broadcast_to(part, (T, *part.shape)) for part in skeleton)),
        R0=R0,
        pixels=track.pixels,
        pixel_weights=_pixel_weights(track),
        size_px=track.sizes_px,
        K=np.stack([K[:, 0, 0], K[:, 1, 1], K[:, 0, 2], K[:, 1, 2]], axis=-1),
        R_camera_world=np.swapaxes(R, -1, -2),
        camera=centres,
        points=points,
        point_weights=around.trust * track.scores * track.valid[:, None],
        rays=directions,
        planted=track.planted,
        ground_point=blank,
        ground_normal=blank,
        ground_weight=blank[..., 0],
    )
    return jax.tree.map(lambda leaf: np.nan_to_num(np.asarray(leaf, np.float32)), every)


def _on_nearest_ground(
    evidence: Evidence,
    cameras: Cameras,
    around: Surroundings,
    pose: Pose,
    skeleton: Skeleton,
    scale: float,
) -> Evidence:
    """The plane around each foot that its sole is nearest to, or that it is highest above.

    The former for planted feet, the latter for others: these must only not be below all planes.
    """
    R, centres = cameras.R_world_camera, cameras.centres
    points = np.einsum("tab,tfkb->tfka", R, around.ground_points) + centres[:, None, None]
    normals = np.einsum("tab,tfkb->tfka", R, around.ground_normals)
    soles = posed_marks(pose.R, pose.p, skeleton)[1].reshape(-1, 2, 2, 3).mean(axis=2)
    above = np.einsum("tfkc,tfkc->tfk", soles[:, :, None] - scale * points, normals)
    badness = np.where(evidence.planted[..., None] > 0, np.abs(above), -above)
    best = np.where(around.ground_weights > 0, badness, np.inf).argmin(axis=-1)[..., None]

    def pick(values: np.ndarray) -> np.ndarray:
        index = best if values.ndim == 3 else best[..., None]
        return np.take_along_axis(values, index, axis=2)[:, :, 0].astype(np.float32)

    return evidence._replace(
        ground_point=pick(points),
        ground_normal=pick(normals),
        ground_weight=pick(around.ground_weights),
    )


def _stacked(
    starts: list[Pose], evidence: list[Evidence], valid: list[np.ndarray]
) -> tuple[Pose, Evidence, np.ndarray]:
    """People and frames padded to their buckets, so that shapes repeat from video to video."""
    people = next((n for n in PEOPLE_BUCKETS if n >= len(starts)), len(starts))
    fill = [0] * (people - len(starts))
    length = padded_length(len(valid[0]))

    def stack(*leaves: np.ndarray) -> np.ndarray:
        return np.stack([np.asarray(leaf, np.float32) for leaf in leaves])

    order = [*range(len(starts)), *fill]
    start = jax.tree.map(stack, *(starts[i] for i in order))
    data = jax.tree.map(stack, *(evidence[i] for i in order))
    mask = np.stack(valid + [np.zeros_like(valid[0]) for _ in fill])
    return pad_frames(start, length), pad_frames(data, length), pad_mask(mask, length)
