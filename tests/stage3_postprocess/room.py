"""A room with a floor, a wall and a box, seen by a moving camera, with a person standing in it."""

from pathlib import Path

import numpy as np
import trimesh

from stages.artifacts.people_and_world import PersonMotion, write_people_and_world
from stages.artifacts.world import WorldFrame, opened_world, write_world
from stages.geometry.rays import RayCaster
from stages.geometry.rotations import matrix_from_rotvec

HEIGHT, WIDTH, FRAMES = 144, 256, 24
FLOOR_BELOW_ORIGIN_M = 1.4
BOX_TOP_M = 0.4
STEM = "sfm_reconstruction_results_room_cam01_frame_0_-1_subsample_1"


def true_mesh() -> trimesh.Trimesh:
    """The room in the levelled world of its first camera, z up, floor at -1.4 m."""
    floor = trimesh.creation.box(
        (8, 8, 0.1),
        trimesh.transformations.translation_matrix((0, 3, -FLOOR_BELOW_ORIGIN_M - 0.05)),
    )
    wall = trimesh.creation.box(
        (8, 0.1, 3), trimesh.transformations.translation_matrix((0, 6, -FLOOR_BELOW_ORIGIN_M + 1.5))
    )
    box = trimesh.creation.box(
        (0.8, 0.8, BOX_TOP_M),
        trimesh.transformations.translation_matrix(
            (0.8, 3.5, -FLOOR_BELOW_ORIGIN_M + BOX_TOP_M / 2)
        ),
    )
    return trimesh.util.concatenate([floor, wall, box])


def write_room(folder: Path, R_stage2_zup: np.ndarray, noise_m: float = 0.005) -> Path:
    """A stage-2 file of the room in a world turned by `R_stage2_zup`; returns its path."""
    rng = np.random.default_rng(0)
    mesh = true_mesh()
    surfaces = RayCaster(np.asarray(mesh.vertices), np.asarray(mesh.faces))
    K = np.array([[200.0, 0, WIDTH / 2], [0, 200.0, HEIGHT / 2], [0, 0, 1]])
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    rays = np.stack([(x - K[0, 2]) / K[0, 0], (y - K[1, 2]) / K[1, 1], np.ones_like(x)], -1)
    level = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
    frames = []
    for index in range(FRAMES):
        pitch = matrix_from_rotvec(np.array([-0.25, 0, 0]))
        R_zup_camera = level @ pitch
        centre = np.array([1.5 * index / FRAMES - 0.75, 0.0, 0.0])
        directions = rays @ R_zup_camera.T
        origins = np.broadcast_to(centre, directions.shape).reshape(-1, 3)
        hits = surfaces.first_hits(origins, directions.reshape(-1, 3)).distance
        hits = hits.reshape(HEIGHT, WIDTH)
        seen = np.isfinite(hits)
        depth = np.where(seen, hits + rng.normal(0, noise_m, hits.shape), 0)
        dynamic = np.zeros((HEIGHT, WIDTH), bool)
        dynamic[30:110, 110:140] = True
        T = np.eye(4)
        T[:3, :3], T[:3, 3] = R_stage2_zup @ R_zup_camera, R_stage2_zup @ centre
        frames.append(
            WorldFrame(
                f"{index + 1:05d}",
                rng.integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8),
                K.astype(np.float32),
                T.astype(np.float32),
                depth.astype(np.float32),
                (seen & ~dynamic).astype(np.float32),
                dynamic,
                np.array([[1.0, 0, 0], [0, 1, 0]]),
            )
        )
    world_path = folder / "input_sfm" / f"{STEM}.h5"
    write_world(world_path, frames)
    upright = np.stack([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])  # SMPL's y up to z up.
    motion = PersonMotion(
        [f"{index + 1:05d}" for index in range(FRAMES)],
        np.tile(np.eye(3, dtype=np.float32), (FRAMES, 23, 1, 1)),
        np.tile((R_stage2_zup @ upright).astype(np.float32), (FRAMES, 1, 1)),
        np.tile(
            (R_stage2_zup @ [0.0, 3.5, -FLOOR_BELOW_ORIGIN_M + 0.95]).astype(np.float32),
            (FRAMES, 1),
        ),
        np.zeros((FRAMES, 10), np.float32),
    )
    path = folder / "output_smpl_and_points" / f"megahunter_{STEM}.h5"
    with opened_world(world_path) as (world, _):
        write_people_and_world(path, world, {1: motion}, lambda p: p, lambda T: T, scale=1.0)
    return path
