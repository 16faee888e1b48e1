"""Of a damaged file everything sound is taken, nothing else, and what is missing is said."""

import av
import pytest

from stages.artifacts.images import read_times
from stages.running import ledger
from tests.stage0_frames.films import destroy_packet, frames_stage, levels, steady, write_video


def extract(data, number, **options):
    """Levels of the frames of a video of 60 frames and a key frame each 15, and what was said."""
    path = data / "videos" / "v.mp4"
    write_video(path, steady(60), g="15", **options)
    destroy_packet(path, number)
    assert frames_stage().exit_code == 0
    return levels(data, "v"), read_times(data / "input_images" / "v" / "cam01").note


@pytest.mark.parametrize(("number", "lost"), [(20, range(20, 30)), (30, range(30, 45))])
def test_frames_go_on_at_the_next_key_frame(data, number, lost):
    shown, note = extract(data, number, bf="0")
    assert set(shown) == set(range(60)) - set(lost)
    assert f"damaged: {len(lost)} frames left out" in note
    assert f"from {lost[0] / 30:.2f} to {lost[-1] / 30:.2f} s" in note
    assert f"{len(lost)} repeated" in note
    # The clock goes on over what is missing: every frame is where its time is.
    assert [level for at, level in enumerate(shown) if at not in lost] == sorted(
        set(range(60)) - set(lost)
    )
    assert ledger.read(data)[-1]["details"]["damaged"] == len(lost)


def test_a_damaged_start_is_left_out(data):
    shown, note = extract(data, 0, bf="0")
    assert shown == list(range(15, 60))
    assert "from 0.00 to 0.47 s" in note


def test_frames_in_another_order_than_shown_lose_what_refers_to_the_lost_one(data):
    shown, note = extract(data, 20, bf="3")
    lost = set(range(60)) - set(shown)
    assert lost and lost <= set(range(15, 30))
    assert f"damaged: {len(lost)} frames left out" in note


def test_another_codec_loses_no_more(data):
    path = data / "videos" / "v.mp4"
    write_video(path, steady(60), codec="mpeg4", g="15")
    destroy_packet(path, 20)
    frames_stage()
    assert ledger.read(data)[-1]["details"] == {"damaged": 10, "dropped": 0, "repeated": 10}


def test_a_file_that_ends_early_says_so(data):
    path = data / "videos" / "v.mp4"
    write_video(data / "whole.mp4", steady(90), movflags="faststart")
    with (
        av.open(str(data / "whole.mp4")) as source,
        av.open(str(path), "w", options={"movflags": "faststart"}) as target,
    ):
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                target.mux(packet)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])
    assert frames_stage().exit_code == 0
    assert "of 3.0 s" in read_times(data / "input_images" / "v" / "cam01").note


def test_sound_files_of_all_kinds_lose_nothing(data):
    write_video(data / "videos" / "b_frames.mp4", steady(40), bf="3")
    write_video(
        data / "videos" / "open_gop.mkv",
        steady(40),
        bf="3",
        g="10",
        **{"x264-params": "open-gop=1"},
    )
    write_video(data / "videos" / "fields.ts.mkv", steady(40), **{"x264-params": "tff=1"})
    write_video(data / "videos" / "mpeg4.avi", steady(40), codec="mpeg4")
    write_video(data / "videos" / "mpeg2.mov", steady(40), codec="mpeg2video")
    result = frames_stage()
    assert result.exit_code == 0
    assert "damaged" not in result.output and "complains" not in result.output
    for name in ("b_frames", "open_gop", "fields.ts", "mpeg4", "mpeg2"):
        assert len(levels(data, name)) == 40
