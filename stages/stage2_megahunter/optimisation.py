"""From tracks and cameras to people and scale: builds the problem, solves it, unpacks it."""

from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

import jax
import numpy as np
from jaxtyping import Bool, Float

from stages.body.skeleton import Skeleton
from stages.people.contacts import SETTLING_S, filter_contacts
from stages.people.placing import place
from stages.people.posing import posed_parts, posed_points
from stages.people.skeleton import SkeletonBuilder
from stages.people.tracks import Cameras, Track
from stages.solving import Limits, Solution, pad_frames, pad_mask, padded_length, solve
from stages.stage2_megahunter.first_guess import guess_scale
from stages.stage2_megahunter.heading import facing_keypoints
from stages.stage2_megahunter.observations import gather_observations, with_nearest_ground
from stages.stage2_megahunter.scale_by_size import ScaleBySize, scale_by_size
from stages.stage2_megahunter.scene_samples import SceneSamples
from stages.stage2_megahunter.terms import DEFAULT_WEIGHTS, PROBLEM, Observations, Pose, Weights

PEOPLE_BUCKETS = (1, 2, 4, 8, 16)
# Weights and tolerances of the first, forgiving solve relative to the final ones. A bad start's
# scale must be free to become a better one.
_FREE = {"scale": 1e-4}
_FORGIVING = _FREE | {
    "pixel_tolerance": 6.0,
    "point_tolerance": 6.0,
    "ground_tolerance": 2.0,
    "contact_tolerance": 2.0,
    "hold_tolerance": 2.0,
}
_ROUGH = Limits(12, 1e-2, 1e-3, 1e-3)
_FINE = Limits(60, 1e-5, 1e-4, 1e-3)
# A start is bad from which people, in the middle frame, move so far (m), or whose scale ends so
# far (its logarithm) from what people's places speak for.
_FAR_M = 0.3
_SCALES_APART = 0.1
Tree = TypeVar("Tree")


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
    samples: list[SceneSamples],
    builder: SkeletonBuilder,
    weights: Weights = DEFAULT_WEIGHTS,
) -> SolvedScene:
    """Solve scale, positions and poses of all people together.

    Args:
        cameras: of the reconstruction.
        tracks: one per person, gaps filled; at least one with a valid frame.
        samples: one per track.
        builder: of the body model.
        weights: of the terms.
    """
    # Shapes and compiled programs are those of feet alone, as long as nothing else touches.
    parts_touch = any(_parts_touch(track) for track in tracks)
    skeletons = [builder.skeleton(track.betas, parts_touch) for track in tracks]
    tracks = [facing_keypoints(cameras, *each) for each in zip(tracks, skeletons, strict=True)]
    placed = [place(cameras, *each) for each in zip(tracks, skeletons, strict=True)]
    case = _Case(cameras, tracks, samples, skeletons, weights)
    start = _seen_as(case, [track.rotmats for track in tracks], placed)
    rough = _solve_roughly(case, start, _FORGIVING)
    iterations = int(rough.solution.iterations)
    if _was_bad(case, start, rough):
        # Now that people are where they belong, those keypoints and planes that are off are wrong.
        start = rough.seen
        rough = _solve_roughly(case, start, _FREE)
        iterations += int(rough.solution.iterations)
    scale = float(np.exp(rough.solution.shared[0]))
    data = _on_ground(case, rough.observations, rough.poses, scale)
    final = solve(
        PROBLEM,
        rough.solution.frames,
        rough.solution.shared,
        _stacked(case, data),
        _constants(case, *_scale_by_size(case, rough.seen, scale)),
        _mask(case),
        None,
        _FINE,
    )
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
        first_scale=start.scale,
        term_costs={name: float(cost) for name, cost in final.term_costs.items()},
        iterations=iterations + int(final.iterations),
        converged=bool(final.converged),
    )


class _Case(NamedTuple):
    """What does not change while a scene is solved; a track's rotations are the first estimates."""

    cameras: Cameras
    tracks: list[Track]
    samples: list[SceneSamples]
    skeletons: list[Skeleton]
    weights: Weights


class _Start(NamedTuple):
    """People before their cameras, and the scale that this speaks for.

    Attributes:
        rotmats: local rotations (T, 24, 3, 3), roots to cameras.
        placed: pelvis in the cameras (T, 3), metres.
        scale: metres per SfM unit.
    """

    rotmats: list[np.ndarray]
    placed: list[np.ndarray]
    scale: float


class _Rough(NamedTuple):
    """A first solution, the observations it was found with, and it as a start for another."""

    solution: Solution
    poses: list[Pose]
    observations: list[Observations]
    seen: _Start


def _parts_touch(track: Track) -> bool:
    return track.part_contacts is not None and bool(track.part_contacts.any())


def _seen_as(case: _Case, rotmats: list[np.ndarray], placed: list[np.ndarray]) -> _Start:
    """People as a start, with the scale that their places speak for."""
    posed = [replace(track, rotmats=R) for track, R in zip(case.tracks, rotmats, strict=True)]
    scale = guess_scale(case.cameras, posed, case.samples, case.skeletons, placed)
    return _Start(rotmats, placed, scale)


