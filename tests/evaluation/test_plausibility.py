"""Measures without ground truth: none of what has not run, and each finds what it is for."""

from pathlib import Path

import numpy as np
import pytest
import trimesh

from stages.artifacts.clock import Clock
from stages.artifacts.images import write_image
from stages.artifacts.keypoints import PersonKeypoints, write_keypoints
from stages.artifacts.layout import DataFolder, WorldName
from stages.artifacts.masks import summarise, write_frame, write_summary
from stages.body.joint_names import COCO_WHOLEBODY_NAMES
from stages.evaluation.plausibility import MEASURES, Measured, measure
from stages.evaluation.plausibility.body import motion_peaks
from stages.evaluation.plausibility.clip import Clip
from stages.evaluation.plausibility.feet import of_feet
from stages.evaluation.plausibility.tracking import POINTS, articulation, bends
from stages.robot.terrain import Terrain

FRAMES = 30
TIMES_S = Clock(30.0).times_s(np.arange(1, FRAMES + 1))
LEFT, RIGHT = (
    [COCO_WHOLEBODY_NAMES.index(f"{side}_{joint}") for joint in ("knee", "ankle")]
    for side in ("left", "right")
)


def measured(root: Path) -> Measured:
    return measure(Clip(DataFolder(root), "clip"))


def with_people(
    root: Path, missing: range = range(0), swapped: range = range(0)
) -> dict[str, float | None]:
    """The measures of a clip of stage 0: somebody who goes to the right."""
    data, labels = DataFolder(root), []
    for frame in range(FRAMES):
        stem = f"{frame + 1:05d}"
        write_image(data.images("clip") / f"{stem}.jpg", np.zeros((120, 160, 3), np.uint8))
        ids = np.zeros((120, 160), np.uint16)
        points = np.full((133, 3), 60.0, np.float32)
        points[:, 2] = 0.9
        points[:, 0] += frame
        points[LEFT, 0] -= 10
        points[RIGHT, 0] += 10
        if frame in swapped:
            points[[*LEFT, *RIGHT]] = points[[*RIGHT, *LEFT]]
        seen = frame not in missing
        if seen:
            ids[10:110, 30 + frame : 60 + frame] = 1
            box = np.array([30 + frame, 10, 60 + frame, 110, 1], np.float32)
            write_keypoints(data.keypoints("clip"), frame + 1, {1: PersonKeypoints(box, points)})
        labels.append(write_frame(data.masks("clip"), stem, ids, {1: 0.8} if seen else {}))
    write_summary(data.masks("clip"), summarise(labels))
    return measured(root).values


def floor(z: float = 0.0) -> Terrain:
    mesh = trimesh.creation.box((8, 8, 0.02))
    top = np.array([0, 0, z - 0.01])
    return Terrain(np.asarray(mesh.vertices) + top, np.asarray(mesh.faces))


def feet(height: float = 0.02, speed: float = 0.0) -> np.ndarray:
    """Of somebody who stands, or slides along x."""
    points = np.zeros((FRAMES, 2, 2, 3))
    points[..., 0] = speed * TIMES_S[:, None, None]
    points[..., 2] = height
    return points


CONTACT = np.ones((FRAMES, 2), bool)


def test_names_are_unique_and_all_of_them_are_answered(tmp_path):
    names = [each.name for each in MEASURES]
    assert len(set(names)) == len(names)
    assert measured(tmp_path).values == dict.fromkeys(names)


def test_what_has_not_run_is_none_and_the_rest_is_measured(tmp_path):
    values = with_people(tmp_path)
    assert values["seen_share"] == 1 and values["longest_gap_s"] == 0
    assert values["mask_score"] == pytest.approx(0.8)
    assert values["keypoint_score"] == pytest.approx(0.9, abs=0.01)
    assert values["box_jump"] < 0.02
    assert values["swap_share"] == 0
    assert values["body_reprojection"] is None and values["articulation"] is None


def test_a_lost_track_is_a_gap_in_seconds(tmp_path):
    values = with_people(tmp_path, missing=range(12, 24))
    assert values["longest_gap_s"] == pytest.approx(12 / 30)
    assert values["seen_share"] == pytest.approx(18 / 30)


def test_left_and_right_that_change_places_are_seen(tmp_path):
    assert with_people(tmp_path, swapped=range(10, 20))["swap_share"] == pytest.approx(2 / 29)


