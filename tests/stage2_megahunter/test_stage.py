"""The command on a small data folder: its file follows the contract, bad input has its reason."""

import shutil
from dataclasses import replace

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

from bench.robustness import scenes
from stages.artifacts.bodies import PersonBody, write_bodies
from stages.artifacts.contacts import PersonContact, write_contacts
from stages.artifacts.curation import Decision
from stages.artifacts.keypoints import PersonKeypoints, write_keypoints
from stages.artifacts.layout import DataFolder, WorldName
from stages.artifacts.masks import summarise, write_frame, write_summary
from stages.artifacts.people_and_world import opened_people_and_world
from stages.artifacts.video_notes import notes_path
from stages.artifacts.world import WorldFrame, heights_metadata, opened_world, write_world
from stages.body.model import DEMO_BODY
from stages.running.curation import save_decision
from stages.running.stage import Processed, check_inputs
from stages.stage2_megahunter.stage import MegahunterStage, main

VIDEO = "a walk.v2"
T = 14
MISSING = 5  # has no keypoints
ORIGINAL = (360, 640)


def write_people(data: DataFolder, scene, people: tuple[int, ...] = (3,)) -> None:
    """People in the same place; the first has the larger mask."""
    labels = []
    for t in range(T):
        track, name = scene.track, f"{t + 1:05d}"
        ids = np.zeros(ORIGINAL, np.uint16)
        x1, y1, x2, y2 = np.clip(2 * track.boxes[t], 1, 639).astype(int)
        for number, person in enumerate(people):
            ids[y1 + 4 * number : y2, x1:x2][:, :: number + 1] = person
        labels.append(write_frame(data.masks(VIDEO), name, ids, dict.fromkeys(people, 0.9)))
        keypoints = np.full((133, 3), np.nan)
        keypoints[5:23, :2], keypoints[5:23, 2] = 2 * track.pixels[t], track.scores[t]
        if t != MISSING:
            box = np.array([x1, y1, x2, y2, 1.0])
            seen = PersonKeypoints(box, keypoints)
            write_keypoints(data.keypoints(VIDEO), t + 1, dict.fromkeys(people, seen))
        body = PersonBody(track.rotmats[t, :1], track.rotmats[t, 1:], track.betas)
        write_bodies(data.bodies(VIDEO), t + 1, dict.fromkeys(people, body))
        feet = PersonContact(np.zeros((6890, 1)), *map(bool, track.contacts[t]))
        write_contacts(data.contacts(VIDEO), name, dict.fromkeys(people, feet))
    write_summary(data.masks(VIDEO), summarise(labels))


def world_frames(scene):
    K = scene.cameras.intrinsics[0].astype(np.float32)
    for t in range(T):
        depth = scenes.cast_depth(scene.terrain, scene.Ts_true[t], K) / scene.scale
        dynamic = np.zeros(depth.shape, bool)
        x1, y1, x2, y2 = scene.track.boxes[t].astype(int)
        dynamic[max(y1, 0) : y2, max(x1, 0) : x2] = True
        yield WorldFrame(
            f"{t + 1:05d}",
            np.zeros((*depth.shape, 3), np.uint8),
            K,
            scene.cameras.Ts_world_camera[t].astype(np.float32),
            depth.astype(np.float32),
            np.ones(depth.shape, np.float32),
            dynamic,
            np.array([[2.0, 0, 0], [0, 2.0, 0]]),
            measured=~dynamic,
        )


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    scene = scenes.scene("flat", 109, frames=T)
    data = DataFolder(tmp_path_factory.mktemp("data"))
    write_people(data, scene)
    name = WorldName("sfm", VIDEO, 0, T, 1)
    write_world(data.root / "input_sfm" / f"{name.stem}.h5", world_frames(scene))
    return data


def stage(data: DataFolder, **options) -> MegahunterStage:
    root = data.root
    return MegahunterStage(
        world_reconstruction_base_dir=root / "input_sfm",
        bbox_base_dir=root / "input_masks",
        pose2d_base_dir=root / "input_2d_poses",
        smpl_base_dir=root / "input_3d_meshes",
        contact_base_dir=root / "input_contacts",
        videos_dir=root / "videos",
        out_base_dir=root / "output_smpl_and_points",
        body_model=DEMO_BODY,
        **options,
    )


def processed(made: MegahunterStage) -> Processed:
    made.load()
    return made.process(VIDEO, check_inputs(made.inputs(VIDEO)))


@pytest.fixture(scope="module")
def solved(data):
    made = stage(data)
    return made, processed(made)


def test_the_file_is_as_the_contract_says_for_plain_h5py(data, solved):
    made, done = solved
    (path,) = made.outputs(VIDEO)
    assert (
        path.name
        == f"megahunter_sfm_reconstruction_results_{VIDEO}_cam01_frame_0_14_subsample_1.h5"
    )
    with h5py.File(path) as file:
        person = file["our_pred_humans_smplx_params/3"]
        shapes = {name: (d.shape, d.dtype.str) for name, d in person.items()}
        assert shapes == {
            "body_pose": ((T - 1, 23, 3, 3), "<f4"),
            "global_orient": ((T - 1, 1, 3, 3), "<f4"),
            "root_transl": ((T - 1, 1, 3), "<f4"),
            "betas": ((T - 1, 10), "<f4"),
        }
        assert len(file["person_frame_info_list"]) == 0
        names = file.attrs["/person_frame_info_list/3"].ravel().tolist()
        assert names == [f"{t:05d}" for t in range(1, T + 1) if t != MISSING + 1]
        slashed = [name for name in file.attrs if name.startswith("/")]
        assert slashed == ["/person_frame_info_list/3"]
        assert (person["betas"][:] == person["betas"][0]).all()
    assert "13 frames of 3" in done.note


