"""Metres per SfM unit, before anything is solved."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from stages.body.joint_names import SMPL24_NAMES
from stages.body.skeleton import Skeleton
from stages.geometry.placement import first_scale, place_before_camera
from stages.people.placing import pixel_weights, viewing_rays
from stages.people.posing import posed_points
from stages.people.skeleton import KEYPOINTS
from stages.people.tracks import Cameras, Track
from stages.stage2_megahunter.scene_samples import SceneSamples

_SIZE_ERROR = 0.01
"""Of a person's size in one picture, where poses are the true ones: measured on rendered people."""
_BEND_ERROR_RAD = 0.26
"""Of a knee. Networks take bent ones for straighter than they are."""
_NEAR = 1.1
"""Twice what networks are off in the size of whole people; another surface is further off."""
_LEGS = 0.5
"""Their share of the height."""
_KNEES = [SMPL24_NAMES.index(f"{side}_knee") for side in ("left", "right")]


def guess_scale(
    cameras: Cameras,
    tracks: list[Track],
    samples: list[SceneSamples],
    skeletons: list[Skeleton],
    placed: list[Float[np.ndarray, "T 3"]],
    near: float | None = None,
) -> float:
    """Metres per SfM unit: people's distance by their size against the reconstruction's.

    Which of several surfaces people stand on is a question of some ten percent or more: depth at
    keypoints has as much say in it as the ground under feet. What the scale is near that is one of
    a few percent. There depth at all keypoints of a frame has as much say as the ground under both
    feet; a few of them, such as a toe whose mask reaches over its rim, have as much less. Frames
    have a say by how sure the person's size is: who crouches has less, and who is seen less often.

    Args:
        placed: pelvis positions in the cameras, metres.
        near: which surface is known already: the scale is within ten percent of this.
    """
    metric, reconstructed, trusts, sures = [], [], [], []
    below_m, below_units = [], []
    for track, around, skeleton, t_camera in zip(tracks, samples, skeletons, placed, strict=True):
        keypoints, soles = posed_points(track.rotmats, t_camera, skeleton)
        sure_size = _sureness_of_size(track.rotmats)
        metric.append((keypoints[..., 2] - skeleton.depths[:KEYPOINTS]).ravel())
        reconstructed.append(around.depths.ravel())
        seen = around.trust * pixel_weights(track)
        trusts.append((seen * sure_size.max(axis=1, keepdims=True)).ravel())
        # A sole in contact is as far below the camera as the ground around it.
        normals = around.ground_normals
        feet = soles.reshape(-1, 2, 2, 3).mean(axis=2)
        height = -np.einsum("tfkc,tfkc->tfk", around.ground_points, normals)
        steep = height / np.maximum(np.linalg.norm(around.ground_points, axis=-1), 1e-9)
        standing = (track.contacts & track.valid[:, None]) * sure_size
        touching = around.ground_weights * standing[..., None]
        below_m.append(-np.einsum("tfc,tfkc->tfk", feet, normals).ravel())
        below_units.append(height.ravel())
        sures.append((touching * np.clip(steep, 0.0, 1.0)).ravel())
    trust, sure = np.concatenate(trusts), np.concatenate(sures)
    lengths_m = np.concatenate(metric + below_m)
    lengths = np.concatenate(reconstructed + below_units)
    if near is None:
        alike = [trust / max(trust.sum(), 1e-9), sure / max(sure.sum(), 1e-9)]
        near = first_scale(lengths_m, lengths, np.concatenate(alike))
    if near is None:
        return _scale_by_steadiness(cameras, tracks, placed)
    is_near = (lengths_m > lengths * near / _NEAR) & (lengths_m < lengths * near * _NEAR)
    by_sureness = np.concatenate([trust / KEYPOINTS, sure / 2])
    scale = first_scale(lengths_m, lengths, np.where(is_near, by_sureness, 0.0))
    return near if scale is None else scale


def scale_by_size(
    cameras: Cameras,
    tracks: list[Track],
    samples: list[SceneSamples],
    skeletons: list[Skeleton],
    placed: list[Float[np.ndarray, "T 3"]],
    tolerance: float,
    near: float,
) -> float:
    """Metres per SfM unit by people's sizes alone, without keypoints that prove wrong.

    Args:
        near: the scale that was solved for; the one by size is within ten percent of it.
        tracks: with rotations that were solved for.
        placed: pelvis positions in the cameras that were solved for, metres.
        tolerance: share of the square root of the box area by which a keypoint may be off.
    """
    right, anew = [], []
    for track, skeleton, t_camera in zip(tracks, skeletons, placed, strict=True):
        keypoints, _ = posed_points(track.rotmats, t_camera, skeleton)
        image = np.einsum("tab,tkb->tka", cameras.intrinsics, keypoints)
        off_px = np.linalg.norm(image[..., :2] / image[..., 2:] - track.pixels, axis=-1)
        fits = off_px < tolerance * track.sizes_px[:, None]
        right.append(replace(track, scores=track.scores * fits))
        rays = viewing_rays(cameras, track.pixels)
        offsets = keypoints - t_camera[:, None]
        anew.append(place_before_camera(offsets, rays, pixel_weights(right[-1])))
    return guess_scale(cameras, right, samples, skeletons, anew, near)


def _sureness_of_size(rotmats: Float[np.ndarray, "T 24 3 3"]) -> Float[np.ndarray, "T 2"]:
    """How much a person's size in a picture says, by the leg that is stood on: 1 if it is straight.

    It is the inverse of the size's variance. A leg is as long as the cosine of half its bend, so a
    wrong bend changes nothing of a straight leg and the more of others the more they are bent.
    """
    cosine = np.clip((np.trace(rotmats[:, _KNEES], axis1=-2, axis2=-1) - 1) / 2, -1.0, 1.0)
    tangent = np.sqrt((1 - cosine) / (1 + cosine + 1e-9))  # of half the bend
    by_bend = _LEGS / 2 * tangent * _BEND_ERROR_RAD
    return 1 / (1 + (by_bend / _SIZE_ERROR) ** 2)


def _scale_by_steadiness(
    cameras: Cameras, tracks: list[Track], placed: list[Float[np.ndarray, "T 3"]]
) -> float:
    """The scale at which people move least; 1 if the camera stands still.

    Least is the integral of the squared speed over time, a sum of squared steps over their time.
    """
    dot = square = 0.0
    camera_step = np.diff(cameras.centres, axis=0)
    for track, t_camera in zip(tracks, placed, strict=True):
        share = (track.valid[1:] & track.valid[:-1])[:, None] / np.diff(cameras.times_s)[:, None]
        step = np.diff(np.einsum("tab,tb->ta", cameras.R_world_camera, t_camera), axis=0)
        dot -= float((share * step * camera_step).sum())
        square += float((share * camera_step**2).sum())
    return dot / square if square > 0 and dot > 0 else 1.0
