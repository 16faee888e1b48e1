"""Whatever is wrong with a video, it gets one clear line; the other videos finish."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import entry_points
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest

from stages.artifacts import masks
from stages.artifacts.layout import DataFolder
from stages.artifacts.truth import read_truth
from tests.pipeline.commands import DEMO_VIDEO, STAGE0, command, demo_pictures, write_video
from tests.pipeline.finished import FRAMES, VIDEO

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

GONE = range(9, 15)
"""Numbers of the frames in which the person is out of the picture."""


@pytest.fixture(scope="module")
def short_videos(tmp_path_factory):
    """`five`: 5 frames of the demo. `nobody`: the demo's place, its person painted over."""
    data = tmp_path_factory.mktemp("short")
    (data / "videos").mkdir()
    write_video(data / "videos" / "five.mp4", demo_pictures(range(5)))
    some = range(0, 50, 5)
    people = read_truth(DEMO_VIDEO.parents[1] / "truth" / DEMO_VIDEO.stem).person_ids[some] > 0
    empty = [
        cv2.inpaint(picture, cv2.dilate(mask.astype(np.uint8), np.ones((15, 15))), 5, 1)
        for picture, mask in zip(demo_pictures(some), people, strict=True)
    ]
    write_video(data / "videos" / "nobody.mp4", empty)
    stages = [*STAGE0, "stage1-sfm", "stage2-megahunter"]
    return data, {stage: command(stage, data) for stage in stages}


@pytest.mark.parametrize("stage", ["stage0-vitpose", "stage0-vimo", "stage0-bstro"])
def test_a_video_without_people_is_said_to_have_none_and_the_other_one_is_done(short_videos, stage):
    _, ran = short_videos
    assert ran["stage0-sam2"].reason("nobody") == "0 people, somebody in 0 of 10 frames"
    assert ran[stage].exit_code == 1
    assert ran[stage].failed_clearly("nobody")
    assert "no people" in ran[stage].reason("nobody")
    assert "run stage0-sam2 with another --text or other weights" in ran[stage].reason("nobody")
    assert ran[stage].outcome("five") == "done"


def test_a_place_without_people_is_reconstructed_but_nobody_is_placed_in_it(short_videos):
    _, ran = short_videos
    assert ran["stage1-sfm"].outcome("nobody") == "done"
    assert ran["stage2-megahunter"].exit_code == 1
    assert ran["stage2-megahunter"].failed_clearly("nobody")
    reason = ran["stage2-megahunter"].reason("nobody")
    assert "run stage0-vitpose or stage0-blazepose first" in reason


def test_five_frames_give_what_they_can_and_then_a_reason(short_videos):
    data, ran = short_videos
    assert {ran[stage].outcome("five") for stage in STAGE0} == {"done"}
    assert "padded" in ran["stage0-vimo"].reason("five")
    world = ran["stage1-sfm"]
    assert world.exit_code == 1
    assert world.failed_clearly("five")
    assert "gives 5 frames" in world.reason("five")
    assert len(list(DataFolder(data).bodies("five").iterdir())) == 5


