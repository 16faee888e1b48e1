"""Incremental mapping (pycolmap) of key images with little parallax, and the sparse scene of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pycolmap
from jaxtyping import Float, Int

from stages.stage1_sfm.features import SEED, CameraPrior
from stages.stage1_sfm.parallax import PairParallax

MIN_TRIANGULATION_ANGLE_DEG = 0.3
"""Far below the usual 1.5: people are filmed from 3 to 6 m by a hand that hardly moves."""
FIRST_PAIRS = 3
"""So many pairs are tried as the first one."""
PLAUSIBLE_FOCAL_SHARES = (0.4, 2.5)
ENOUGH_REGISTERED = 0.9


@dataclass(frozen=True)
class SparseScene:
    """Registered key images and the points that they see."""

    focal_px: float
    Ts_camera_world: dict[str, Float[np.ndarray, "4 4"]]
    """By image name."""
    points: Float[np.ndarray, "N 3"]
    tracks: dict[str, tuple[Int[np.ndarray, " n"], Float[np.ndarray, "n 2"]]]
    """By image name: indices of points and where they were found, pixel centres at integers."""
    reprojection_px: float
    """Mean distance between points and features."""
    model: Any
    """The map as pycolmap has it."""


def _mapper_options(camera: CameraPrior, pair: PairParallax, threads: int):
    options = pycolmap.IncrementalPipelineOptions()
    options.num_threads = threads
    options.random_seed = SEED
    options.mapper.random_seed = SEED
    options.triangulation.random_seed = SEED
    options.multiple_models = False
    options.extract_colors = False
    options.init_image_id1, options.init_image_id2 = pair.first, pair.second
    options.init_num_trials = 1
    # The pair was chosen by its parallax. Most points may still be far away, and whoever films
    # may walk straight ahead.
    options.mapper.init_min_tri_angle = 0.01
    options.mapper.init_max_forward_motion = 1.0
    options.mapper.init_min_num_inliers = 50
    options.mapper.init_max_error = camera.max_error_px
    options.mapper.filter_max_reproj_error = camera.max_error_px
    options.mapper.filter_min_tri_angle = MIN_TRIANGULATION_ANGLE_DEG
    options.mapper.ba_local_min_tri_angle = 1.0
    options.triangulation.min_angle = MIN_TRIANGULATION_ANGLE_DEG
    low, high = PLAUSIBLE_FOCAL_SHARES
    options.min_focal_length_ratio, options.max_focal_length_ratio = low, high
    # Fewer rounds while growing; the last adjustment runs until it stands still.
    options.ba_global_frames_ratio = options.ba_global_points_ratio = 1.5
    options.ba_global_max_num_iterations = 15
    options.ba_global_max_refinements = 1
    options.ba_local_max_num_iterations = 10
    options.ba_local_max_refinements = 1
    return options


def _adjust(reconstruction, max_error_px: float) -> None:
    """Adjusts everything together, robustly, and drops the points that do not fit."""
    options = pycolmap.BundleAdjustmentOptions()
    options.print_summary = False
    options.refine_principal_point = False
    options.ceres.loss_function_type = pycolmap.LossFunctionType.CAUCHY
    options.ceres.loss_function_scale = 0.5
    options.ceres.solver_options.max_num_iterations = 100
    options.ceres.solver_options.function_tolerance = 1e-6
    config = pycolmap.BundleAdjustmentConfig()
    for image in reconstruction.reg_image_ids():
        config.add_image(image)
    # Two neighbouring cameras are too close to fix the scale by.
    config.fix_gauge(pycolmap.BundleAdjustmentGauge.THREE_POINTS)
    manager = pycolmap.ObservationManager(reconstruction)
    for _ in range(2):
        # Not pycolmap.bundle_adjustment, which writes to the terminal whatever the log level.
        pycolmap.create_default_bundle_adjuster(options, config, reconstruction).solve()
        manager.filter_all_points3D(max_error_px, MIN_TRIANGULATION_ANGLE_DEG)


def build_map(
    database: Path,
    image_folder: Path,
    workspace: Path,
    pairs: Sequence[PairParallax],
    images: int,
    camera: CameraPrior,
    threads: int,
) -> SparseScene | None:
    """Maps as many key images as it can, or returns None.

    Args:
        database: features and matches.
        workspace: an empty folder for intermediate models.
        pairs: candidates for the first pair, best first.
        images: number of key images; with nearly all registered no further pair is tried.
    """
    best = None
    for number, pair in enumerate(pairs[:FIRST_PAIRS]):
        output = workspace / f"map{number}"
        output.mkdir(exist_ok=True)
        options = _mapper_options(camera, pair, threads)
        models = pycolmap.incremental_mapping(database, image_folder, output, options)
        for model in models.values():
            if best is None or model.num_reg_images() > best.num_reg_images():
                best = model
        if best is not None and best.num_reg_images() >= ENOUGH_REGISTERED * images:
            break
    if best is None or best.num_points3D() == 0:
        return None
    _adjust(best, camera.max_error_px)
    return _sparse_scene(best)


def _sparse_scene(reconstruction) -> SparseScene:
    ids = sorted(reconstruction.points3D)
    index_of = {point: index for index, point in enumerate(ids)}
    poses, tracks = {}, {}
    for image in reconstruction.images.values():
        if not image.has_pose:
            continue
        T = np.eye(4)
        T[:3] = image.cam_from_world().matrix()
        poses[image.name] = T
        seen = [point for point in image.points2D if point.has_point3D()]
        tracks[image.name] = (
            np.array([index_of[point.point3D_id] for point in seen], np.int64),
            # pycolmap puts the centre of the first pixel at 0.5.
            np.array([point.xy for point in seen]).reshape(-1, 2) - 0.5,
        )
    (used,) = reconstruction.cameras.values()
    return SparseScene(
        focal_px=float(used.focal_length),
        Ts_camera_world=poses,
        points=np.array([reconstruction.points3D[point].xyz for point in ids]).reshape(-1, 3),
        tracks=tracks,
        reprojection_px=float(reconstruction.compute_mean_reprojection_error()),
        model=reconstruction,
    )
