"""Poses of the frames between key images: sparse points are followed there, then resected."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
import pycolmap
from jaxtyping import Bool, Float, UInt8
from scipy.spatial.transform import Rotation, Slerp

from stages.stage1_sfm.features import SEED

Image = UInt8[np.ndarray, "H W"]
WINDOW_PX = 21
LEVELS = 2
MIN_POINTS, MAX_POINTS = 20, 300
MAX_THERE_AND_BACK_PX = 0.7


@dataclass(frozen=True)
class KeyView:
    """A registered key image: its pose and the points found in it."""

    frame: int
    T_camera_world: Float[np.ndarray, "4 4"]
    points: Float[np.ndarray, "n 3"]
    found_px: Float[np.ndarray, "n 2"]


def interpolated_pose(
    first: Float[np.ndarray, "4 4"], second: Float[np.ndarray, "4 4"], share: float
) -> Float[np.ndarray, "4 4"]:
    """Camera-from-world pose between two: centre on the line, rotation by slerp."""
    rotations = Rotation.from_matrix(np.stack([first[:3, :3], second[:3, :3]]))
    R = Slerp([0, 1], rotations)(share).as_matrix()
    centres = [-T[:3, :3].T @ T[:3, 3] for T in (first, second)]
    T = np.eye(4)
    T[:3, :3] = R
    T[:3, 3] = -R @ ((1 - share) * centres[0] + share * centres[1])
    return T


def projected(
    points: Float[np.ndarray, "n 3"],
    T_camera_world: Float[np.ndarray, "4 4"],
    intrinsic: Float[np.ndarray, "3 3"],
) -> tuple[Float[np.ndarray, "n 2"], Float[np.ndarray, " n"]]:
    """Pixels and z-depths of world points; pixels of points behind the camera mean nothing."""
    local = points @ T_camera_world[:3, :3].T + T_camera_world[:3, 3]
    pixels = local @ intrinsic.T
    return pixels[:, :2] / np.where(local[:, 2:] > 0, local[:, 2:], np.inf), local[:, 2]


_lucas_kanade = partial(
    cv2.calcOpticalFlowPyrLK,
    winSize=(WINDOW_PX, WINDOW_PX),
    maxLevel=LEVELS,
    flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
)


def follow(
    source: Image,
    target: Image,
    found_px: Float[np.ndarray, "n 2"],
    guess_px: Float[np.ndarray, "n 2"],
) -> tuple[Float[np.ndarray, "n 2"], Bool[np.ndarray, " n"]]:
    """Follows image points from one image into another (pyramidal Lucas-Kanade, there and back).

    Returns:
        Where they went, and which of them came back to where they started.
    """
    start = found_px.astype(np.float32)
    there, seen, _ = _lucas_kanade(source, target, start, guess_px.astype(np.float32))
    back, seen_back, _ = _lucas_kanade(target, source, there, start.copy())
    off = np.linalg.norm(back - start, axis=1)
    good = (seen[:, 0] > 0) & (seen_back[:, 0] > 0) & (off < MAX_THERE_AND_BACK_PX)
    return there.astype(np.float64), good


def resected(
    pixels: Float[np.ndarray, "n 2"],
    points: Float[np.ndarray, "n 3"],
    intrinsic: Float[np.ndarray, "3 3"],
    max_error_px: float,
) -> Float[np.ndarray, "4 4"] | None:
    """The camera-from-world pose that sees `points` at `pixels`, or None if too few agree."""
    if len(points) < MIN_POINTS:
        return None
    f, cx, cy = intrinsic[0, 0], intrinsic[0, 2], intrinsic[1, 2]
    camera = pycolmap.Camera(
        model="SIMPLE_PINHOLE", width=int(2 * cx + 1), height=int(2 * cy + 1), params=[f, cx, cy]
    )
    options = pycolmap.AbsolutePoseEstimationOptions()
    options.ransac.max_error = max_error_px
    options.ransac.random_seed = SEED
    refinement = pycolmap.AbsolutePoseRefinementOptions()
    refinement.loss_function_scale = 0.5
    result = pycolmap.estimate_and_refine_absolute_pose(pixels, points, camera, options, refinement)
    if result is None or result["num_inliers"] < max(MIN_POINTS, 0.3 * len(points)):
        return None
    T = np.eye(4)
    T[:3] = result["cam_from_world"].matrix()
    return T


def register_between(
    frame: int,
    neighbours: list[KeyView],
    intrinsic: Float[np.ndarray, "3 3"],
    grey: Callable[[int], Image],
    people: Callable[[int], Bool[np.ndarray, "H W"]],
    max_error_px: float,
) -> Float[np.ndarray, "4 4"] | None:
    """The camera-from-world pose of a frame from the key views around it, or None.

    Args:
        frame: the frame to register.
        neighbours: one key view, or the two on either side.
        intrinsic: of the images that `grey` gives.
        grey: an image by frame.
        people: where no point may lie, by frame.
    """
    guess = guessed_pose(frame, neighbours)
    target, forbidden = grey(frame), people(frame)
    height, width = target.shape
    all_pixels, all_points = [], []
    for view in neighbours:
        expected, depth = projected(view.points, guess, intrinsic)
        shift_px = np.abs(expected - view.found_px).max(1)
        ahead = np.flatnonzero((depth > 0) & (shift_px < max(height, width) / 4))
        if len(ahead) == 0:
            continue
        ahead = ahead[:: -(-len(ahead) // MAX_POINTS)]
        pixels, good = follow(grey(view.frame), target, view.found_px[ahead], expected[ahead])
        x, y = np.rint(pixels).astype(int).T
        good &= (x >= 0) & (x < width) & (y >= 0) & (y < height)
        good &= ~forbidden[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)]
        all_pixels.append(pixels[good])
        all_points.append(view.points[ahead][good])
    if not all_points:
        return None
    return resected(np.concatenate(all_pixels), np.concatenate(all_points), intrinsic, max_error_px)


def guessed_pose(frame: int, neighbours: list[KeyView]) -> Float[np.ndarray, "4 4"]:
    """The pose by time alone: between two neighbours, or that of the only one."""
    if len(neighbours) == 1:
        return neighbours[0].T_camera_world
    first, second = neighbours
    share = (frame - first.frame) / (second.frame - first.frame)
    return interpolated_pose(first.T_camera_world, second.T_camera_world, share)