def test_videos_side_by_side_end_as_they_do_one_after_the_other(short_videos):
    data, ran = short_videos
    command_file = Path(sys.executable).with_name("stage0-vimo")
    done = subprocess.run(
        [command_file, "--no-skip-existing", "--workers", "2"],
        env={**os.environ, "MIMICMILL_DATA": str(data)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == ran["stage0-vimo"].exit_code == 1
    assert "five: done" in done.stdout
    assert "nobody: failed" in done.stdout
    assert ran["stage0-vimo"].reason("nobody") in done.stdout


@pytest.fixture(scope="module")
def spoiled(chain, tmp_path_factory):
    """The finished video three times, each spoiled in its own way, then placed in the world."""
    data = tmp_path_factory.mktemp("spoiled")
    for video in ("a wrong mask", "b no numbers", "c gone for a while"):
        chain.copied_to(data, video)
    shutil.rmtree(data / "output_smpl_and_points")
    shutil.rmtree(data / "output_calib_mesh")
    folders = DataFolder(data)
    small = np.ones((90, 160), np.uint16)
    masks.write_frame(folders.masks("a wrong mask"), "00004", small, {1: 0.9})
    lose_numbers(folders.keypoints("b no numbers"))
    send_away(folders, "c gone for a while")
    flags = ["--pattern", "a wrong", "--no-skip-existing"]
    return data, command("stage2-megahunter", data), command("stage1-sfm", data, *flags)


def lose_numbers(folder: Path) -> None:
    """Keypoints of frames 3 to 5 are no numbers, and one elbow never is."""
    for number in range(1, FRAMES + 1):
        path = folder / f"pose_{number:05d}.json"
        record = json.loads(path.read_text())
        for keypoints in (person["keypoints"] for person in record.values()):
            keypoints[7] = [float("nan"), float("inf"), 0.9]
            if 3 <= number <= 5:
                keypoints[:] = [[float("nan")] * 3] * len(keypoints)
        path.write_text(json.dumps(record))


def send_away(folders: DataFolder, video: str) -> None:
    """Takes the person out of some frames, as the earlier stages leave such frames."""
    labels = []
    for number in range(1, FRAMES + 1):
        stem = f"{number:05d}"
        if number in GONE:
            nobody = np.zeros((360, 640), np.uint16)
            masks.write_frame(folders.masks(video), stem, nobody, {})
            (folders.keypoints(video) / f"pose_{stem}.json").unlink()
            (folders.bodies(video) / f"smpl_params_{stem}.pkl").unlink()
            (folders.contacts(video) / f"{stem}.pkl").unlink()
        labels.append(masks.read_labels(folders.masks(video), stem))
    masks.write_summary(folders.masks(video), masks.summarise(labels))


def placed(data: Path, video: str) -> tuple[list[str], dict[str, np.ndarray]]:
    """Frames and arrays of the person that stage 2 placed."""
    (path,) = (data / "output_smpl_and_points").glob(f"*{video}*.h5")
    with h5py.File(path) as file:
        person = file["our_pred_humans_smplx_params"]["1"]
        frames = np.ravel(file.attrs["/person_frame_info_list/1"]).tolist()
        return frames, {name: dataset[:] for name, dataset in person.items()}


def test_a_mask_of_the_wrong_size_fails_alone_by_name(spoiled):
    data, placing, mapping = spoiled
    video = "a wrong mask"
    mask = str(masks.mask_path(DataFolder(data).masks(video), "00004"))
    for ran in (placing, mapping):
        assert ran.exit_code == 1
        assert ran.failed_clearly(video)
        assert ran.reason(video).startswith(f"{mask}: mask is ")
        assert "run " in ran.reason(video)
    assert {entry["outcome"] for name, entry in placing.entries.items() if name != video} == {
        "done"
    }
    assert len(list((data / "input_sfm").glob(f"*{video}*.h5"))) == 1  # The older one is kept.


def test_keypoints_that_are_no_numbers_count_as_not_seen(spoiled):
    data, placing, _ = spoiled
    assert placing.outcome("b no numbers") == "done"
    frames, person = placed(data, "b no numbers")
    assert len(frames) == FRAMES
    assert all(np.isfinite(array).all() for array in person.values())


def test_a_person_who_leaves_and_soon_returns_has_one_motion_that_says_where_they_were_not(spoiled):
    data, placing, _ = spoiled
    assert placing.outcome("c gone for a while") == "done"
    frames, person = placed(data, "c gone for a while")
    assert [int(frame) for frame in frames] == [n for n in range(1, FRAMES + 1) if n not in GONE]
    # Nobody walks off at more than 5 m/s while out of sight.
    steps = np.linalg.norm(np.diff(person["root_transl"][:, 0], axis=0), axis=1)
    assert steps.max() < 5 * (len(GONE) + 1) / 15
    coarse = ["--voxel", "0.1"]  # The mesh is not what this test is about.
    for stage, flags in (("stage3-postprocess", coarse), ("stage4-retarget", [])):
        ran = command(stage, data, "--pattern", "gone for", *flags)
        assert ran.exit_code == 0, ran.output
    (motion,) = data.glob("output_calib_mesh/*gone*/retarget_poses_g1.h5")
    with h5py.File(motion) as file:
        assert np.isfinite(file["link_pos"][:]).all()
        assert file["frame_numbers"][:].tolist() == list(range(1, FRAMES + 1))
        assert (np.flatnonzero(~file["seen"][:]) + 1).tolist() == list(GONE)


SAM2, VITPOSE, VIMO = (
    f"stage0-{network} or stage0-blazepose" for network in ("sam2", "vitpose", "vimo")
)


@pytest.mark.parametrize(
    ("stage", "missing", "made_by"),
    [
        ("stage0-vitpose", "input_masks/{video}/cam01/meta_data.json", SAM2),
        ("stage0-vimo", "input_masks/{video}/cam01/json_data", SAM2),
        ("stage0-bstro", "input_masks/{video}", SAM2),
        ("stage1-sfm", "input_masks/{video}/cam01/mask_data", SAM2),
        ("stage2-megahunter", "input_masks/{video}", SAM2),
        ("stage2-megahunter", "input_2d_poses/{video}", VITPOSE),
        ("stage2-megahunter", "input_3d_meshes/{video}", VIMO),
        (
            "stage4-retarget",
            "output_calib_mesh/{run}/gravity_calibrated_megahunter.h5",
            "stage3-postprocess",
        ),
    ],
)
def test_a_missing_earlier_stage_is_named_with_its_file(chain, tmp_path, stage, missing, made_by):
    data = chain.copied_to(tmp_path)
    (run,) = (path.name for path in (data / "output_calib_mesh").iterdir())
    lost = data / missing.format(video=VIDEO, run=run)
    shutil.rmtree(lost) if lost.is_dir() else lost.unlink()
    ran = command(stage, data)
    assert ran.exit_code == 1
    (video,) = ran.entries
    assert ran.failed_clearly(video)
    assert str(lost) in ran.reason(video)
    assert f"run {made_by} first" in ran.reason(video)


@pytest.mark.parametrize(
    ("stage", "flag"),
    [
        ("stage0-sam2", "--dino-checkpoint"),
        ("stage0-sam2", "--sam2-checkpoint"),
        ("stage0-vitpose", "--model-checkpoint"),
        ("stage0-vimo", "--model-checkpoint"),
        ("stage0-bstro", "--model-checkpoint"),
        ("stage3-postprocess", "--body-model"),
    ],
)
def test_missing_weights_are_named(chain, tmp_path, stage, flag):
    nowhere = tmp_path / "nowhere.safetensors"
    ran = command(
        stage, chain.copied_to(tmp_path / "data"), flag, str(nowhere), "--no-skip-existing"
    )
    assert ran.exit_code == 1
    (video,) = ran.entries
    assert ran.failed_clearly(video)
    # The start of a long path may be left out.
    said = ran.reason(video)
    assert re.search(r"nowhere\.safetensors\S* is missing|nowhere\.safetensors: ", said)


@pytest.mark.parametrize(
    ("stage", "folder"),
    [
        ("stage0-sam2", "input_images"),
        ("stage2-megahunter", "input_sfm"),
        ("stage3-postprocess", "output_smpl_and_points"),
        ("stage4-retarget", "output_calib_mesh"),
    ],
)
def test_a_stage_before_which_nothing_ran_says_so_and_exits_with_2(tmp_path, stage, folder):
    ran = command(stage, tmp_path)
    assert ran.exit_code == 2
    assert f"{tmp_path / folder}: no videos here" in ran.output
    assert "run the stage that writes to this folder" in ran.output


@pytest.mark.parametrize(
    ("stage", "folder"),
    [
        ("stage0-vitpose", "input_2d_poses"),
        ("stage1-sfm", "input_sfm"),
        ("stage2-megahunter", "output_smpl_and_points"),
        ("stage3-postprocess", "output_calib_mesh"),
    ],
)
def test_a_file_where_all_results_should_go_is_refused_and_stays(chain, tmp_path, stage, folder):
    data = chain.copied_to(tmp_path)
    shutil.rmtree(data / folder)
    (data / folder).write_text("notes")
    ran = command(stage, data)
    assert ran.exit_code == 2
    assert f"Directory '{data / folder}' is a file." in ran.output
    assert (data / folder).read_text() == "notes"


def test_a_file_where_one_video_s_results_should_go_fails_that_video_alone(tmp_path):
    (tmp_path / "videos").mkdir()
    for video in ("first", "second"):
        write_video(tmp_path / "videos" / f"{video}.mp4", demo_pictures(range(3)))
    (tmp_path / "input_images").mkdir()
    (tmp_path / "input_images" / "first").write_text("notes")
    ran = command("stage0-frames", tmp_path)
    assert ran.exit_code == 1
    assert "a file is where a folder should be; move it" in ran.reason("first")
    assert str(tmp_path / "input_images" / "first") in ran.reason("first")
    assert ran.outcome("second") == "done"
    assert (tmp_path / "input_images" / "first").read_text() == "notes"


@pytest.fixture
def read_only_folder():
    """A data folder with a video that nobody may write to, not even root, who becomes nobody."""
    data = Path(tempfile.mkdtemp(prefix="mimicmill-read-only-"))
    (data / "videos").mkdir()
    write_video(data / "videos" / "five.mp4", demo_pictures(range(5)))
    data.chmod(0o555)
    yield data
    data.chmod(0o755)
    shutil.rmtree(data)


def test_a_read_only_data_folder_is_one_line_that_says_what_to_do(read_only_folder):
    # The command is loaded first: nobody may have no right to read the environment.
    (script,) = entry_points(group="console_scripts", name="stage0-frames")
    script.load()
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        ran = command("stage0-frames", read_only_folder)
    finally:
        os.seteuid(user)
    assert ran.exit_code == 1
    assert ran.output.strip() == (
        f"stage0-frames: {read_only_folder / 'input_images'}: no permission; make it writable for"
        " this user or choose another folder"
    )
