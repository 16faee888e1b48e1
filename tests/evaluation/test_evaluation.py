"""The evaluation gives full marks to the truth and takes marks off for errors."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from stages.artifacts.comparison import read_comparison
from stages.artifacts.contacts import PersonContact, write_contacts
from stages.artifacts.images import write_image
from stages.artifacts.keypoints import PersonKeypoints, read_keypoints, write_keypoints
from stages.artifacts.layout import LEDGER, DataFolder
from stages.artifacts.masks import write_frame
from stages.evaluation import people
from stages.evaluation.bars import BARS, passes
from stages.evaluation.clip import EvaluatedClip, open_clip
from stages.evaluation.command import main
from stages.evaluation.robot import depth_below
from stages.evaluation.surfaces import heights, sampled
from stages.geometry.block_terrain import Block, Terrain

VIDEO = "jump_box_01"
DEMO_TRUTH = Path(__file__).parents[2] / "data" / "demo" / "truth" / VIDEO
FRAMES = 41


def written(root: Path, shift_px: int = 0) -> EvaluatedClip:
    """A data folder whose results are the truth, moved to the right by some pixels."""
    data = DataFolder(root)
    shutil.copytree(DEMO_TRUTH, data.truth(VIDEO))
    truth = open_clip(data, VIDEO).truth
    for frame in range(FRAMES):
        number, stem = frame + 1, f"{frame + 1:05d}"
        write_image(data.images(VIDEO) / f"{stem}.jpg", np.zeros((8, 8, 3), np.uint8))
        ids = np.roll(truth.person_ids[frame], shift_px, axis=1).astype(np.uint16) * 7
        write_frame(data.masks(VIDEO), stem, ids, {7: 0.9})
        points = np.ones((133, 3), np.float32)
        points[:, :2] = truth.keypoints_px[0, frame] + [shift_px, 0]
        entry = PersonKeypoints(np.ones(5, np.float32), points)
        write_keypoints(data.keypoints(VIDEO), number, {7: entry})
        left, right = truth.contacts[0, frame]
        contact = PersonContact(np.zeros((6890, 1), np.float32), bool(left), bool(right))
        write_contacts(data.contacts(VIDEO), stem, {7: contact})
    return open_clip(data, VIDEO)


def test_the_truth_itself_gets_full_marks(tmp_path):
    clip = written(tmp_path)
    assert clip.person_of_truth == {0: 7}
    assert people.detection(clip) == {"people_found": 1.0, "false_people": 0.0}
    assert people.masks(clip)["mask_iou"] == 1.0
    assert people.keypoints(clip)["keypoint_mean"] < 1e-6
    assert people.contacts(clip)["contact_f1"] == 1.0


def test_results_beside_the_person_lose_marks(tmp_path):
    clip = written(tmp_path, shift_px=120)
    found = people.detection(clip)
    assert found["people_found"] == 0.0
    assert found["false_people"] == len(range(0, FRAMES, people.LOOK_EVERY))
    assert people.masks(clip)["mask_iou"] < 0.1


def test_keypoints_are_measured_in_heights_of_the_person(tmp_path):
    clip = written(tmp_path, shift_px=2)
    rows = [np.flatnonzero((clip.truth.person_ids[i] > 0).any(1)) for i in range(FRAMES)]
    expected = np.mean([2 / (r[-1] - r[0] + 1) for r in rows])
    assert people.keypoints(clip)["keypoint_mean"] == pytest.approx(expected, rel=0.02)


def test_blazepose_is_held_to_its_own_bars_and_to_the_keypoints_that_it_has(tmp_path):
    clip = written(tmp_path)
    for frame in range(FRAMES):  # Neither ears nor eyes nor small toes.
        entries = read_keypoints(clip.data.keypoints(VIDEO), frame + 1)
        entries[7].keypoints[[0, 1, 2, 3, 4, 18, 21]] = 0
        write_keypoints(clip.data.keypoints(VIDEO), frame + 1, entries)
    assert people.keypoints(clip)["keypoint_mean"] > 0.1
    done = {"stage": "stage0-blazepose", "video": VIDEO, "outcome": "done"}
    (tmp_path / LEDGER).write_text(json.dumps(done) + "\n")
    clip = open_clip(DataFolder(tmp_path), VIDEO)
    assert clip.people_method == "blazepose"
    assert people.keypoints(clip)["keypoint_mean"] < 1e-6
    (bar,) = [bar for bar in BARS if bar.name == "mask_iou"]
    assert passes(bar, 0.82, method="blazepose") and not passes(bar, 0.82)
    assert not passes(bar, 0.79, method="blazepose")


def test_what_a_data_folder_lacks_is_said_and_misses_its_bar(tmp_path):
    written(tmp_path)
    ran = CliRunner().invoke(main, ["--data-dir", str(tmp_path), "--pattern", "JUMP"])
    assert ran.exit_code == 1
    assert f"{VIDEO}: no reconstruction in {tmp_path}" in ran.output
    assert f"missed: {VIDEO}: gravity, degrees" in ran.output
    assert f"missed: {VIDEO}: foot contact, F1" not in ran.output
    (values,) = read_comparison(tmp_path).values()
    assert values["contact_f1"].value == 1.0 and values["contact_f1"].passes
    assert values["gravity_deg"].value is None and not values["gravity_deg"].passes


def test_a_folder_without_ground_truth_is_wrong_usage(tmp_path):
    ran = CliRunner().invoke(main, ["--data-dir", str(tmp_path)])
    assert ran.exit_code == 2
    assert "has no ground truth" in ran.output


def test_depth_inside_a_block_is_the_shortest_way_out():
    terrain = Terrain("jump_box", (Block((2.0, 0.0), 0.5, 0.5, 0.4),))
    points = np.array([[0, 0, 0.1], [0, 0, -0.02], [2, 0, 0.37], [1.51, 0, 0.1], [2, 0, 0.5]])
    assert np.allclose(depth_below(points, terrain), [0, 0.02, 0.03, 0.01, 0])


def test_a_surface_is_near_itself_and_far_from_one_above_it():
    square = np.array([[0, 0, 0], [2, 0, 0], [2, 2, 0], [0, 2, 0]], float)
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    raised = square + np.array([0, 0, 0.2])
    path = np.array([[1.0, 1.0]])
    low, high = sampled((square, faces), path, 0.5), sampled((raised, faces), path, 1)
    assert low.share_near(low.points, 0.05) == 1.0
    assert low.share_near(high.points, 0.05) == 0.0
    assert np.linalg.norm(low.points[:, :2] - 1, axis=1).max() <= 0.5
    assert np.allclose(heights((raised, faces), path), 0.2)
    assert np.isnan(heights((square, faces), np.array([[5.0, 5.0]]))).all()


def test_bars_hold_both_ways_and_two_people_relax_only_tolerances():
    bars = {bar.name: bar for bar in BARS}
    assert passes(bars["mask_iou"], 0.85)
    assert not passes(bars["mask_iou"], 0.84)
    assert not passes(bars["mask_iou"], float("nan"))
    assert passes(bars["mesh_bias_cm"], -1.9)
    assert not passes(bars["mesh_bias_cm"], -2.1)
    assert passes(bars["root_cm"], 14, people=2)
    assert not passes(bars["root_cm"], 14, people=1)
    assert not passes(bars["limit_violations"], 1, people=2)
