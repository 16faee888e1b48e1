"""Time until the viewer shows another result: on the demo, and on a long clip made here.

python -m bench.viewer [DATA ...]: for each, the median over switches between its results (or of
opening the only one again), of what is shown at once, and of everything, the place included.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import trimesh
import viser

from stages.artifacts import meshes
from stages.artifacts.calibrated_keypoints import FILE as KEYPOINTS_FILE
from stages.artifacts.calibrated_keypoints import (
    CalibratedKeypoints,
    PersonJoints,
    write_calibrated_keypoints,
)
from stages.artifacts.layout import CALIBRATED, WorldName, world_folder
from stages.artifacts.people_and_world import (
    MEGAHUNTER_FILE,
    PersonMotion,
    write_people_and_world,
)
from stages.artifacts.robot_motion import SINGLE_FILE, RobotMotion, write_robot_motion
from stages.artifacts.world import WorldFrame, opened_world, write_world
from stages.body.joint_names import SMPL45_NAMES
from stages.body.model import DEMO_BODY, load_body
from stages.geometry.rotations import wxyz_from_matrix
from stages.robot.model import load_g1
from stages.robot.rest import link_poses_at_rest
from stages.viewer.player import Player
from stages.viewer.results import find_results
from stages.viewer.settings import Settings

FPS = 30.0


def write_clip(data: Path, video: str, frames: int, height: int, width: int) -> Path:
    """A person who slides over noisy ground before a level camera; returns the folder."""
    name = WorldName("sfm", video, 0, frames, 1)
    folder = data / CALIBRATED / name.megahunter_stem
    folder.mkdir(parents=True)
    world = data / world_folder("sfm") / f"{name.stem}.h5"
    world.parent.mkdir(exist_ok=True)
    random = np.random.default_rng(0)
    focal = 0.8 * width
    intrinsic = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])
    T = np.eye(4)
    T[:3, :3] = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])
    T[2, 3] = 1.2
    rows = np.arange(height)[:, None] - height / 2
    depth = np.minimum(1.2 * focal / np.maximum(rows, 1e-3), 6.0) + np.zeros((height, width))
    dynamic = np.zeros((height, width), bool)
    dynamic[height // 4 : -height // 8, width // 2 - width // 16 : width // 2 + width // 16] = True
    depth[dynamic] = 3.0

    def frame(index: int) -> WorldFrame:
        return WorldFrame(
            name=f"{index + 1:05d}",
            rgb=random.integers(0, 255, (height, width, 3), np.uint8),
            intrinsic=intrinsic,
            T_world_camera=T,
            depth=(depth + 0.002 * random.standard_normal(depth.shape)).astype(np.float32),
            confidence=random.random(depth.shape).astype(np.float32),
            dynamic=dynamic,
            affine_original_from_reconstruction=np.eye(3)[:2],
            time_s=index / FPS,
        )

    write_world(world, map(frame, range(frames)))
    root = np.stack([np.linspace(-1, 1, frames), np.full(frames, 3.0), np.full(frames, 0.95)], 1)
    upright = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    person = PersonMotion(
        [f"{index + 1:05d}" for index in range(frames)],
        np.tile(np.eye(3), (frames, 23, 1, 1)),
        np.tile(upright, (frames, 1, 1)),
        root,
        np.zeros((frames, 10)),
    )
    with opened_world(world) as (group, _):
        write_people_and_world(
            folder / MEGAHUNTER_FILE,
            group,
            {1: person},
            lambda points: points,
            lambda camera: camera,
            frames_as_dataset=True,
        )
    _write_joints_and_robot(folder, root, upright)
    floor = trimesh.creation.box((8, 8, 0.02))
    meshes.write_mesh(folder / meshes.MESH_FILE, floor.vertices, floor.faces)
    return folder


def _write_joints_and_robot(folder: Path, root: np.ndarray, upright: np.ndarray) -> None:
    """Both in their poses at rest, gliding along."""
    frames, body, robot = len(root), load_body(DEMO_BODY), load_g1()
    rest = body.rest_joints(np.zeros(10))
    points = np.concatenate([rest, body.v_template[body.extra_vertices]]) - rest[0]
    joints = (points @ upright.T + root[:, None]).astype(np.float32)
    R = np.tile(upright, (frames, 1, 1)).astype(np.float32)
    write_calibrated_keypoints(
        folder / KEYPOINTS_FILE,
        CalibratedKeypoints({1: PersonJoints(joints, R)}, np.eye(3), list(SMPL45_NAMES), {}),
    )
    R_link, p_link = link_poses_at_rest(robot)
    quat = wxyz_from_matrix(R_link)[:, [1, 2, 3, 0]]
    feet = np.ones(frames, bool)
    motion = RobotMotion(
        fps=FPS,
        joint_names=list(robot.joint_names),
        link_names=list(robot.link_names),
        joints=np.zeros((frames, len(robot.joint_names))),
        root_pos=root,
        root_quat_xyzw=np.tile([0.0, 0, 0, 1], (frames, 1)),
        link_pos=p_link + root[:, None],
        link_quat_xyzw=np.tile(quat, (frames, 1, 1)),
        left_foot=feet,
        right_foot=feet,
        frame_numbers=np.arange(1, frames + 1, dtype=np.int32),
        times_s=np.arange(frames) / FPS,
        seen=feet,
        present=feet,
    )
    write_robot_motion(folder / SINGLE_FILE, motion, person=1)


def switch_times_s(data: Path, switches: int = 9) -> tuple[float, float]:
    """Medians of the time until people, robot and camera are sent, and until all is."""
    results = find_results(data / CALIBRATED)
    server = viser.ViserServer(host="127.0.0.1", port=0, verbose=False)
    player = Player(server, load_body(DEMO_BODY), load_g1(), Settings(), print)
    shown, everything = [], []
    try:
        for index in range(switches + 1):
            begun = time.perf_counter()
            player.open(results[index % len(results)])
            shown.append(time.perf_counter() - begun)
            player.loaded.wait()
            everything.append(time.perf_counter() - begun)
    finally:
        player.close()
        server.stop()
    return statistics.median(shown[1:]), statistics.median(everything[1:])


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_clip(Path(folder), "long", 300, 288, 512)
        for data in (*map(Path, sys.argv[1:] or ["data/demo"]), Path(folder)):
            label = "300 frames of 512x288" if str(data) == folder else str(data)
            if not find_results(data / CALIBRATED):
                print(f"{label}: no results; run make dataset first")
                continue
            shown, everything = switch_times_s(data)
            print(f"{label}: shown after {shown:.2f} s, all after {everything:.2f} s", flush=True)


if __name__ == "__main__":
    main()