def _scale_by_size(case: _Case, seen: _Start, near: float) -> ScaleBySize:
    """The scale near a solved one that people's sizes speak for, now where they belong."""
    return scale_by_size(
        case.cameras,
        [replace(track, rotmats=R) for track, R in zip(case.tracks, seen.rotmats, strict=True)],
        case.samples,
        case.skeletons,
        seen.placed,
        case.weights.pixel_tolerance,
        near,
    )


def _solve_roughly(case: _Case, start: _Start, forgiving: dict[str, float]) -> _Rough:
    """A few iterations with constants multiplied by what `forgiving` says."""
    R_world_camera, centres = case.cameras.R_world_camera, case.cameras.centres
    poses, observations = [], []
    for track, sampled, skeleton, R, t_camera in zip(
        case.tracks, case.samples, case.skeletons, start.rotmats, start.placed, strict=True
    ):
        R = _to_world(case.cameras, R, track.valid)
        root = np.einsum("tab,tb->ta", R_world_camera, t_camera) + start.scale * centres
        feet = posed_points(R, root, skeleton)[1].reshape(-1, 2, 2, 3).mean(axis=2)
        contacts = filter_contacts(track.contacts, feet, case.cameras.times_s)
        parts = posed_parts(R, root, skeleton)
        said = np.zeros(parts.shape[:2], bool)
        if _parts_touch(track):
            said = filter_contacts(track.part_contacts, parts, case.cameras.times_s, SETTLING_S)
        R0 = _to_world(case.cameras, track.rotmats, track.valid)
        seen = gather_observations(
            case.cameras,
            replace(track, contacts=contacts, part_contacts=said),
            sampled,
            skeleton,
            R0,
        )
        step = np.diff(root, axis=0, append=root[-1:])
        poses.append(Pose(R, root, step / seen.dt[:, None]))
        observations.append(seen)
    constants = _constants(case, start.scale, 1.0)
    constants |= {name: np.float32(by * constants[name]) for name, by in forgiving.items()}
    solution = solve(
        PROBLEM,
        _stacked(case, poses),
        np.array([np.log(start.scale)], np.float32),
        _stacked(case, _on_ground(case, observations, poses, start.scale)),
        constants,
        _mask(case),
        None,
        _ROUGH,
    )
    T = len(case.tracks[0].valid)
    found = [Pose(*(np.asarray(a[i, :T]) for a in solution.frames)) for i in range(len(poses))]
    scale = float(np.exp(solution.shared[0]))
    rotmats, placed = [], []
    for pose in found:
        R = np.array(pose.R)
        R[:, 0] = np.swapaxes(R_world_camera, -1, -2) @ R[:, 0]
        rotmats.append(R)
        placed.append(np.einsum("tba,tb->ta", R_world_camera, pose.p - scale * centres))
    return _Rough(solution, found, observations, _seen_as(case, rotmats, placed))


def _was_bad(case: _Case, start: _Start, rough: _Rough) -> bool:
    """Whether people had to be moved far, or scale and people's places do not fit any more.

    Feet were then judged to be in contact, and with some ground, from where nobody is.
    """
    scale = float(np.exp(rough.solution.shared[0]))
    moved = max(
        float(np.median(np.linalg.norm(after - before, axis=1)[track.valid]))
        for track, before, after in zip(case.tracks, start.placed, rough.seen.placed, strict=True)
        if track.valid.any()
    )
    return moved > _FAR_M or abs(np.log(scale / rough.seen.scale)) > _SCALES_APART


def _constants(case: _Case, scale: float, error: float) -> dict[str, np.ndarray]:
    """Of a solve with a scale that something else speaks for, with an error of its logarithm."""
    return case.weights.as_constants() | {
        "first_log_scale": np.array(np.log(scale), "f4"),
        "scale": np.array(case.weights.scale / error, "f4"),
    }


def _to_world(cameras: Cameras, rotmats: np.ndarray, valid: np.ndarray) -> np.ndarray:
    R = np.array(rotmats)
    R[:, 0] = cameras.R_world_camera @ R[:, 0]
    R[~valid] = np.eye(3)
    return R


def _on_ground(
    case: _Case, observations: list[Observations], poses: list[Pose], scale: float
) -> list[Observations]:
    parts = zip(observations, case.samples, poses, case.skeletons, strict=True)
    return [with_nearest_ground(o, case.cameras, s, p, k, scale) for o, s, p, k in parts]


def _stacked(case: _Case, each: list[Tree]) -> Tree:
    """People and frames padded to their buckets, so that shapes repeat from video to video."""
    fill = _people(case) - len(each)

    def stack(*leaves: np.ndarray) -> np.ndarray:
        return np.stack([np.asarray(leaf, np.float32) for leaf in leaves])

    stacked = jax.tree.map(stack, *each, *each[:1] * fill)
    return pad_frames(stacked, padded_length(len(case.tracks[0].valid)))


def _mask(case: _Case) -> np.ndarray:
    """Valid frames of people, padded as `_stacked` does."""
    valid = np.stack([track.valid for track in case.tracks])
    fill = _people(case) - len(valid)
    return pad_mask(np.pad(valid, ((0, fill), (0, 0))), padded_length(valid.shape[1]))


def _people(case: _Case) -> int:
    count = len(case.tracks)
    return next((n for n in PEOPLE_BUCKETS if n >= count), count)
