"""Every format's file, read by its trainer's rules, is the motion; what is exchanged in it shows.

All are read without running code of theirs: npz without pickles, pickles of arrays alone.
"""

import logging
import re
from pathlib import Path

import mujoco
import numpy as np
import pytest
import torch
import trimesh

from stages.body.model import DEMO_BODY
from stages.export.motion import motion_of
from stages.export.registry import FORMATS
from stages.export.robots import g1
from tests.export import files_read
from tests.export.conftest import class_in
from tests.export.files_read import ISAACLAB, Read, disagreement

AGREES = 1e-4


@pytest.fixture(scope="module")
def made(motion, place):
    """The motion of 29 joints at 50 rows a second."""
    return motion_of(motion, place, DEMO_BODY, g1("29"), 50, "walk", {})


@pytest.fixture(scope="module")
def folder(motion, place, tmp_path_factory):
    """The files of all formats."""
    into = tmp_path_factory.mktemp("export")
    for name, form in FORMATS.items():
        robot = g1(form.robots[0], form.revision_1_0)
        form.write(motion_of(motion, place, DEMO_BODY, robot, form.fps, "walk", {}), into / name)
    return into


@pytest.fixture(scope="module")
def model(mjlab) -> mujoco.MjModel:
    return without_meshes(mjlab / "g1.xml").compile()


def without_meshes(file: Path) -> mujoco.MjSpec:
    """Unitree's G1 of revision 1.0 as mjlab ships it."""
    meshes = r'<(geom|mesh)[^>]*\b(mesh|file)="[^"]*"[^>]*/>'
    return mujoco.MjSpec.from_string(re.sub(meshes, "", file.read_text()))


def names_of(model) -> list[str]:
    return [model.body(i).name for i in range(1, model.nbody)]


def reads(folder, model) -> dict[str, Read]:
    names = names_of(model)
    return {
        "mjlab": files_read.tracking(folder / "mjlab" / "walk.npz", names),
        "mjlab csv": files_read.csv(folder / "mjlab" / "walk.csv", 50),
        "beyondmimic": files_read.tracking(folder / "beyondmimic" / "walk.npz", names, ISAACLAB),
        "beyondmimic csv": files_read.csv(folder / "beyondmimic" / "walk.csv", 50),
        "gmr": files_read.gmr(folder / "gmr" / "walk.pkl"),
        "gmr npz": files_read.gmr(folder / "gmr" / "walk.npz"),
        "protomotions": files_read.protomotions(folder / "protomotions" / "walk.motion", names),
        "holomotion": files_read.holomotion(folder / "holomotion" / "walk.npz", names),
        "sonic": files_read.sonic(folder / "sonic" / "walk", names),
    }


def test_joints_and_root_are_the_motion_in_every_format(folder, model, motion):
    for name, read in reads(folder, model).items():
        rate = {"gmr": 30, "gmr npz": 30, "protomotions": 30}.get(name, 50)
        assert read.fps == rate, name
        third = 5 if rate == 50 else 3  # Rows in a tenth of a second.
        for joint in ("left_knee_joint", "waist_pitch_joint", "right_elbow_joint"):
            place = model.joint(joint).qposadr[0] - 7
            own = motion.joints[::3, motion.joint_names.index(joint)]
            np.testing.assert_allclose(read.joint_pos[::third, place], own, atol=1e-5, err_msg=name)
        np.testing.assert_allclose(read.root_pos[::third], motion.root_pos[::3], atol=1e-5)
        own = motion.root_quat_xyzw[::3][:, [3, 0, 1, 2]]
        alike = np.abs(np.sum(read.root_wxyz[::third] * own, axis=1))
        np.testing.assert_allclose(alike, 1, atol=1e-6, err_msg=name)


def test_bodies_are_where_mujoco_has_them_on_unitrees_robot(folder, model):
    with_bodies = {name: read for name, read in reads(folder, model).items() if read.bodies}
    assert set(with_bodies) == {"mjlab", "beyondmimic", "protomotions", "holomotion", "sonic"}
    for name, read in with_bodies.items():
        assert disagreement(model, read) < AGREES, name


@pytest.mark.parametrize("name", ["mjlab", "beyondmimic", "protomotions", "holomotion", "sonic"])
def test_exchanged_joints_quaternion_parts_and_bodies_are_seen(folder, model, name):
    def read() -> Read:
        return reads(folder, model)[name]

    joints = read()
    joints.joint_pos[:, [3, 9]] = joints.joint_pos[:, [9, 3]]
    turned = read()
    turned.root_wxyz = turned.root_wxyz[:, [1, 2, 3, 0]]
    bodies = read()
    a, b = "left_knee_link", "right_knee_link"
    if a not in bodies.bodies:
        a, b = "left_ankle_roll_link", "right_ankle_roll_link"
    bodies.bodies[a], bodies.bodies[b] = bodies.bodies[b], bodies.bodies[a]
    for exchanged in (joints, turned, bodies):
        assert disagreement(model, exchanged) > 100 * AGREES


