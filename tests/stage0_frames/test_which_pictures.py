"""The stream that moves, in one size; and folders of pictures."""

import av
import numpy as np
import pytest
from PIL import Image

from stages.artifacts.images import read_times
from tests.stage0_frames.films import (
    HEIGHT,
    WIDTH,
    frames_of,
    frames_stage,
    levels,
    picture,
    steady,
    write_video,
)


def join(path, *sources):
    """One file with the first video stream of each."""
    with av.open(str(path), "w") as target:
        inputs = [av.open(str(source)) for source in sources]
        streams = [target.add_stream_from_template(each.streams.video[0]) for each in inputs]
        for each, stream in zip(inputs, streams, strict=True):
            for packet in each.demux(video=0):
                if packet.size:
                    packet.stream = stream
                    target.mux(packet)
            each.close()


@pytest.mark.parametrize("suffix", ["mov", "mkv"])
def test_the_stream_that_moves_is_taken(data, suffix):
    write_video(data / "still.mp4", [0])
    write_video(data / "moves.mp4", steady(20))
    join(data / "videos" / f"v.{suffix}", data / "still.mp4", data / "moves.mp4")
    result = frames_stage()
    assert levels(data, "v") == list(range(20))
    assert "stream 2 of 2 is taken" in result.output.replace("\n", " ")


def of_sizes(path, sizes):
    """MPEG-TS whose picture changes: 10 frames of each size."""
    content = b""
    for number, (width, height) in enumerate(sizes):
        part = path.with_name(f"{number}.ts")
        with av.open(str(part), "w") as container:
            stream = container.add_stream("libx264", rate=30, options={"bf": "0", "crf": "0"})
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            for at in range(10):
                level = 4 * (10 * number + at)
                frame = av.VideoFrame.from_ndarray(picture(level, width, height), format="rgb24")
                frame.pts = at
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        content += part.read_bytes()
        part.unlink()
    path.write_bytes(content)


def test_a_size_that_changes_becomes_the_largest(data):
    of_sizes(data / "videos" / "v.ts", [(WIDTH, HEIGHT), (2 * WIDTH, 2 * HEIGHT)])
    frames_stage()
    frames = frames_of(data, "v")
    assert {frame.shape for frame in frames} == {(2 * HEIGHT, 2 * WIDTH, 3)}
    # Scaling costs a level or two of grey.
    assert np.abs(np.array(levels(data, "v")) - np.arange(20)).max() <= 1
    note = read_times(data / "input_images" / "v" / "cam01").note
    assert f"all are scaled to {2 * WIDTH}x{2 * HEIGHT}" in note


def test_a_shape_that_changes_is_refused_with_the_place(data):
    of_sizes(data / "videos" / "v.ts", [(WIDTH, HEIGHT), (HEIGHT, WIDTH)])
    result = frames_stage()
    said = result.output.replace("\n", " ")
    assert result.exit_code == 1
    assert f"of {HEIGHT}x{WIDTH}" in said and "cut it where they change" in said
    assert not (data / "input_images" / "v").exists()


@pytest.mark.parametrize("fps", [None, 24])
def test_a_folder_of_pictures_is_a_video(data, fps):
    folder = data / "videos" / "walk"
    folder.mkdir()
    for number in (1, 2, 10):
        Image.fromarray(picture(4 * number)).save(folder / f"IMG{number}.JPG", quality=95)
    result = frames_stage(*(() if fps is None else ("--fps", str(fps))))
    assert result.exit_code == 0
    assert levels(data, "walk") == [1, 2, 10]
    times = read_times(data / "input_images" / "walk" / "cam01")
    assert times is None if fps is None else np.allclose(times.times_s, np.arange(3) / fps)
    assert ("their rate is not known" in result.output) == (fps is None)


def test_pictures_of_two_sizes_are_refused_by_name(data):
    folder = data / "videos" / "walk"
    folder.mkdir()
    for number, width in ((1, 64), (2, 32)):
        Image.fromarray(picture(9, width)).save(folder / f"{number}.png")
    said = frames_stage().output.replace("\n", " ")
    assert "2.png is 32x48 but 1.png is 64x48" in said


@pytest.mark.parametrize(
    ("suffix", "codec"), [("3gp", "mpeg4"), ("mts", "libx264"), ("gif", "gif")]
)
def test_other_containers_are_taken(data, suffix, codec):
    path = data / "videos" / f"v.{suffix}"
    if codec == "gif":
        Image.fromarray(picture(0)).save(
            path,
            save_all=True,
            duration=40,
            append_images=[Image.fromarray(picture(4 * level)) for level in range(1, 12)],
        )
    else:
        (data / "videos" / "x").mkdir()
        write_video(data / "videos" / "x" / "v.mkv", steady(12), codec=codec)
        with av.open(str(data / "videos" / "x" / "v.mkv")) as source:
            kind = {"3gp": "3gp", "mts": "mpegts"}[suffix]
            with av.open(str(path), "w", format=kind) as target:
                stream = target.add_stream_from_template(source.streams.video[0])
                for packet in source.demux(video=0):
                    if packet.size:
                        packet.stream = stream
                        target.mux(packet)
    assert frames_stage().exit_code == 0
    assert len(levels(data, "v")) == 12


def test_what_is_left_out_is_said_also_where_nothing_is_taken(data):
    (data / "videos" / "talk.mp3").touch()
    result = frames_stage()
    assert result.exit_code == 2
    assert "talk.mp3 is left out: not a video file of a known kind" in result.output


def test_bad_notes_are_known_before_the_first_frame(data):
    write_video(data / "videos" / "v.mp4", steady(3))
    (data / "videos" / "v.json").write_text('{"height_cm": 183}')
    result = frames_stage()
    assert result.exit_code == 1
    assert "not known, 'height_cm'" in result.output.replace("\n", " ")
    assert not (data / "input_images" / "v").exists()