def test_what_is_missing_or_damaged_is_said_and_leaves_the_measures_of_the_others(tmp_path):
    with_people(tmp_path)
    world = tmp_path / "input_sfm" / f"{WorldName('sfm', 'clip', 0, FRAMES, 1).stem}.h5"
    world.parent.mkdir()
    world.write_bytes(b"no such thing")
    found = measured(tmp_path)
    assert found.values["seen_share"] == 1 and found.values["depth_disagreement"] is None
    assert found.problems[0].startswith(f"input_sfm/{world.name}: ")
    assert any("run stage2-megahunter" in problem for problem in found.problems)
    assert len(set(found.problems)) == len(found.problems)


def test_feet_that_stand_on_the_floor_have_nothing_to_say():
    found = of_feet(feet(), CONTACT, TIMES_S, floor())
    assert found["person_sliding_cm_s"] == 0
    assert found["person_floating_cm"] == pytest.approx(0, abs=0.01)
    assert found["ground_misfit_cm"] == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("name", ["person_floating_cm", "person_penetration_cm"])
def test_feet_over_and_under_the_floor_are_measured(name):
    z = -0.3 if name == "person_floating_cm" else 0.3
    found = of_feet(feet(), CONTACT, TIMES_S, floor(z))
    assert found[name] == pytest.approx(30, abs=2.5)  # The lower face of the floor is 2 cm down.
    assert found["ground_misfit_cm"] == pytest.approx(30, abs=2.5)


def test_feet_slide_only_while_they_touch():
    sliding = of_feet(feet(speed=0.2), CONTACT, TIMES_S, floor())
    assert sliding["person_sliding_cm_s"] == pytest.approx(20)
    assert "person_sliding_cm_s" not in of_feet(feet(speed=0.2), ~CONTACT, TIMES_S, floor())


def test_peaks_are_by_true_time():
    joints = np.zeros((FRAMES, 1, 3))
    joints[:, 0, 0] = 2.0 * TIMES_S
    found = motion_peaks(joints, TIMES_S)
    assert found["person_joint_speed_m_s"] == pytest.approx(2)
    assert found["person_jerk_m_s3"] == pytest.approx(0, abs=1e-6)
    assert motion_peaks(joints, TIMES_S / 2)["person_joint_speed_m_s"] == pytest.approx(4)


def person(knee: np.ndarray, elbow: np.ndarray) -> np.ndarray:
    """Matched points of somebody who bends the left knee and the right elbow, radians."""
    rest = {
        "hip": (0.1, 0.0, 0.9), "knee": (0.1, 0.0, 0.5), "ankle": (0.1, 0.0, 0.1),
        "shoulder": (0.2, 0.0, 1.4), "elbow": (0.2, 0.0, 1.1), "wrist": (0.2, 0.0, 0.8),
    }  # fmt: skip
    points = np.zeros((FRAMES, len(POINTS), 3))
    for name, place in rest.items():
        points[:, POINTS.index(f"left_{name}")] = place
        points[:, POINTS.index(f"right_{name}")] = np.array(place) * [-1, 1, 1]
    for end, middle, length, angle in (
        ("left_ankle", "left_knee", 0.4, knee), ("right_wrist", "right_elbow", 0.3, elbow),
    ):  # fmt: skip
        away = np.stack([0 * angle, np.sin(angle), -np.cos(angle)], axis=1)
        points[:, POINTS.index(end)] = points[:, POINTS.index(middle)] + length * away
    return points


STILL, SWING = np.zeros(FRAMES), 0.5 + 0.5 * np.sin(6 * TIMES_S)


def test_a_robot_that_moves_as_the_person_does_is_alike():
    theirs = bends(person(SWING, SWING))
    found = articulation(bends(0.7 * person(SWING, SWING)), theirs)
    assert found["articulation"] == pytest.approx(1)
    assert found["articulation_correlation"] == pytest.approx(1)


def test_one_frozen_joint_of_a_person_who_moves_is_found():
    found = articulation(bends(person(SWING, STILL)), bends(person(SWING, SWING)))
    assert found["articulation"] == pytest.approx(0, abs=1e-6)


def test_a_joint_that_moves_at_other_times_is_found():
    found = articulation(bends(person(1 - SWING, SWING)), bends(person(SWING, SWING)))
    assert found["articulation"] == pytest.approx(1)
    assert found["articulation_correlation"] == pytest.approx(-1)


def test_a_person_who_just_stands_says_nothing_against_a_robot_that_stands():
    assert articulation(bends(person(STILL, STILL)), bends(person(STILL, STILL))) == {}
