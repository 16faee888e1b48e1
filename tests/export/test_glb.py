"""The animated file: trimesh reads it, and what moves in it is where stage 3 and 4 have it."""

import json
import struct

import numpy as np
import pytest
import trimesh
from click.testing import CliRunner

from bench.made_clip import write_clip
from stages.artifacts.layout import CALIBRATED
from stages.artifacts.people_and_world import MEGAHUNTER_FILE, opened_people_and_world
from stages.artifacts.robot_motion import SINGLE_FILE, read_robot_motion
from stages.body.model import DEMO_BODY, load_body
from stages.drawing import shapes
from stages.export.command import main
from stages.geometry.rotations import matrix_from_wxyz

KINDS = {5126: np.float32, 5125: np.uint32, 5121: np.uint8}
WIDTHS = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("glb")
    write_clip(folder, "alone", frames=12, height=36, width=64, people=1)
    result = CliRunner().invoke(main, ["--data-dir", str(folder), "--format", "glb"])
    assert result.exit_code == 0, result.output
    return folder


class Held:
    """What a file holds, by the specification of glTF 2.0."""

    def __init__(self, content: bytes) -> None:
        magic, version, length = struct.unpack("<4sII", content[:12])
        assert (magic, version, length) == (b"glTF", 2, len(content))
        size, kind = struct.unpack("<I4s", content[12:20])
        assert kind == b"JSON" and size % 4 == 0
        self.json = json.loads(content[20 : 20 + size])
        self.data = content[28 + size :]
        assert self.json["buffers"][0]["byteLength"] == len(self.data)

    def array(self, number: int) -> np.ndarray:
        accessor = self.json["accessors"][number]
        view = self.json["bufferViews"][accessor["bufferView"]]
        assert view["byteOffset"] % 4 == 0
        kind, width = KINDS[accessor["componentType"]], WIDTHS[accessor["type"]]
        found = np.frombuffer(self.data, kind, accessor["count"] * width, view["byteOffset"])
        return found.reshape(accessor["count"], width)

    def moved(self, name: str, path: str) -> tuple[np.ndarray, np.ndarray]:
        """Moments and values of a node's track."""
        (animation,) = self.json["animations"]
        nodes = [node["name"] for node in self.json["nodes"]]
        (channel,) = (
            each
            for each in animation["channels"]
            if each["target"] == {"node": nodes.index(name), "path": path}
        )
        sampler = animation["samplers"][channel["sampler"]]
        return self.array(sampler["input"])[:, 0], self.array(sampler["output"])


@pytest.fixture(scope="module")
def held(data):
    return Held((data / "export" / "glb" / "alone.glb").read_bytes())


def result_folder(data):
    (folder,) = (data / CALIBRATED).iterdir()
    return folder


def test_trimesh_reads_place_robot_and_person_with_y_up(data):
    scene = trimesh.load(data / "export" / "glb" / "alone.glb")
    names = set(scene.graph.nodes)
    assert {"place", "person", "robot/pelvis"} <= names
    z_up = scene.graph.get("world_z_up")[0]
    np.testing.assert_allclose(z_up[:3, :3] @ [0, 0, 1], [0, 1, 0], atol=1e-6)


def test_the_robots_bodies_move_as_stage_4_has_them(data, held):
    motion = read_robot_motion(result_folder(data) / SINGLE_FILE)
    for name in ("pelvis", "left_ankle_roll_link", "right_wrist_yaw_link"):
        times, p = held.moved(f"robot/{name}", "translation")
        link = motion.link_names.index(name)
        np.testing.assert_allclose(times, np.arange(12) / motion.fps, atol=1e-6)
        np.testing.assert_allclose(p, motion.link_pos[:, link], atol=1e-5)
        _, xyzw = held.moved(f"robot/{name}", "rotation")
        alike = np.abs(np.sum(xyzw * motion.link_quat_xyzw[:, link], axis=1))
        np.testing.assert_allclose(alike, 1, atol=1e-5)


def test_the_persons_skin_is_where_stage_3_has_it(data, held):
    with opened_people_and_world(result_folder(data) / MEGAHUNTER_FILE) as found:
        (person,) = found.people.values()
    body = load_body(DEMO_BODY)
    (node,) = (each for each in held.json["nodes"] if each["name"] == "person")
    (primitive,) = held.json["meshes"][node["mesh"]]["primitives"]
    skin = held.json["skins"][node["skin"]]
    inverse = held.array(skin["inverseBindMatrices"]).reshape(-1, 4, 4).swapaxes(1, 2)
    vertices, bones, weights = (
        held.array(primitive["attributes"][name]) for name in ("POSITION", "JOINTS_0", "WEIGHTS_0")
    )
    names = [held.json["nodes"][joint]["name"] for joint in skin["joints"]]
    row = 7
    poses = np.tile(np.eye(4), (len(names), 1, 1))
    for joint, name in enumerate(names):
        poses[joint, :3, 3] = held.moved(name, "translation")[1][row]
        xyzw = held.moved(name, "rotation")[1][row].astype(np.float64)
        poses[joint, :3, :3] = matrix_from_wxyz(xyzw[[3, 0, 1, 2]])
    whole = np.concatenate([vertices, np.ones((len(vertices), 1))], axis=1)
    each = np.einsum("vkab,vb->vka", (poses @ inverse)[bones], whole)[..., :3]
    skinned = np.einsum("vk,vka->va", weights, each)
    true, _ = shapes.person(body, person, row)
    # What a pose changes of the shape is left out.
    assert np.linalg.norm(skinned - true, axis=1).max() < 0.03
    assert np.median(np.linalg.norm(skinned - true, axis=1)) < 0.005


def test_a_place_without_people_has_its_robot_all_the_same(data, tmp_path):
    write_clip(tmp_path, "alone", frames=3, height=36, width=64, people=1)
    (result_folder(tmp_path) / MEGAHUNTER_FILE).unlink()
    result = CliRunner().invoke(main, ["--data-dir", str(tmp_path), "--format", "glb"])
    assert result.exit_code == 0, result.output
    nodes = Held((tmp_path / "export" / "glb" / "alone.glb").read_bytes()).json["nodes"]
    names = {node["name"] for node in nodes}
    assert "robot/pelvis" in names and "person" not in names