def test_the_head_and_the_hands_of_protomotions_are_where_its_model_has_them(folder, model):
    read = reads(folder, model)["protomotions"]
    assert list(read.bodies)[1] == "head" and len(read.bodies) == 33
    pelvis, hand = read.bodies["pelvis"][0], read.bodies["left_rubber_hand"][0]
    assert np.allclose(np.linalg.norm(read.bodies["head"][0] - pelvis, axis=1), 0.4, atol=1e-5)
    wrist = read.bodies["left_wrist_yaw_link"][0]
    assert np.allclose(np.linalg.norm(hand - wrist, axis=1), 0.12, atol=1e-5)


def test_mjlabs_own_loader_reads_the_npz(folder, mjlab, made):
    loader = class_in(mjlab / "commands.py", "MotionLoader", {"np": np, "torch": torch})
    chosen = [made.body_names.index(name) for name in ("torso_link", "left_ankle_roll_link")]
    loaded = loader(str(folder / "mjlab" / "walk.npz"), torch.tensor(chosen))
    assert loaded.time_step_total == len(made.joint_pos)
    np.testing.assert_allclose(loaded.joint_vel, made.joint_vel, atol=1e-4)
    np.testing.assert_allclose(loaded.body_pos_w, made.body_pos[:, chosen], atol=1e-5)
    np.testing.assert_allclose(loaded.body_quat_w, made.body_wxyz[:, chosen], atol=1e-5)
    np.testing.assert_allclose(loaded.body_ang_vel_w, made.body_ang_vel[:, chosen], atol=1e-3)


def test_mjlabs_own_converter_makes_the_same_velocities_of_the_csv(folder, mjlab, made):
    def of_wxyz(q):
        return torch.cat([q[..., :1], -q[..., 1:]], -1)

    def product(a, b):
        w = a[..., :1] * b[..., :1] - (a[..., 1:] * b[..., 1:]).sum(-1, keepdim=True)
        v = a[..., :1] * b[..., 1:] + b[..., :1] * a[..., 1:]
        return torch.cat([w, v + torch.linalg.cross(a[..., 1:], b[..., 1:])], -1)

    def angles(q):
        q = torch.where(q[..., :1] < 0, -q, q)
        sine = q[..., 1:].norm(dim=-1, keepdim=True).clamp_min(1e-12)
        return 2 * torch.atan2(sine, q[..., :1]) * q[..., 1:] / sine

    around = {
        "torch": torch, "np": np, "quat_conjugate": of_wxyz, "quat_mul": product,
        "axis_angle_from_quat": angles, "quat_slerp": torch.lerp,
    }  # fmt: skip
    loader = class_in(mjlab / "csv_to_npz.py", "MotionLoader", around)
    loaded = loader(str(folder / "mjlab" / "walk.csv"), 50, 50, "cpu")
    rows = loaded.output_frames
    np.testing.assert_allclose(
        loaded.motion_dof_vels[1:-1], made.joint_vel[1 : rows - 1], atol=5e-3
    )
    np.testing.assert_allclose(
        loaded.motion_base_ang_vels[1:-1], made.body_ang_vel[1 : rows - 1, 0], atol=5e-3
    )


def test_holosomas_own_loader_reads_the_npz_and_finds_everything_by_name(folder, holosoma, made):
    around = {
        "np": np, "torch": torch, "logger": logging.getLogger("holosoma"),
        "resolve_data_file_path": lambda path: path, "cached_open": open,
    }  # fmt: skip
    loader = class_in(holosoma / "wbt.py", "MotionLoader", around)
    backwards = made.joint_names[::-1]
    loaded = loader(str(folder / "holosoma" / "walk.npz"), made.body_names, backwards)
    joints = loaded._joint_pos[:, loaded._joint_indexes]
    np.testing.assert_allclose(joints, made.joint_pos[:, ::-1], atol=1e-5)
    places = loaded._body_pos_w[:, loaded._body_indexes]
    np.testing.assert_allclose(places, made.body_pos, atol=1e-5)
    quats = loaded._body_quat_w[:, loaded._body_indexes]
    np.testing.assert_allclose(quats, made.body_wxyz[..., [1, 2, 3, 0]], atol=1e-5)


