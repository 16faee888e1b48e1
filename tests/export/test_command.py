"""The command: a data folder in, a folder a trainer out, with what decisions and rates say."""

import json

import pytest
from click.testing import CliRunner

from bench.made_clip import write_clip
from stages.artifacts.curation import Decision
from stages.artifacts.layout import CALIBRATED
from stages.artifacts.meshes import MESH_FILE
from stages.artifacts.robot_motion import MULTI_FILE
from stages.export.command import main
from stages.export.registry import FORMATS
from stages.running.curation import save_decision
from tests.export.files_read import plain_npz


@pytest.fixture
def data(tmp_path):
    """Two clips of 40 frames, one of them with two people."""
    write_clip(tmp_path, "alone", frames=40, height=36, width=64, people=1)
    write_clip(tmp_path, "both", frames=40, height=36, width=64, people=2)
    return tmp_path


def run(data, *flags):
    return CliRunner().invoke(main, ["--data-dir", str(data), *flags])


def described(data, name):
    files = (data / "export" / name).glob("*.json")
    return {path.stem: json.loads(path.read_text()) for path in files}


def test_everybody_is_exported_to_every_format_with_a_card(data):
    result = run(data)
    assert result.exit_code == 0, result.output
    for name in FORMATS:
        assert f"{name}: 3 motions" in result.output
        assert set(described(data, name)) == {"alone", "both_person1", "both_person2"}
        card = (data / "export" / name / "README.md").read_text()
        assert "| both_person2 | both | " in card and "3 motions" in card
    listed = (data / "export" / "videomimic" / "human_motion_list.yaml").read_text()
    assert listed.count("- folder_path:") == 3


def test_a_description_names_everything_that_the_file_does_not(data):
    assert run(data, "--format", "beyondmimic", "--pattern", "ALONE").exit_code == 0
    about = described(data, "beyondmimic")["alone"]
    assert len(about["joint_names"]) == 29 and about["body_names"][0] == "pelvis"
    assert about["joints_held_at_zero"] == [
        each for each in about["joint_names"] if "wrist" in each
    ]
    assert "breadth first" in about["order"] and "w x y z in the npz" in about["quaternions"]
    assert about["fps"] == 50 and about["rows"] == 66 and about["units"] == "m, rad, s"
    assert about["world_method"] == "sfm" and about["verdict"] == "not judged"


def test_a_rate_and_a_robot_are_taken_where_the_trainer_can(data):
    flags = ["--pattern", "alone", "--fps", "25", "--robot", "unitree23"]
    result = run(data, *flags)
    assert result.exit_code == 0, result.output
    assert {path.name for path in (data / "export").iterdir()} == {
        "holosoma", "mjlab", "beyondmimic", "gmr",
    }  # fmt: skip
    assert "left out: sonic holds robots of 29 joints, not unitree23" in result.output
    held = plain_npz(data / "export" / "holosoma" / "alone.npz")
    assert held["fps"] == 25 and held["joint_pos"].shape == (33, 7 + 23)
    refused = run(data, "--format", "sonic", "--fps", "30")
    assert (
        refused.exit_code == 2 and "sonic has 50 rows a second: leave out --fps" in refused.output
    )
    refused = run(data, "--format", "protomotions", "--robot", "23")
    assert "protomotions holds robots of 29 joints, not 23" in refused.output


def test_decisions_reject_trim_and_choose_people(data):
    save_decision(data, "alone", Decision("reject"))
    save_decision(data, "both", Decision("keep", first_frame=10, last_frame=29, person=2))
    result = run(data, "--format", "gmr", "--curated")
    assert result.exit_code == 0 and "alone: left out by curation.jsonl" in result.output
    (about,) = described(data, "gmr").values()
    assert about["rows"] == 20 and about["first_frame_of_video"] == 11
    assert set(described(data, "gmr")) == {"both_person2"}


def test_a_name_inside_of_another_is_said_where_the_trainer_confuses_them(data):
    write_clip(data, "alone_2", frames=3, height=36, width=64, people=1)
    said = run(data, "--format", "videomimic", "--format", "gmr").output
    assert said.count("is a part of another clip's name") == 1
    assert "videomimic: alone is a part of another clip's name" in said


def test_a_damaged_motion_is_one_line_and_the_other_clip_is_exported(data):
    (broken,) = (data / CALIBRATED).glob(f"*both*/{MULTI_FILE}")
    broken.write_bytes(broken.read_bytes()[:1000])
    result = run(data, "--format", "gmr")
    assert result.exit_code == 1
    (line,) = [line for line in result.output.splitlines() if line.startswith("failed:")]
    assert "both" in line and MULTI_FILE in line
    assert set(described(data, "gmr")) == {"alone"}


def test_a_clip_whose_mesh_is_gone_or_damaged_is_one_line_a_format(data):
    people = ["both_person1", "both_person2"]
    (mesh,) = (data / CALIBRATED).glob(f"*both*/{MESH_FILE}")
    mesh.write_bytes(b"v 0 0 nan\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    result = run(data, "--format", "glb", "--format", "gmr")
    assert result.exit_code == 1
    failed = [line for line in result.output.splitlines() if line.startswith("failed:")]
    assert [line.split(": ")[1:3] for line in failed] == [["glb", name] for name in people]
    assert "glb: 1 motions" in result.output and "gmr: 3 motions" in result.output
    mesh.unlink()
    result = run(data, "--format", "gmr")
    (line,) = [line for line in result.output.splitlines() if line.startswith("failed:")]
    assert f"{MESH_FILE}: missing" in line and result.exit_code == 1
    assert f"still there: {', '.join(people)}" in result.output


def test_a_folder_without_motions_says_what_makes_them(tmp_path):
    result = run(tmp_path)
    assert result.exit_code == 2
    assert "has no robot's motion; make dataset makes them" in result.output
