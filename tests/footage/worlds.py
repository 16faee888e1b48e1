"""Small worlds to render in tests."""

import numpy as np
import torch

from tools.footage.batches import CameraBatch, PeopleBatch
from tools.footage.camera_paths import look_at
from tools.footage.scenes import sample_appearance
from tools.footage.skinning import BodyTensors, pose_people


def camera_at(position_m, target_m, width=160, height=120, focal_px=150.0) -> CameraBatch:
    K = torch.tensor([[focal_px, 0, (width - 1) / 2], [0, focal_px, (height - 1) / 2], [0, 0, 1]])
    T = look_at(np.array(position_m, float), np.array(target_m, float))
    return CameraBatch(K[None], torch.as_tensor(T, dtype=torch.float32)[None])


def standing(body: BodyTensors, places_xy_m, arms_down_rad=1.1, present=None) -> PeopleBatch:
    """People who stand on the floor and look along +x, one image."""
    count = len(places_xy_m)
    rotmats = torch.eye(3).repeat(1, count, 24, 1, 1)
    rotmats[:, :, 0] = torch.tensor([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]])
    c, s = np.cos(arms_down_rad), np.sin(arms_down_rad)
    rotmats[:, :, 16] = torch.tensor([[c, s, 0], [-s, c, 0], [0, 0, 1]], dtype=torch.float32)
    rotmats[:, :, 17] = rotmats[:, :, 16].transpose(-1, -2)
    pelvis = float((body.J_regressor @ body.v_template)[0, 1] - body.v_template[:, 1].min())
    root = torch.tensor([[[x, y, pelvis] for x, y in places_xy_m]], dtype=torch.float32)
    looks = sample_appearance(1, count, torch.Generator().manual_seed(3))
    here = None if present is None else torch.tensor([present])
    return pose_people(body, torch.zeros(1, count, 10), rotmats, root, looks, here)
