"""What a trainer understands of each format, read by its documented rules and nothing of ours."""

import io
import json
import pickle
from dataclasses import dataclass
from pathlib import Path

import h5py
import mujoco
import numpy as np
import torch

ISAACLAB = [
    *(0, 6, 12, 1, 7, 13, 2, 8, 14, 3, 9, 15, 22, 4, 10, 16, 23, 5, 11, 17, 24, 18, 25),
    *(19, 26, 20, 27, 21, 28),
]
"""Joints in its order, by their place in MuJoCo's (gear_sonic, robots/g1.py)."""


@dataclass
class Read:
    """joint_pos in MuJoCo's order; bodies by name, where the file has some."""

    fps: float
    joint_pos: np.ndarray
    root_pos: np.ndarray
    root_wxyz: np.ndarray
    bodies: dict[str, tuple[np.ndarray, np.ndarray]]
    """Places and quaternions w, x, y, z."""


def plain_npz(path: Path) -> dict[str, np.ndarray]:
    return dict(np.load(path, allow_pickle=False))


def table(path: Path) -> np.ndarray:
    return np.loadtxt(path, delimiter=",")


def csv(path: Path, fps: float) -> Read:
    rows = table(path)
    return Read(fps, rows[:, 7:], rows[:, :3], rows[:, [6, 3, 4, 5]], {})


def tracking(path: Path, names: list[str], order: list[int] | None = None) -> Read:
    """An npz of BeyondMimic's keys; names of bodies in MuJoCo's order."""
    held = plain_npz(path)
    order = list(range(len(names) - 1)) if order is None else order
    links = [0, *(1 + np.array(order))]
    pos, quat = held["body_pos_w"], held["body_quat_w"]
    joints = np.zeros_like(held["joint_pos"])
    joints[:, order] = held["joint_pos"]
    bodies = {names[link]: (pos[:, i], quat[:, i]) for i, link in enumerate(links)}
    return Read(float(held["fps"][0]), joints, pos[:, 0], quat[:, 0], bodies)


def gmr(path: Path) -> Read:
    if path.suffix == ".pkl":
        held = ArraysOnly(io.BytesIO(path.read_bytes())).load()
    else:
        held = plain_npz(path)
    root = held["root_rot"][:, [3, 0, 1, 2]]
    return Read(float(held["fps"]), held["dof_pos"], held["root_pos"], root, {})


def protomotions(path: Path, names: list[str]) -> Read:
    held = torch.load(path, weights_only=True)
    with_more = list(names)
    for more, carrier in [
        ("head", "pelvis"),
        ("left_rubber_hand", "left_wrist_yaw_link"),
        ("right_rubber_hand", "right_wrist_yaw_link"),
    ]:
        with_more.insert(with_more.index(carrier) + 1, more)
    pos = held["rigid_body_pos"].numpy()
    quat = held["rigid_body_rot"].numpy()[..., [3, 0, 1, 2]]
    bodies = {name: (pos[:, i], quat[:, i]) for i, name in enumerate(with_more)}
    return Read(held["fps"], held["dof_pos"].numpy(), pos[:, 0], quat[:, 0], bodies)


def holomotion(path: Path, names: list[str]) -> Read:
    held = plain_npz(path)
    metadata = json.loads(held["metadata"].item())
    pos = held["ref_global_translation"]
    quat = held["ref_global_rotation_quat"][..., [3, 0, 1, 2]]
    assert metadata["num_frames"] == len(pos) and metadata["num_bodies"] == len(names)
    bodies = {name: (pos[:, i], quat[:, i]) for i, name in enumerate(names)}
    return Read(metadata["motion_fps"], held["ref_dof_pos"], pos[:, 0], quat[:, 0], bodies)


def sonic(folder: Path, names: list[str]) -> Read:
    tables = {
        path.stem: np.loadtxt(path, delimiter=",", skiprows=1) for path in folder.glob("*.csv")
    }
    text = (folder / "metadata.txt").read_text().split("\n")
    parts = [int(part) for part in text[text.index("Body part indexes:") + 1][1:-1].split()]
    joints = np.zeros_like(tables["joint_pos"])
    joints[:, ISAACLAB] = tables["joint_pos"]
    pos = tables["body_pos"].reshape(len(joints), -1, 3)
    quat = tables["body_quat"].reshape(len(joints), -1, 4)
    order = [0, *(1 + np.array(ISAACLAB))]
    bodies = {names[order[part]]: (pos[:, i], quat[:, i]) for i, part in enumerate(parts)}
    return Read(50, joints, pos[:, 0], quat[:, 0], bodies)


def videomimic(path: Path) -> Read:
    """As its simulator reads it: names with a leading slash, links without .STL."""
    with h5py.File(path) as file:
        links = [name.removesuffix(".STL") for name in file.attrs["/link_names"].tolist()]
        pos, quat = file["link_pos"][:], file["link_quat"][:][..., [3, 0, 1, 2]]
        bodies = {name: (pos[:, i], quat[:, i]) for i, name in enumerate(links)}
        root = file["root_quat"][:][:, [3, 0, 1, 2]]
        return Read(float(file.attrs["/fps"]), file["joints"][:], file["root_pos"][:], root, bodies)


class ArraysOnly(pickle.Unpickler):
    """Refuses every name in a pickle but those of NumPy's arrays."""

    def find_class(self, module: str, name: str):
        if module.split(".")[0] != "numpy":
            raise pickle.UnpicklingError(f"{module}.{name}")
        return super().find_class(module, name)


def poses(model: mujoco.MjModel, read: Read, row: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Bodies of MuJoCo's model in a row's pose."""
    data = mujoco.MjData(model)
    data.qpos[:] = np.concatenate([read.root_pos[row], read.root_wxyz[row], read.joint_pos[row]])
    mujoco.mj_kinematics(model, data)
    return {
        model.body(i).name: (data.xpos[i].copy(), data.xquat[i].copy())
        for i in range(1, model.nbody)
    }


def disagreement(model: mujoco.MjModel, read: Read) -> float:
    """How far a file's bodies are from those of its joints on MuJoCo's model: metres, or the
    differences of quaternions, the larger.
    """
    worst = 0.0
    for row in range(0, len(read.joint_pos), 7):
        there = poses(model, read, row)
        for name, (pos, quat) in read.bodies.items():
            if name not in there:
                continue
            p, q = there[name]
            unlike = min(np.abs(q - quat[row]).max(), np.abs(q + quat[row]).max())
            worst = max(worst, np.abs(p - pos[row]).max(), unlike)
    return worst
