"""A motion of everything that moves, on a step; and what trainers' own packages hold."""

import ast
from pathlib import Path

import numpy as np
import pytest
import trimesh
from scipy.spatial.transform import Rotation

from stages.artifacts.meshes import write_mesh
from stages.artifacts.robot_motion import RobotMotion
from stages.robot.model import load_g1
from stages.robot.rest import link_trajectories
from stages.weights.wheels import from_wheel

ROWS = 61
FPS = 30.0
SEEN = {"python": "3.11", "abi": "cp311", "platform": "manylinux_2_28_x86_64"}


@pytest.fixture(scope="session")
def motion() -> RobotMotion:
    """Two seconds: all joints swing, each in its own time; the root walks a circle and turns."""
    robot, rng = load_g1(), np.random.default_rng(3)
    t = np.arange(ROWS) / FPS
    middle, half = (robot.lower + robot.upper) / 2, (robot.upper - robot.lower) / 2
    speed, phase = rng.uniform(0.5, 3, len(middle)), rng.uniform(0, 6, len(middle))
    joints = middle + 0.5 * half * np.sin(t[:, None] * speed + phase)
    root = np.stack([np.cos(t), np.sin(t), 0.8 + 0.1 * np.sin(3 * t)], axis=1)
    # Half a turn and more: a quaternion changes its sign on the way.
    turns = Rotation.from_euler("ZYX", np.stack([2.5 * t, 0.3 * np.sin(t), 0.2 * t], axis=1))
    R, p = link_trajectories(robot, turns.as_matrix(), root, joints)
    drawn = np.flatnonzero(robot.visual)
    quats = Rotation.from_matrix(R[:, drawn].reshape(-1, 3, 3)).as_quat()
    return RobotMotion(
        fps=FPS,
        joint_names=list(robot.joint_names),
        link_names=[robot.link_names[link] for link in drawn],
        joints=joints.astype(np.float32),
        root_pos=root,
        root_quat_xyzw=turns.as_quat(),
        link_pos=p[:, drawn],
        link_quat_xyzw=quats.reshape(ROWS, len(drawn), 4),
        left_foot=np.arange(ROWS) % 20 < 10,
        right_foot=np.arange(ROWS) % 20 >= 10,
        frame_numbers=np.arange(1, ROWS + 1, dtype=np.int32),
        times_s=t,
        seen=np.ones(ROWS, bool),
        present=np.ones(ROWS, bool),
        metadata={"robot": "g1"},
    )


@pytest.fixture(scope="session")
def place(tmp_path_factory) -> Path:
    """A floor of 6 m with a step of 20 cm on one half."""
    floor = trimesh.creation.box((6, 6, 0.1)).apply_translation((0, 0, -0.05))
    step = trimesh.creation.box((3, 6, 0.2)).apply_translation((1.5, 0, 0.1))
    mesh = trimesh.util.concatenate([floor, step])
    path = tmp_path_factory.mktemp("place") / "background_mesh.obj"
    write_mesh(path, mesh.vertices, mesh.faces)
    return path


@pytest.fixture(scope="session")
def mjlab(tmp_path_factory) -> Path:
    """Files of the wheel of mjlab: its motion command and its model of the G1."""
    into = tmp_path_factory.mktemp("mjlab")
    source = {
        "package": "mjlab",
        "version": "1.6.0",
        "sha256": "03d003854e2f44c48330c6dcf4c2253ff7641bb569747846825a21b9efa8540b",
        "members": {
            "commands.py": "mjlab/tasks/tracking/mdp/commands.py",
            "csv_to_npz.py": "mjlab/scripts/csv_to_npz.py",
            "g1.xml": "mjlab/asset_zoo/robots/unitree_g1/xmls/g1.xml",
        },
        **SEEN,
    }
    from_wheel(source, into)
    return into


@pytest.fixture(scope="session")
def holosoma(tmp_path_factory) -> Path:
    """Files of the wheel of holosoma: its motion command and a motion that it ships."""
    into = tmp_path_factory.mktemp("holosoma")
    folder = "holosoma/data/motions/g1_29dof/whole_body_tracking"
    source = {
        "package": "holosoma",
        "version": "0.0.3",
        "sha256": "1c007c27dbf130c04533af6052649d88da32eaa9b54e69c6d39009e979a2312f",
        "members": {
            "wbt.py": "holosoma/managers/command/terms/wbt.py",
            "shipped.npz": f"{folder}/motion_crawl_slope.npz",
            "shipped.obj": f"{folder}/terrain_slope.obj",
        },
        **SEEN,
    }
    from_wheel(source, into)
    return into


def class_in(file: Path, name: str, names: dict) -> type:
    """A class of a file as it stands there, without what the rest of the file imports.

    Args:
        names: what the class takes from around it.
    """
    tree = ast.parse(file.read_text())
    (found,) = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)
    later = ast.ImportFrom("__future__", [ast.alias("annotations")], 0)
    module = ast.fix_missing_locations(ast.Module([later, found], []))
    exec(compile(module, str(file), "exec"), names)
    return names[name]
