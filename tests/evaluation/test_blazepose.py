"""BlazePose as an independent judge: it agrees with what is right and finds what is exchanged."""

import json

import numpy as np
import pytest

from stages.artifacts.clock import frame_number
from stages.artifacts.images import write_image
from stages.artifacts.keypoints import PersonKeypoints, write_keypoints
from stages.artifacts.layout import LEDGER, DataFolder
from stages.artifacts.masks import PersonLabel, box_of, summarise, write_frame, write_summary
from stages.artifacts.people_and_world import PersonMotion
from stages.evaluation.plausibility import Measured, blazepose, measure
from stages.evaluation.plausibility.blazepose import distance_of, swap_share
from stages.evaluation.plausibility.body import SMPL_LIMBS
from stages.evaluation.plausibility.clip import Clip, Views
from stages.evaluation.plausibility.limbs import LIMBS, LIMBS_LEFT, LIMBS_RIGHT
from stages.evaluation.plausibility.second_look import (
    LEAST_FRAMES,
    LEAST_SEEN,
    Look,
    is_possible,
    look_at,
    looks_of,
)
from stages.evaluation.verdict import judge
from stages.weights.locate import FOLDER_VARIABLE

FRAMES = 20
HEIGHT_PX = 200.0
HEIGHTS_PX = np.full(FRAMES, HEIGHT_PX)
EXCHANGED = [*range(6, 12), *range(6)]
LEGS = [3, 4, 5]


def walker() -> np.ndarray:
    """Limbs of somebody who is seen from the front and goes to the right; their left is there."""
    limbs = np.ones((FRAMES, 12, 3))
    limbs[:, :6, 0], limbs[:, 6:, 0] = 130.0, 90.0
    limbs[..., 0] += 5.0 * np.arange(FRAMES)[:, None]
    limbs[..., 1] = np.tile([40.0, 80.0, 110.0, 110.0, 150.0, 190.0], 2)
    return limbs


def exchanged(limbs: np.ndarray, joints: list[int], frames: slice = slice(None)) -> np.ndarray:
    other = limbs.copy()
    for joint in joints:
        other[frames, joint], other[frames, joint + 6] = (
            limbs[frames, joint + 6],
            limbs[frames, joint],
        )
    return other


def test_two_who_see_the_same_agree():
    assert distance_of(walker(), walker(), HEIGHTS_PX) == 0
    assert swap_share(walker(), walker(), HEIGHTS_PX) == 0


def test_distance_is_over_the_height_of_the_box_and_of_the_middle_one():
    away = walker()
    away[..., 1] += 4.0
    away[:, 0, 1] += 100.0
    assert distance_of(walker(), away, HEIGHTS_PX) == pytest.approx(0.02)
    assert swap_share(walker(), away, HEIGHTS_PX) == 0


def test_a_mirrored_person_is_all_exchanged():
    mirrored = walker()[:, EXCHANGED]
    assert swap_share(walker(), mirrored, HEIGHTS_PX) == 1
    assert distance_of(walker(), mirrored, HEIGHTS_PX) == pytest.approx(0.2)


def test_a_mirrored_film_is_far_from_what_is_seen():
    mirrored = walker()[:, EXCHANGED] * [-1, 1, 1] + [640, 0, 0]
    assert distance_of(walker(), mirrored, HEIGHTS_PX) > 1


def test_a_swapped_limb_has_the_share_of_its_frames():
    swapped = exchanged(walker(), LEGS, slice(4, 9))
    assert swap_share(walker(), swapped, HEIGHTS_PX) == pytest.approx(5 / FRAMES)
    assert distance_of(walker(), swapped, HEIGHTS_PX) == 0, "a few frames move no median"


def test_joints_that_lie_together_cannot_be_told():
    together = walker()
    together[:, LEGS[1:], 0] = together[:, [10, 11], 0] + 8.0
    assert swap_share(together, exchanged(together, LEGS[1:]), HEIGHTS_PX) == 0


def test_sides_are_not_told_from_the_side():
    profile = walker()
    profile[:, [3, 9], 0] = 110.0
    assert np.isnan(swap_share(profile, exchanged(profile, [4, 5]), HEIGHTS_PX))
    some = walker()
    some[:12, [3, 9], 0] = 110.0
    assert swap_share(some, exchanged(some, [4, 5]), HEIGHTS_PX) == pytest.approx(8 / FRAMES)


