"""The command: what stage 0 made in, a world file of the contract out."""

import h5py
import numpy as np
import pytest

from stages.artifacts.curation import Decision
from stages.artifacts.layout import DataFolder
from stages.artifacts.world import opened_world
from stages.body.model import DEMO_BODY
from stages.running import DeclinedError, VideoError
from stages.running.curation import save_decision
from stages.running.reconstructions import current
from stages.running.stage import check_inputs
from stages.stage1_ground.stage import GroundStage
from tests.stage1_ground.planted import (
    BOX,
    FLAT,
    FRAMES_A_PLACE,
    Video,
    cameras,
    person,
    write_video,
)

T = FRAMES_A_PLACE * len(BOX)
STANDS, TURNS = np.zeros(T), np.linspace(-9, 9, T) + 9


def stage(video: Video, **options) -> GroundStage:
    root = video.data.root
    return GroundStage(
        video_base_dir=root / "input_images",
        bbox_base_dir=root / "input_masks",
        pose2d_base_dir=root / "input_2d_poses",
        smpl_base_dir=root / "input_3d_meshes",
        contact_base_dir=root / "input_contacts",
        videos_dir=root / "videos",
        outdir=root / "input_ground",
        body_model=DEMO_BODY,
        **options,
    )


def processed(made: GroundStage, video: Video):
    made.load()
    return made.process(video.name, check_inputs(made.inputs(video.name)))


@pytest.fixture(scope="module")
def standing(tmp_path_factory):
    data = DataFolder(tmp_path_factory.mktemp("standing"))
    video = write_video(data, "stands", [person(BOX, cameras(STANDS))], STANDS)
    made = stage(video)
    return video, made, processed(made, video)


def test_the_line_says_aloud_what_is_assumed(standing):
    _, _, done = standing
    assert done.note.startswith("the camera stands: flat ground assumed; 1 raised piece (0.3")
    assert "focal 0.85 of the long side, assumed" in done.note


def test_the_file_has_the_data_sets_of_the_contract(standing):
    video, made, _ = standing
    (path,) = made.outputs(video.name)
    folders = [video.data.root / "input_ground"]
    assert current(video.data.root, folders, video.name).stem == path.stem
    with h5py.File(path) as file:
        frames = file["monst3r_ga_output"]
        assert list(frames) == [f"{t:05d}" for t in range(1, T + 1)]
        shapes = {name: (each.shape, each.dtype.str) for name, each in frames["00001"].items()}
        assert shapes == {
            "rgbimg": ((288, 512, 3), "|u1"),
            "intrinsic": ((3, 3), "<f4"),
            "cam2world": ((4, 4), "<f4"),
            "depths": ((288, 512), frames["00001/depths"].dtype.str),
            "pts3d": ((288, 512, 3), frames["00001/pts3d"].dtype.str),
            "conf": ((288, 512), "<f4"),
            "msk": ((288, 512), "|b1"),
            "dynamic_msk": ((288, 512), "|b1"),
            "affine_matrix": ((2, 3), "<f8"),
        }
        assert file.attrs["assumed"] == "flat ground, focal length"


def test_people_are_not_measured_but_the_ground_behind_them_is_known(standing):
    video, made, _ = standing
    with opened_world(made.outputs(video.name)[0]) as (world, _):
        frame = world["00010"]
        low = frame.dynamic & (np.arange(288)[:, None] > 160)
        assert low.any() and (frame.depth[low] > 0).all()
        assert not (frame.measured & frame.dynamic).any()
        assert (world.Ts_world_camera == np.eye(4, dtype=np.float32)).all()


def test_a_turning_camera_is_said_to_turn_and_its_focal_length_to_be_known(tmp_path):
    people = [person(BOX, cameras(TURNS))]
    video = write_video(DataFolder(tmp_path), "turns", people, TURNS)
    done = processed(stage(video, stride=3), video)
    assert done.note.startswith("the camera only turns: flat ground assumed; 1 raised piece (0.")
    assert "from the turning" in done.note
    assert done.details["turning_deg"] == pytest.approx(17.2, abs=0.3)


def test_without_contact_files_and_with_somebody_who_leaves_there_is_a_world(tmp_path):
    views = cameras(STANDS[:60])
    leaves = person(((1.5, 5.0, 0.0),) * 4, views, number=2)
    leaves.pixels[20:] += 1000
    people = [person(FLAT, views), leaves]
    video = write_video(DataFolder(tmp_path), "two", people, STANDS[:60], contacts=False)
    done = processed(stage(video), video)
    assert "0 raised pieces" in done.note


def test_nobody_with_feet_in_view_is_one_clear_line(tmp_path):
    track = person(FLAT, cameras(STANDS[:60]))
    track.pixels[:] += [0, 150]
    video = write_video(DataFolder(tmp_path), "busts", [track], STANDS[:60], frames=20)
    with pytest.raises(VideoError, match=r"^nobody stands still on a foot that is in view"):
        processed(stage(video), video)


def test_every_file_that_is_read_is_declared(standing, monkeypatch):
    video, made, _ = standing
    names = {each.name for each in made.inputs(video.name)}
    assert names == {
        "frames", "clock", "people", "labels", "masks", "keypoints", "bodies", "contacts", "notes",
        "known_betas",
    }  # fmt: skip


def test_with_auto_a_measured_world_comes_first(standing):
    video, made, _ = standing
    auto = stage(video, auto=True)
    own = made.outputs(video.name)[0].name
    other = video.data.root / "input_sfm" / own.replace("ground", "sfm", 1)
    other.parent.mkdir()
    other.touch()
    with pytest.raises(DeclinedError, match="stage1-sfm has measured"):
        processed(auto, video)
    other.unlink()
    assert "sfm" not in check_inputs(auto.inputs(video.name))


def test_a_trim_holds_where_that_is_asked_for_and_is_in_the_world_s_name(tmp_path):
    video = write_video(DataFolder(tmp_path), "stands", [person(BOX, cameras(STANDS))], STANDS)
    save_decision(tmp_path, video.name, Decision("keep", first_frame=3, last_frame=T - 3))
    whole, made = stage(video), stage(video, curated=True)
    assert whole.outputs(video.name)[0].stem.endswith(f"_frame_0_{T}_subsample_1")
    (path,) = made.outputs(video.name)
    assert path.stem.endswith(f"_frame_3_{T - 2}_subsample_1")
    processed(made, video)
    with opened_world(path) as (world, _):
        assert world.numbers == list(range(4, T - 1))
