"""What BlazePose says of one person over time, at the points that are fitted."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from stages.blazepose.sightings import Sighting
from stages.geometry.pinhole import FOCAL_OVER_LONG_SIDE
from stages.stage0_blazepose.correspondence import fitted, row


class Observations(NamedTuple):
    """One person in T frames; P points.

    rays: lines of sight, x and y at z = 1. visibility: that a point is to be seen, 0 to 1.
    R_camera_ray: its third axis is the line of sight through the middle of the crop.
    landmarks_m: places by the network's own metres, from the middle of the hips, in those axes.
    """

    times_s: Float[np.ndarray, " T"]
    rays: Float[np.ndarray, "T P 2"]
    visibility: Float[np.ndarray, "T P"]
    R_camera_ray: Float[np.ndarray, "T 3 3"]
    landmarks_m: Float[np.ndarray, "T P 3"]


def focal_px(size: tuple[int, int]) -> float:
    """Assumed focal length of pictures of this height and width."""
    return FOCAL_OVER_LONG_SIDE * max(size)


def viewing_rays(
    pixels: Float[np.ndarray, "*B 2"], size: tuple[int, int]
) -> Float[np.ndarray, "*B 2"]:
    """x and y at z = 1 of lines of sight, in pictures of this height and width."""
    return (pixels - _middle(size)) / focal_px(size)


def pixels_of(rays: Float[np.ndarray, "*B 2"], size: tuple[int, int]) -> Float[np.ndarray, "*B 2"]:
    """Where lines of sight meet the picture."""
    return rays * focal_px(size) + _middle(size)


def _middle(size: tuple[int, int]) -> Float[np.ndarray, " 2"]:
    return (np.array(size[::-1]) - 1) / 2


def observations_of(
    sightings: list[Sighting], times_s: Float[np.ndarray, " T"], size: tuple[int, int]
) -> Observations:
    """Gathers one person's sightings, whose times rise, in pictures of a height and width."""
    points_px = fitted(np.array([seen.points_px[:, :2] for seen in sightings]))
    centres_px = np.array([seen.crop.centre_px for seen in sightings])
    landmarks = fitted(np.array([seen.world_m for seen in sightings]))
    hips = landmarks[:, [row("left_hip"), row("right_hip")]].mean(axis=1, keepdims=True)
    return Observations(
        times_s,
        viewing_rays(points_px, size),
        fitted(np.array([seen.visibility for seen in sightings])),
        _towards(viewing_rays(centres_px, size)),
        landmarks - hips,
    )


def _towards(rays: Float[np.ndarray, "T 2"]) -> Float[np.ndarray, "T 3 3"]:
    """Axes whose third is along a ray, and whose second has nothing of the camera's x."""
    z = np.column_stack([rays, np.ones(len(rays))])
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    y = np.cross(z, [1.0, 0.0, 0.0])
    y /= np.linalg.norm(y, axis=1, keepdims=True)
    return np.stack([np.cross(y, z), y, z], axis=-1)