def test_what_either_does_not_see_is_left_out():
    hidden, unknown = walker(), exchanged(walker(), [4])
    hidden[:, 4, 2] = 0.3
    assert swap_share(hidden, unknown, HEIGHTS_PX) == 0
    unknown[:, 10] = np.nan
    assert swap_share(walker(), unknown, HEIGHTS_PX) == 0
    nothing = np.full((FRAMES, 12, 3), np.nan)
    assert np.isnan(distance_of(walker(), nothing, HEIGHTS_PX))
    assert np.isnan(swap_share(walker(), nothing, HEIGHTS_PX))


def looked_at(root, keypoints: np.ndarray, score: float = 0.9) -> Clip:
    """A clip whose keypoints are these, and in which BlazePose sees the walker."""
    clip, names = Clip(DataFolder(root), "clip"), [f"{row + 1:05d}" for row in range(FRAMES)]
    for name, limbs in zip(names, keypoints, strict=True):
        write_image(clip.data.images("clip") / f"{name}.jpg", np.zeros((8, 8, 3), np.uint8))
        points = np.zeros((133, 3), np.float32)
        points[LIMBS, :2], points[LIMBS, 2] = limbs[:, :2], score
        entry = PersonKeypoints(np.array([90, 20, 130, 220, 1], np.float32), points)
        write_keypoints(clip.data.keypoints("clip"), frame_number(name), {1: entry})
    looks = {name: Look(seen, HEIGHT_PX) for name, seen in zip(names, walker(), strict=True)}
    clip.__dict__["second_looks"] = {1: looks}
    return clip


def test_keypoints_are_compared_in_percent(tmp_path):
    found = blazepose.keypoints(looked_at(tmp_path, walker() + np.array([0, 6, 0])))
    assert found == {
        "blazepose_keypoints": pytest.approx(3, abs=0.01),
        "blazepose_keypoint_swaps": 0,
    }


def with_body(root, limbs: np.ndarray) -> Clip:
    """A clip whose solved body has its limbs there, a metre before a camera."""
    clip = looked_at(root, walker())
    focal_px, names = 300.0, clip.frames
    K = np.tile(np.diag([focal_px, focal_px, 1.0]), (FRAMES, 1, 1))
    eye = np.tile(np.eye(4), (FRAMES, 1, 1))
    joints = np.ones((FRAMES, 24, 3))
    joints[:, SMPL_LIMBS, :2] = limbs[..., :2] / focal_px
    rotmats = np.zeros((FRAMES, 23, 3, 3), np.float32)
    motion = PersonMotion(
        names, rotmats, rotmats[:, 0], rotmats[:, 0, 0], np.zeros((FRAMES, 10), np.float32)
    )
    views = Views(names, K, eye, np.eye(2, 3))
    clip.__dict__.update(motions={1: motion}, joints={1: joints}, views=views)
    return clip


def test_the_solved_body_is_compared_as_the_camera_sees_it(tmp_path):
    found = blazepose.body(with_body(tmp_path, walker() + np.array([8, 0, 0])))
    assert found == {"blazepose_body": pytest.approx(4), "blazepose_body_swaps": 0}
    swapped = with_body(tmp_path, exchanged(walker(), LEGS, slice(4, 9)))
    found = blazepose.body(swapped)
    assert found["blazepose_body_swaps"] == pytest.approx(5 / FRAMES)
    assert judge(Measured(found)).verdict == "doubt"
    assert blazepose.keypoints(swapped)["blazepose_keypoint_swaps"] == 0


def test_a_mirrored_clip_and_a_swapped_limb_are_not_kept(tmp_path):
    for number, (wrong, verdict) in enumerate(
        [
            (walker(), "keep"),
            (walker()[:, EXCHANGED], "reject"),
            (walker()[:, EXCHANGED] * [-1, 1, 1] + [640, 0, 0], "reject"),
            (exchanged(walker(), LEGS, slice(4, 9)), "doubt"),
        ]
    ):
        found = blazepose.keypoints(looked_at(tmp_path / str(number), wrong))
        assert judge(Measured(found)).verdict == verdict


def test_keypoints_without_a_score_say_nothing(tmp_path):
    assert blazepose.keypoints(looked_at(tmp_path, walker()[:, EXCHANGED], score=0.1)) == {}


@pytest.fixture(scope="module")
def seen(estimator, stairs):
    """The demo's person in some frames: true limbs, BlazePose's look, and the box's height."""
    rows = range(0, len(stairs.pictures), 4)
    looks = [look_at(estimator, stairs.pictures[row], box_of(stairs.masks[row])) for row in rows]
    true = stairs.truth.keypoints_px[0][[stairs.numbers[row] for row in rows]][:, LIMBS]
    ours = np.array([look.limbs for look in looks])
    return ours, np.dstack([true, np.ones(true.shape[:2])]), np.array([e.height_px for e in looks])


