"""What a person sees: points splatted into a camera at their head."""

from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from stages.artifacts.images import write_image
from stages.artifacts.people_and_world import PersonMotion
from stages.body.joint_names import smpl45_row
from stages.body.model import BodyModel
from stages.body.skin import forward_kinematics

SIZE_PX = 256
FOV_DEG = 60.0
SPLAT_PX = 5
NEAR_M, FAR_M = 0.1, 4.0
"""As in the original."""
DOWN_DEG = 30.0
"""How far the view looks down, as in the original."""

EgoView = tuple[UInt8[np.ndarray, "S S 3"], UInt8[np.ndarray, "S S 3"]]


def T_world_head_camera(
    body: BodyModel, motion: PersonMotion, row: int
) -> Float[np.ndarray, "4 4"]:
    """A camera (x right, y down, z forward) at the head, turned down by `DOWN_DEG`."""
    rotmats = np.concatenate([motion.R_world_root[row][None], motion.body_pose[row]])
    rest = body.rest_joints(motion.betas[row])
    R, p = forward_kinematics(rotmats, rest, motion.root_transl[row])
    head = smpl45_row("head")
    c, s = np.cos(np.radians(DOWN_DEG)), np.sin(np.radians(DOWN_DEG))
    down = np.array([[1, 0, 0], [0, c, s], [0, -s, c]])
    T = np.eye(4)
    T[:3, :3] = R[head] @ np.diag([-1.0, -1.0, 1.0]) @ down
    T[:3, 3] = p[head]
    return T


def ego_view(
    T_world_camera: Float[np.ndarray, "4 4"],
    points: Float[np.ndarray, "N 3"],
    colours: UInt8[np.ndarray, "N 3"],
) -> EgoView:
    """Colour, and depth in the colours of TURBO from `NEAR_M` to `FAR_M`; black: nothing there."""
    R, p = T_world_camera[:3, :3], T_world_camera[:3, 3]
    local = (points - p) @ R
    focal = SIZE_PX / 2 / np.tan(np.radians(FOV_DEG / 2))
    ahead = local[:, 2] > NEAR_M
    local, colours = local[ahead], colours[ahead]
    pixel = np.rint(local[:, :2] / local[:, 2:] * focal + SIZE_PX / 2).astype(int)
    nearest_last = np.argsort(-local[:, 2])
    pixel, z, colours = pixel[nearest_last], local[nearest_last, 2], colours[nearest_last]
    reach = SPLAT_PX // 2
    padded = SIZE_PX + 2 * reach
    inside = ((pixel >= -reach) & (pixel < SIZE_PX + reach)).all(axis=1)
    pixel, z, colours = pixel[inside] + reach, z[inside], colours[inside]
    depth = np.full((padded, padded), np.inf, np.float32)
    rgb = np.zeros((padded, padded, 3), np.uint8)
    for dx in range(-reach, reach + 1):
        for dy in range(-reach, reach + 1):
            x = np.clip(pixel[:, 0] + dx, 0, padded - 1)
            y = np.clip(pixel[:, 1] + dy, 0, padded - 1)
            # Of the points on one pixel the last, which is the nearest, stays.
            own_depth = np.full_like(depth, np.inf)
            own_rgb = np.zeros_like(rgb)
            own_depth[y, x], own_rgb[y, x] = z, colours
            nearer = own_depth < depth
            depth[nearer], rgb[nearer] = own_depth[nearer], own_rgb[nearer]
    inner = slice(reach, reach + SIZE_PX)
    depth, rgb = depth[inner, inner], rgb[inner, inner]
    seen = np.isfinite(depth)
    grey = (np.clip((np.where(seen, depth, 0) - NEAR_M) / (FAR_M - NEAR_M), 0, 1) * 255).astype(
        np.uint8
    )
    turbo = cv2.applyColorMap(grey, cv2.COLORMAP_TURBO)[..., ::-1]
    return rgb, np.where(seen[..., None], turbo, 0).astype(np.uint8)


def save(folder: Path, index: int, view: EgoView) -> None:
    """Writes both pictures under the original's names."""
    folder.mkdir(parents=True, exist_ok=True)
    write_image(folder / f"rgbimg_{index}.png", view[0])
    write_image(folder / f"depthimg_color_{index}.png", view[1])
