"""The command on a small data folder: its file follows the contract, bad input has its reason."""

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

from stages.artifacts.bodies import PersonBody, write_bodies
from stages.artifacts.contacts import PersonContact, write_contacts
from stages.artifacts.keypoints import PersonKeypoints, write_keypoints
from stages.artifacts.layout import DataFolder, WorldName
from stages.artifacts.masks import summarise, write_frame, write_summary
from stages.artifacts.people_and_world import opened_people_and_world
from stages.artifacts.video_notes import notes_path
from stages.artifacts.world import WorldFrame, opened_world, write_world
from stages.stage2_megahunter.cli import main
from stages.stage2_megahunter.stage import MegahunterStage
from tools.robustness import scenes

VIDEO = "a walk.v2"
T = 14
MISSING = 5  # has no keypoints
ORIGINAL = (360, 640)


def write_people(data: DataFolder, scene) -> None:
    labels = []
    for t in range(T):
        track, name = scene.track, f"{t + 1:05d}"
        ids = np.zeros(ORIGINAL, np.uint16)
        x1, y1, x2, y2 = np.clip(2 * track.boxes[t], 1, 639).astype(int)
        ids[y1:y2, x1:x2] = 3
        labels.append(write_frame(data.masks(VIDEO), name, ids, {3: 0.9}))
        keypoints = np.full((133, 3), np.nan)
        keypoints[5:23, :2], keypoints[5:23, 2] = 2 * track.pixels[t], track.scores[t]
        if t != MISSING:
            box = np.array([x1, y1, x2, y2, 1.0])
            write_keypoints(data.keypoints(VIDEO), t + 1, {3: PersonKeypoints(box, keypoints)})
        body = PersonBody(track.rotmats[t, :1], track.rotmats[t, 1:], track.betas)
        write_bodies(data.bodies(VIDEO), t + 1, {3: body})
        feet = PersonContact(np.zeros((6890, 1)), *map(bool, track.planted[t]))
        write_contacts(data.contacts(VIDEO), name, {3: feet})
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
        root / "input_sfm",
        root / "input_masks",
        root / "input_2d_poses",
        root / "input_3d_meshes",
        root / "input_contacts",
        root / "videos",
        root / "output_smpl_and_points",
        scenes.BODY_FILE,
        **options,
    )


@pytest.fixture(scope="module")
def solved(data):
    made = stage(data)
    made.load()
    note = made.process(VIDEO)
    return made, note


def test_the_file_is_as_the_contract_says_for_plain_h5py(data, solved):
    made, note = solved
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
    assert "13 frames of 3" in note


def test_points_and_cameras_are_scaled_and_depths_are_not(data, solved):
    made, _ = solved
    source = next((data.root / "input_sfm").glob("*.h5"))
    with (
        opened_world(source) as (before, _),
        opened_people_and_world(made.outputs(VIDEO)[0]) as after,
    ):
        scale = after.metadata["scale"]
        assert scale == pytest.approx(made.details["scale"])
        one, two = before["00004"], after.world["00004"]
        # Files hold 16 bits of a coordinate.
        np.testing.assert_allclose(two.points, one.points * scale, rtol=2**-16)
        np.testing.assert_allclose(
            two.T_world_camera[:3, 3], one.T_world_camera[:3, 3] * scale, rtol=1e-5, atol=1e-6
        )
        np.testing.assert_array_equal(two.T_world_camera[:3, :3], one.T_world_camera[:3, :3])
        np.testing.assert_array_equal(two.depth, one.depth)


def test_the_record_has_the_final_residual_of_every_term(solved):
    made, _ = solved
    residuals = made.run_details()["residuals"]
    assert {"2d projection", "3d alignment", "ground contact", "planted feet"} <= set(residuals)


def test_a_known_height_scales_the_world(data, solved):
    tall = stage(data, height_m=2.2)
    tall.load()
    before = solved[0].details["scale"]
    tall.process(VIDEO)
    assert tall.details["scale"] > 1.1 * before


@pytest.fixture
def notes(data):
    """The notes beside the video, for one test."""
    path = notes_path(data.videos, VIDEO)
    path.parent.mkdir(exist_ok=True)
    yield path
    path.unlink()


def test_a_height_noted_beside_the_video_scales_the_world(data, solved, notes):
    notes.write_text('{"height_m": 2.2}')
    noted = stage(data)
    noted.load()
    noted.process(VIDEO)
    assert noted.details["scale"] > 1.1 * solved[0].details["scale"]


def test_a_height_that_nobody_has_is_said_to_be_so(data, notes):
    notes.write_text('{"height_m": 180}')
    result = run(data, "--no-skip-existing")
    assert result.exit_code == 1
    assert "a height of 180 m is not one of an adult" in result.output


def test_the_robots_shape_shrinks_the_world(data):
    small, normal = stage(data, use_g1_shape=True), stage(data)
    for made in (small, normal):
        made.load()
        made.process(VIDEO)
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
    assert "run stage0-vitpose first" in result.output


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