def test_points_and_cameras_are_scaled_and_depths_are_not(data, solved):
    made, done = solved
    source = next((data.root / "input_sfm").glob("*.h5"))
    with (
        opened_world(source) as (before, _),
        opened_people_and_world(made.outputs(VIDEO)[0]) as after,
    ):
        scale = after.metadata["scale"]
        assert scale == pytest.approx(done.details["scale"])
        one, two = before["00004"], after.world["00004"]
        # Files hold 16 bits of a coordinate, rounded from what has 24 already.
        np.testing.assert_allclose(two.points, one.points * scale, rtol=2**-16 + 2**-24)
        np.testing.assert_allclose(
            two.T_world_camera[:3, 3], one.T_world_camera[:3, 3] * scale, rtol=1e-5, atol=1e-6
        )
        np.testing.assert_array_equal(two.T_world_camera[:3, :3], one.T_world_camera[:3, :3])
        np.testing.assert_array_equal(two.depth, one.depth)


def test_the_record_has_the_final_residual_of_every_term(solved):
    residuals = solved[1].details["residuals"]
    assert {"2d projection", "3d alignment", "ground contact", "planted feet"} <= set(residuals)


def test_a_known_height_scales_the_world(data, solved):
    tall = processed(stage(data, height_m=2.2))
    assert tall.details["scale"] > 1.1 * solved[1].details["scale"]


@pytest.fixture
def notes(data):
    """The notes beside the video, for one test."""
    path = notes_path(data.videos, VIDEO)
    path.parent.mkdir(exist_ok=True)
    yield path
    path.unlink()


def test_a_height_noted_beside_the_video_scales_the_world(data, solved, notes):
    notes.write_text('{"height_m": 2.2}')
    noted = processed(stage(data))
    assert noted.details["scale"] > 1.1 * solved[1].details["scale"]


def test_people_are_of_the_height_that_the_world_goes_with_unless_one_is_known(
    data, solved, tmp_path
):
    folder = tmp_path / "input_sfm"
    shutil.copytree(data.root / "input_sfm", folder)
    with h5py.File(next(folder.glob("*.h5")), "r+") as file:
        file.attrs.update(heights_metadata({3: 2.2, 7: 1.2}))
    made = replace(stage(data), world_reconstruction_base_dir=folder, out_base_dir=tmp_path / "out")
    assert processed(made).details["scale"] > 1.1 * solved[1].details["scale"]
    known = replace(made, height_m=1.5)
    assert processed(known).details["scale"] < solved[1].details["scale"]


def test_a_height_that_nobody_has_is_said_to_be_so(data, notes):
    notes.write_text('{"height_m": 180}')
    result = run(data, "--no-skip-existing")
    assert result.exit_code == 1
    assert "has no usable height_m: 180 m; write metres" in result.output.replace("\n", " ")


def test_the_robots_shape_shrinks_the_world(data):
    small, normal = (processed(stage(data, use_g1_shape=robots)) for robots in (True, False))
    assert small.details["scale"] < 0.95 * normal.details["scale"]


def run(data, *arguments):
    root = data.root
    flags = [
        "--world-reconstruction-base-dir", root / "input_sfm",
        "--bbox-base-dir", root / "input_masks",
        "--pose2d-base-dir", root / "input_2d_poses",
        "--smpl-base-dir", root / "input_3d_meshes",
        "--contact-base-dir", root / "input_contacts",
        "--videos-dir", root / "videos",
        "--out-base-dir", root / "output_smpl_and_points",
    ]  # fmt: skip
    return CliRunner().invoke(main, [*map(str, flags), *arguments])


def test_the_command_says_what_is_missing_and_who_makes_it(data):
    folder = data.keypoints(VIDEO)
    away = folder.with_name("away")
    folder.rename(away)
    try:
        result = run(data, "--no-skip-existing")
    finally:
        away.rename(folder)
    assert result.exit_code == 1
    assert "run stage0-vitpose or stage0-blazepose first" in result.output


def test_nobody_in_the_video_is_a_reason(data):
    folder = data.bodies(VIDEO)
    away = folder.with_name("away")
    folder.rename(away)
    folder.mkdir()
    try:
        result = run(data, "--no-skip-existing")
    finally:
        folder.rmdir()
        away.rename(folder)
    assert result.exit_code == 1
    assert "nobody has a body" in result.output


def test_a_height_and_the_robots_shape_exclude_each_other(data):
    assert run(data, "--height", "1.8", "--use-g1-shape").exit_code == 2


def test_the_person_whom_somebody_chose_is_followed_in_place_of_the_largest(data, tmp_path):
    two = DataFolder(tmp_path)
    write_people(two, scenes.scene("flat", 109, frames=T), people=(3, 5))
    shutil.copytree(data.root / "input_sfm", tmp_path / "input_sfm")
    save_decision(tmp_path, VIDEO, Decision("keep", person=5))
    for made, person in ((stage(two), 3), (stage(two, curated=True), 5)):
        processed(made)
        with opened_people_and_world(made.outputs(VIDEO)[0]) as found:
            assert found.ranking == [person]
