"""Whether one centred pinhole explains the pictures that a map was made of, or what does better.

The map is adjusted anew with one thing more left free: the focal length of every picture, one
radial term, or the principal point. On a map of a pinhole's pictures that changes next to nothing.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import pycolmap
from jaxtyping import Float

from stages.stage1_sfm.lens import Lens

LEAST_GAIN = 0.04
"""By so much the robust cost must fall: by 0.003 on the pictures of a pinhole, by 0.2 to 0.4 on
those of a lens with k1 = -0.12, of a zoom of 1.3, or with 30 % of a side cut off."""
LEFT_GAIN = 0.01
"""As long as it falls by this, what was found is made better."""
MOST_POINTS = 1000
"""Of the map, for the question alone."""
ROUNDS_TO_TELL, ROUNDS_TO_SOLVE = 15, 150
ZOOM, RADIAL, SHIFT = "the focal length changes", "the lens bends lines", "the picture is cut off"
KINDS = (ZOOM, RADIAL, SHIFT)


@dataclass(frozen=True)
class Misfit:
    """What explains the pictures better than one pinhole, and by which share the cost falls."""

    kind: str
    gain: float
    lens: Lens


def misfit(
    model: Any, frame_of: dict[str, int], frames: int, known: Collection[str] = ()
) -> Misfit | None:
    """What explains a map's pictures better than the pinhole that it was made with; None: nothing.

    Args:
        model: a map of one camera.
        frame_of: frames of the video by name of the picture.
        frames: of the video.
        known: kinds that are found already, of which a little may be left.
    """
    gains = {kind: _adjusted(model, kind, MOST_POINTS, ROUNDS_TO_TELL)[1] for kind in KINDS}
    (used,) = model.cameras.values()
    for kind in sorted(KINDS, key=lambda each: -gains[each]):
        if gains[kind] < (LEFT_GAIN if kind in known else LEAST_GAIN):
            continue
        found, gain = _adjusted(model, kind, model.num_points3D(), ROUNDS_TO_SOLVE)
        lens = _lens(found, frame_of, frames)
        if kind in known or (gain >= LEAST_GAIN and lens.matters(used.height, used.width)):
            return Misfit(kind, gain, lens)
    return None


def _adjusted(model: Any, kind: str, points: int, rounds: int) -> tuple[Any, float]:
    """The map with one thing more left free, and the share by which its cost fell."""
    trial = _copied(model, kind, points)
    options = pycolmap.BundleAdjustmentOptions()
    options.print_summary = False
    options.refine_principal_point = kind == SHIFT
    options.ceres.loss_function_type = pycolmap.LossFunctionType.CAUCHY
    options.ceres.loss_function_scale = 0.5
    options.ceres.solver_options.max_num_iterations = rounds
    options.ceres.solver_options.function_tolerance = 1e-5
    config = pycolmap.BundleAdjustmentConfig()
    for image in trial.reg_image_ids():
        config.add_image(image)
    config.fix_gauge(pycolmap.BundleAdjustmentGauge.THREE_POINTS)
    adjuster = pycolmap.create_default_bundle_adjuster(options, config, trial)
    costs: Any = adjuster.solve()
    costs = costs.ceres_summary
    return trial, 1 - costs.final_cost / max(costs.initial_cost, 1e-9)


def _copied(model: Any, kind: str, points: int) -> Any:
    """The map with the cameras of a kind; of its points those that most pictures see."""
    (used,) = model.cameras.values()
    width, height = used.width, used.height
    name = "SIMPLE_RADIAL" if kind == RADIAL else "SIMPLE_PINHOLE"
    params = [used.focal_length, width / 2, height / 2, *([0.0] if kind == RADIAL else [])]
    copied = pycolmap.Reconstruction()
    for image in model.images.values():
        if not image.has_pose:
            continue
        camera = image.image_id if kind == ZOOM else 1
        if not copied.exists_camera(camera):
            copied.add_camera_with_trivial_rig(
                pycolmap.Camera(
                    camera_id=camera, model=name, width=width, height=height, params=params
                )
            )
        keypoints = np.array([point.xy for point in image.points2D]).reshape(-1, 2)
        same = pycolmap.Image(
            name=image.name, keypoints=keypoints, camera_id=camera, image_id=image.image_id
        )
        copied.add_image_with_trivial_frame(same, image.cam_from_world())
    longest = sorted(model.points3D.values(), key=lambda point: -point.track.length())
    for point in longest[:points]:
        copied.add_point3D(point.xyz, point.track, point.color)
    return copied


def _lens(model: Any, frame_of: dict[str, int], frames: int) -> Lens:
    """What a map's cameras are beyond one centred pinhole."""
    seen = sorted(
        ((frame_of[image.name], image.camera) for image in model.images.values()),
        key=lambda each: each[0],
    )
    focals = np.array([camera.focal_length for _, camera in seen])
    camera = seen[0][1]
    zooms = np.exp(np.interp(np.arange(frames), [f for f, _ in seen], np.log(focals)))
    kappa = camera.params[3] / focals[0] ** 2 if len(camera.params) > 3 else 0.0
    shift = camera.params[1] - camera.width / 2, camera.params[2] - camera.height / 2
    return Lens(zooms / zooms.min(), float(kappa), (float(shift[0]), float(shift[1])))


def keypoints_straightened(
    keypoints: Float[np.ndarray, "N C"], lens: Lens, frame: int, size: tuple[int, int]
) -> Float[np.ndarray, "N C"]:
    """Keypoints of a frame (pixel centres at .5) where the pinhole would have them.

    Args:
        size: height and width of the frame.
    """
    centre = np.array([size[1], size[0]]) / 2
    moved = np.array(keypoints, np.float64)
    moved[:, :2] = lens.straightened(moved[:, :2] - centre, frame) + centre
    return moved
