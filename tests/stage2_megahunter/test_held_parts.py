"""Whoever sits stays on the seat, however near the pictures make them."""

from dataclasses import replace

import numpy as np
import pytest

from bench.robustness.scenes import BODY, PICKER, WIDTH
from stages.artifacts.bodies import PersonBody
from stages.artifacts.contacts import PersonContact
from stages.artifacts.keypoints import PersonKeypoints
from stages.artifacts.masks import PersonLabel
from stages.body.joint_names import SMPL24_NAMES
from stages.body.surface_parts import seat
from stages.geometry.rotations import matrix_from_rotvec
from stages.people.contact_parts import PARTS, contact_parts
from stages.people.posing import posed_points
from stages.people.sources import FramePeople, track_of
from stages.stage2_megahunter.optimisation import solve_scene
from stages.stage2_megahunter.scene_samples import SceneSamples

GROWS = 0.05
"""So much smaller, then larger, a person seems while they lean forwards and back."""
SEAT = -1


def sitting(frames: int) -> np.ndarray:
    turns = np.zeros((frames, 24, 3))
    for side in ("left", "right"):
        turns[:, SMPL24_NAMES.index(f"{side}_hip"), 0] = -1.5
        turns[:, SMPL24_NAMES.index(f"{side}_knee"), 0] = 1.5
    return matrix_from_rotvec(turns)


@pytest.fixture(scope="module")
def sitter(noisy):
    """Somebody who sits before a moving camera, seen exactly but for their size; nothing is known
    of the place and of their feet."""
    T = len(noisy.track.valid)
    rotmats, root = sitting(T), np.tile(noisy.motion.root_m[T // 2], (T, 1))
    rotmats[:, 0] = noisy.motion.local_rotmats[T // 2, 0]
    keypoints, _ = posed_points(rotmats, root, PICKER.skeleton(noisy.motion.betas))
    inverse = np.linalg.inv(noisy.Ts_true)
    R, t = inverse[:, :3, :3], inverse[:, :3, 3]
    local = np.einsum("tab,tkb->tka", R, keypoints) + t[:, None]
    K = noisy.cameras.intrinsics
    pixels = local[..., :2] / local[..., 2:] * 0.9 * WIDTH + K[:, None, :2, 2]
    middle = pixels.mean(axis=1, keepdims=True)
    grown = 1 + GROWS * np.linspace(-1, 1, T)
    pixels = middle + grown[:, None, None] * (pixels - middle)
    rotmats[:, 0] = R @ rotmats[:, 0]
    track = replace(
        noisy.track,
        pixels=pixels,
        scores=np.ones((T, 18)),
        boxes=np.concatenate([pixels.min(1) - 8, pixels.max(1) + 8], axis=1),
        rotmats=rotmats,
        betas=noisy.motion.betas,
        contacts=np.zeros((T, 2), bool),
    )
    blank = SceneSamples(*(np.zeros_like(values) for values in vars(noisy.around).values()))
    return replace(noisy, track=track, around=blank)


def spread_m(sitter, part_contacts):
    """How far the pelvis is from its usual place."""
    track = replace(sitter.track, part_contacts=part_contacts)
    found = solve_scene(sitter.cameras, [track], [sitter.around], PICKER)
    root = found.people[0].root
    return np.linalg.norm(root - np.median(root, axis=0), axis=1).max(), found


def of_seat(touching):
    return np.eye(1, PARTS, PARTS + SEAT, dtype=bool) & touching[:, None]


@pytest.fixture(scope="module")
def unheld(sitter):
    return spread_m(sitter, None)


def test_a_seat_that_touches_holds_the_body_where_it_is(sitter, unheld):
    always = of_seat(np.ones(len(sitter.track.valid), bool))
    held, found = spread_m(sitter, always)
    assert unheld[0] > 0.08
    assert held < 0.03
    assert np.isfinite(found.term_costs["held parts"])


def test_contact_that_flickers_holds_as_well(sitter):
    seen = np.arange(len(sitter.track.valid)) % 4 > 0
    assert spread_m(sitter, of_seat(seen))[0] < 0.03


def test_without_such_contacts_nothing_changes(sitter, unheld):
    never = of_seat(np.zeros(len(sitter.track.valid), bool))
    _, found = spread_m(sitter, never)
    for name in ("root", "rotmats"):
        same = (getattr(each.people[0], name) for each in (found, unheld[1]))
        np.testing.assert_array_equal(*same)
    assert found.term_costs == unheld[1].term_costs


def test_a_track_says_which_parts_touch(noisy):
    vertices = np.zeros((6890, 1), np.float32)
    vertices[seat(BODY)] = 0.9
    eye = np.eye(3, dtype=np.float32)
    frame = FramePeople(
        {1: PersonLabel(1, (0, 0, 10, 10), 1.0)},
        {1: PersonKeypoints(np.ones(5, np.float32), np.ones((133, 3), np.float32))},
        {1: PersonBody(eye[None], np.tile(eye, (23, 1, 1)), np.zeros(10, np.float32))},
        {1: PersonContact(vertices, False, False)},
    )
    cameras = noisy.cameras.at(np.arange(1))
    track = track_of(1, [frame], cameras, None, contact_parts(BODY))
    assert track.part_contacts is not None
    np.testing.assert_array_equal(track.part_contacts, of_seat(np.ones(1, bool)))