def test_holosomas_file_has_the_arrays_of_the_one_that_it_ships(folder, holosoma):
    ours = files_read.plain_npz(folder / "holosoma" / "walk.npz")
    theirs = files_read.plain_npz(holosoma / "shipped.npz")
    assert set(theirs) - set(ours) <= {name for name in theirs if name.startswith("object")}
    assert ours["joint_names"].tolist() == theirs["joint_names"].tolist()
    for name, values in ours.items():
        assert values.ndim == theirs[name].ndim, name
        if values.ndim == 2:
            assert values.shape[1] == theirs[name].shape[1], name
    assert ours["body_names"].tolist()[0] == theirs["body_names"].tolist()[0] == "world"
    assert set(ours["body_names"].tolist()) <= set(theirs["body_names"].tolist())
    mesh = trimesh.load(folder / "holosoma" / "walk.obj", force="mesh")
    assert len(mesh.faces) == len(trimesh.load(folder / "mjlab" / "walk.obj", force="mesh").faces)


def test_videomimics_folder_has_names_and_links_that_agree(folder, place):
    read = files_read.videomimic(folder / "videomimic" / "walk" / "retarget_poses_g1.h5")
    spec = mujoco.MjModel.from_xml_path(str(folder / "mjcf" / "walk" / "scene.xml"))
    assert {"pelvis", "torso_link", "left_wrist_yaw_link"} <= set(read.bodies)
    wrists = np.zeros((len(read.joint_pos), 3))
    cut = spec.joint("left_elbow_joint").qposadr[0] - 6
    joints = read.joint_pos
    read.joint_pos = np.concatenate([joints[:, :cut], wrists, joints[:, cut:], wrists], axis=1)
    assert disagreement(spec, read) < AGREES
    assert (
        folder / "videomimic" / "walk" / "background_mesh.obj"
    ).read_bytes() == place.read_bytes()


def test_mujoco_reads_the_scene_and_every_row_is_a_keyframe(folder, motion):
    model = mujoco.MjModel.from_xml_path(str(folder / "mjcf" / "walk" / "scene.xml"))
    data = mujoco.MjData(model)
    assert model.nkey == len(motion.joints)
    foot = motion.link_names.index("left_foot_link")
    for row in range(0, model.nkey, 12):
        mujoco.mj_resetDataKeyframe(model, data, row)
        mujoco.mj_forward(model, data)
        assert data.time == pytest.approx(row / motion.fps)
        np.testing.assert_allclose(
            data.body("left_foot_link").xpos, motion.link_pos[row, foot], atol=AGREES
        )
    speed = np.zeros(6)
    mujoco.mj_resetDataKeyframe(model, data, 20)
    mujoco.mj_forward(model, data)
    pelvis = model.body("pelvis").id
    mujoco.mj_objectVelocity(model, data, mujoco.mjtObj.mjOBJ_XBODY, pelvis, speed, 0)
    difference = (motion.root_pos[21] - motion.root_pos[19]) * motion.fps / 2
    np.testing.assert_allclose(speed[3:], difference, atol=1e-3)


@pytest.mark.parametrize("file", ["mjcf/walk/scene.xml", "mjlab/walk_place.xml"])
def test_a_ball_rests_on_the_step_and_on_the_floor_beside_it(folder, file):
    spec = mujoco.MjSpec.from_file(str(folder / file))
    for x in (-1.5, 1.5):
        ball = spec.worldbody.add_body(name=f"ball{x}", pos=[x, 2.0, 0.4])
        ball.add_freejoint()
        ball.add_geom(type=mujoco.mjtGeom.mjGEOM_SPHERE, size=[0.05, 0, 0])
    while spec.keys:  # Of the robot alone.
        spec.delete(spec.keys[0])
    model = spec.compile()
    data = mujoco.MjData(model)
    mujoco.mj_step(model, data, nstep=500)
    assert data.body("ball-1.5").xpos[2] == pytest.approx(0.05, abs=0.01)
    assert data.body("ball1.5").xpos[2] == pytest.approx(0.25, abs=0.01)


def test_mjlabs_robot_stands_in_the_place_that_its_scene_attaches(folder, mjlab):
    spec = without_meshes(mjlab / "g1.xml")
    place = mujoco.MjSpec.from_file(str(folder / "mjlab" / "walk_place.xml"))
    spec.attach(place, frame=spec.worldbody.add_frame(), prefix="place_")
    model = spec.compile()
    assert model.nhfield == 1 and model.nmesh == 1
