"""A frame is what a player shows: turned, mirrored and stretched as the file says."""

from fractions import Fraction

import av
import av.filter
import numpy as np
import pytest

from tests.stage0_frames.films import (
    HEIGHT,
    WIDTH,
    frames_of,
    frames_stage,
    set_display_matrix,
    steady,
    write_video,
)

# What ffmpeg's program does with each matrix, in its own filters.
FILTERS = {
    (0, 1, -1, 0): [("transpose", "clock")],
    (-1, 0, 0, -1): [("hflip", None), ("vflip", None)],
    (0, -1, 1, 0): [("transpose", "cclock")],
    (-1, 0, 0, 1): [("hflip", None)],
    (1, 0, 0, -1): [("vflip", None)],
    (0, 1, 1, 0): [("transpose", "cclock_flip")],
    (0, -1, -1, 0): [("transpose", "clock_flip")],
}


def by_ffmpeg(path, filters):
    """The first frame through a chain of ffmpeg's filters, as RGB."""
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
    graph = av.filter.Graph()
    chain = [
        graph.add_buffer(
            width=frame.width,
            height=frame.height,
            format=frame.format,
            time_base=Fraction(1, 30),
        )
    ]
    chain += [graph.add(name, text) for name, text in filters]
    chain += [graph.add("format", "rgb24"), graph.add("buffersink")]
    graph.link_nodes(*chain).configure()
    graph.push(frame)
    return graph.pull().to_ndarray()


@pytest.mark.parametrize("matrix", FILTERS)
def test_turned_and_mirrored_as_ffmpeg_shows_it(data, matrix):
    path = data / "videos" / "v.mp4"
    write_video(path, steady(3))
    set_display_matrix(path, matrix)
    assert frames_stage().exit_code == 0
    expected, found = by_ffmpeg(path, FILTERS[matrix]).astype(int), frames_of(data, "v")[0]
    assert found.shape == expected.shape
    assert np.abs(found - expected).mean() < 2


@pytest.mark.parametrize(
    ("aspect", "width"),
    [(Fraction(4, 3), 85), (Fraction(8, 9), 57), (Fraction(50), WIDTH)],
    ids=["wide", "narrow", "absurd"],
)
def test_pixels_that_are_not_square_are_stretched_to_what_is_shown(data, aspect, width):
    write_video(data / "videos" / "v.mp4", steady(3), aspect=aspect)
    assert frames_stage().exit_code == 0
    assert frames_of(data, "v")[0].shape[:2] == (HEIGHT, width)


def test_wide_pixels_of_a_phone_held_upright_make_it_higher(data):
    write_video(data / "videos" / "v.mp4", steady(3), rotation=90, aspect=Fraction(4, 3))
    assert frames_stage().exit_code == 0
    assert frames_of(data, "v")[0].shape[:2] == (85, HEIGHT)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"x264-params": "transfer=smpte2084"}, "HDR (PQ) is not tone-mapped"),
        ({"x264-params": "transfer=arib-std-b67"}, "HDR (HLG) is not tone-mapped"),
        ({"x264-params": "tff=1"}, "interlaced"),
    ],
)
def test_what_a_player_would_do_and_stage_0_does_not_is_said(data, options, said):
    write_video(data / "videos" / "v.mp4", steady(3), **options)
    assert said in frames_stage().output.replace("\n", " ")
