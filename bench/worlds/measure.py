"""How far a tracked camera is from the truth."""

from dataclasses import dataclass

import numpy as np
import torch

from bench.worlds.places import Place, path_length
from bench.worlds.true_flow import Disturbance, TrueFlow, single_pictures
from stages.geometry import se3
from stages.geometry.alignment import align
from stages.stage1_megasam.projection import Scene
from stages.stage1_megasam.tracking.whole_video import Track, track


@dataclass(frozen=True)
class Errors:
    """Of one scene. A camera on the spot has no path, and a path has no drift."""

    path_percent: float
    """Root mean square distance of the centres after a similarity, over the path's length."""
    drift_cm: float
    """The largest distance from the first centre, at the scale of single pictures."""
    rotation_deg: float
    """The largest, from the first camera on."""
    focal_percent: float


def tracked(place: Place, disturbance: Disturbance, cell_px: int) -> Track:
    """By true flow, disturbed, from a wrong focal length."""
    flow = TrueFlow(place, disturbance, cell_px)
    lens = place.truth.intrinsics * torch.tensor(
        [1 + disturbance.focal, 1 + disturbance.focal, 1, 1]
    )
    return track(flow, flow, single_pictures(place, disturbance), lens)


def errors(place: Place, ours: Scene) -> Errors:
    """Against the truth."""
    truth = place.truth
    away = se3.log(se3.multiply(ours.T_camera_world, se3.inverse(truth.T_camera_world)))
    rotation = float(torch.rad2deg(away[:, 3:].norm(dim=-1)).max())
    focal = 100 * abs(float(ours.intrinsics[0] / truth.intrinsics[0]) - 1)
    mine, true = (se3.inverse(each.T_camera_world)[:, :3].numpy() for each in (ours, truth))
    length = path_length(truth)
    if length < 0.05 * place.unit:
        drift = float(np.linalg.norm(mine - mine[0], axis=1).max())
        return Errors(np.nan, 100 * drift / place.unit, rotation, focal)
    scale, R, t = align(mine, true)
    off = np.linalg.norm(scale * mine @ R.T + t - true, axis=1)
    return Errors(100 * float(np.sqrt((off**2).mean())) / length, np.nan, rotation, focal)
