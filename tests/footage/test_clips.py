import av
import numpy as np
import pytest
import torch
from click.testing import CliRunner

from stages.artifacts.truth import read_truth
from tools.footage.__main__ import main
from tools.footage.clips import ClipOptions, film, frame_times, plan_clip
from tools.footage.video import write_video

pytestmark = pytest.mark.tools

SMALL = ClipOptions(frames=12, fps=6.0, width=128, height=72)


@pytest.fixture(scope="module")
def filmed(model, body):
    clip = plan_clip("jump_box", 101, model, body, SMALL)
    return clip, *film(clip, body, "small", SMALL)


def test_the_camera_moves_and_keeps_the_person_in_view(filmed):
    _, _, truth = filmed
    centres = truth.T_world_camera[:, :3, 3]
    assert np.linalg.norm(np.diff(centres, axis=0), axis=1).sum() > 1.4
    body_points = truth.keypoints_px[0, :, :17]
    assert (body_points >= 0).all() and (body_points <= [127, 71]).all()


def test_truth_joints_project_inside_the_person(filmed):
    _, _, truth = filmed
    frame = 6
    T = np.linalg.inv(truth.T_world_camera[frame])
    in_camera = truth.joints_m[0, frame, :24] @ T[:3, :3].T + T[:3, 3]
    x, y = np.round((in_camera @ truth.K.T)[:, :2] / in_camera[:, 2:]).astype(int).T
    padded = np.pad(truth.person_ids[frame], 1)
    near = np.max([padded[y + dy, x + dx] for dy in range(3) for dx in range(3)], axis=0)
    assert (near == 1).all()


def test_a_planned_clip_follows_from_its_seed(filmed, model, body):
    clip, _, _ = filmed
    again = plan_clip("jump_box", 101, model, body, SMALL)
    assert torch.equal(clip.people.vertices_m, again.people.vertices_m)
    np.testing.assert_array_equal(clip.path.T_world_camera, again.path.T_world_camera)


def test_a_static_camera_stands_still_and_two_people_are_two(model, body):
    options = ClipOptions(frames=12, fps=4.0, width=128, height=72, camera="stands")
    clip = plan_clip("two_people", 102, model, body, options)
    assert np.ptp(clip.path.T_world_camera, axis=0).max() == 0
    assert len(clip.motions) == 2


def test_uneven_times_reach_the_video_file(filmed, tmp_path):
    _, images, _ = filmed
    times = frame_times(np.random.default_rng(0), ClipOptions(frames=12, uneven_times=True))
    write_video(tmp_path / "uneven.mp4", images, times)
    with av.open(str(tmp_path / "uneven.mp4")) as container:
        read = [frame.time for frame in container.decode(video=0)]
    np.testing.assert_allclose(np.subtract(read, read[0]), times, atol=1e-4)


def test_the_video_shows_the_frames(filmed, tmp_path):
    clip, images, _ = filmed
    write_video(tmp_path / "clip.mp4", images, clip.times_s)
    with av.open(str(tmp_path / "clip.mp4")) as container:
        assert float(container.streams.video[0].average_rate) == pytest.approx(6.0)
        read = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert np.abs(np.stack(read).astype(int) - images).mean() < 6


def test_a_video_that_cannot_fit_is_refused(filmed, tmp_path):
    clip, images, _ = filmed
    with pytest.raises(ValueError, match="render fewer frames"):
        write_video(tmp_path / "clip.mp4", images, clip.times_s, max_bytes=1000)


def test_the_command_writes_video_and_truth(tmp_path):
    arguments = ["--seed", "101", "--frames", "3", "--fps", "1", "--size", "64x36"]
    result = CliRunner().invoke(main, [*arguments, "--out", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "videos" / "jump_box_101.mp4").exists()
    assert read_truth(tmp_path / "truth" / "jump_box_101").kind == "jump_box"
    assert (tmp_path / "truth" / "jump_box_101" / "terrain.obj").exists()