def test_blazepose_sees_the_demos_person_where_the_truth_is(seen):
    ours, true, heights_px = seen
    assert distance_of(ours, true, heights_px) < 0.025
    assert swap_share(ours, true, heights_px) <= 1 / len(ours)


def test_it_sees_that_the_demos_person_is_exchanged(seen):
    ours, true, heights_px = seen
    assert swap_share(ours, true[:, EXCHANGED], heights_px) > 0.5
    swapped = exchanged(true, LEGS)
    assert swap_share(ours, swapped, heights_px) > 0.3


def test_nobody_is_seen_where_everybody_is_of_others(estimator, stairs):
    picture, mask = stairs.pictures[0], stairs.masks[0]
    assert look_at(estimator, picture, box_of(mask), mask) is None
    assert look_at(estimator, picture, box_of(mask), np.zeros_like(mask)) is not None


def test_somebody_beside_the_box_is_not_the_one_in_it(estimator, stairs):
    x1, y1, x2, y2 = box_of(stairs.masks[0])
    beside = (x1 - (x2 - x1) // 2, y1, (x1 + x2) // 2 - 20, y2)
    assert look_at(estimator, stairs.pictures[0], beside) is None


def test_looks_are_spread_over_frames_with_the_person_and_are_of_four_people(
    tmp_path, estimator, stairs
):
    pictures, labels, frames = {}, {}, {}
    for row in range(14):
        name = f"{row + 1:05d}"
        pictures[name] = tmp_path / f"{name}.png"
        write_image(pictures[name], stairs.pictures[row])
        nobody = np.zeros(stairs.pictures[row].shape[:2], np.uint16)
        write_frame(tmp_path, name, nobody, {})
        box = box_of(stairs.masks[row])
        there = (1, 2, 3, 4, 5) if row < 10 else (1,)
        labels[name] = {person: PersonLabel(person, box, 1.0) for person in there}
    frames = {person: list(pictures) for person in (1, 2, 3, 4, 5)}
    looks = looks_of(pictures, labels, tmp_path, frames)
    assert list(looks) == [1, 2, 3, 4]
    names = list(pictures)
    assert [*looks[1]][:2] == names[:2] and [*looks[1]][-1] == names[-1]
    assert len(looks[1]) == LEAST_FRAMES and list(looks[2]) == names[:10]


def with_black_frames(root) -> Clip:
    clip, labels = Clip(DataFolder(root), "clip"), []
    for frame in range(1, FRAMES + 1):
        write_image(clip.data.images("clip") / f"{frame:05d}.jpg", np.zeros((60, 80, 3), np.uint8))
        ids = np.zeros((60, 80), np.uint16)
        ids[10:50, 30:50] = 1
        labels.append(write_frame(clip.data.masks("clip"), f"{frame:05d}", ids, {1: 0.9}))
    write_summary(clip.data.masks("clip"), summarise(labels))
    return clip


def notes_of(clip: Clip) -> tuple[str, ...]:
    found = measure(clip)
    assert all(found.values[each.name] is None for each in blazepose.MEASURES)
    assert not any("BlazePose" in problem for problem in found.problems)
    return found.notes


def test_people_whom_blazepose_found_are_not_judged_by_it(tmp_path):
    done = {"stage": "stage0-blazepose", "video": "clip", "outcome": "done"}
    (tmp_path / LEDGER).write_text(json.dumps(done) + "\n")
    assert notes_of(with_black_frames(tmp_path)) == (
        "BlazePose found these people itself and cannot judge them",
    )


def test_where_its_weights_are_not_nothing_is_judged_and_what_to_do_is_said(tmp_path, monkeypatch):
    (tmp_path / "weights" / "blazepose").mkdir(parents=True)
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "weights"))
    assert not is_possible()
    (note,) = notes_of(with_black_frames(tmp_path))
    assert note.startswith("BlazePose cannot judge the people: ") and "make weights" in note


def test_people_whom_blazepose_does_not_see_are_not_judged(tmp_path, weights):
    assert is_possible()
    assert notes_of(with_black_frames(tmp_path)) == (
        f"BlazePose sees the people in fewer than {LEAST_SEEN} frames and cannot judge them",
    )


def test_what_does_not_apply_brings_nothing_into_doubt():
    verdict = judge(Measured({}, notes=("it does not apply",)))
    assert (verdict.verdict, verdict.notes) == ("keep", ["it does not apply"])


def test_the_limbs_are_left_ones_then_right_ones():
    assert LIMBS[:6] == LIMBS_LEFT and LIMBS[6:] == LIMBS_RIGHT
