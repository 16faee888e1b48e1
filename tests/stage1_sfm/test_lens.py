"""Videos that one centred pinhole did not take, and cuts."""

import numpy as np
import pycolmap
import pytest

from stages.artifacts.images import list_images, write_image
from stages.cameras.frames import Frames
from stages.running import VideoError
from stages.stage1_sfm.cuts import parted, require_one_place, sudden_change
from stages.stage1_sfm.evidence import RADIAL, SHIFT, ZOOM, misfit
from stages.stage1_sfm.lens import Lens, StraightFrames, framed, framed_intrinsic, middle

WIDTH, HEIGHT, FOCAL_PX = 640, 360, 540.0
KEYS = 8
EVERY = 3
"""Frames from one picture of the map to the next."""


def mapped(lens: Lens):
    """A map of a place by somebody who walks past it, adjusted as if a pinhole had seen it."""
    random = np.random.default_rng(0)
    points = random.uniform([-3, -1.5, 3], [3, 1.5, 7], (250, 3))
    model = pycolmap.Reconstruction()
    model.add_camera_with_trivial_rig(
        pycolmap.Camera(
            camera_id=1, model="SIMPLE_PINHOLE", width=WIDTH, height=HEIGHT,
            params=[FOCAL_PX, WIDTH / 2, HEIGHT / 2],
        )
    )  # fmt: skip
    tracks = [pycolmap.Track() for _ in points]
    for key in range(KEYS):
        yaw, t = 0.05 * key, np.array([-0.15 * key, 0.05 * np.sin(key), 0.04 * key])
        R = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
        local = points @ R.T + t
        pixels = lens.bent(FOCAL_PX * local[:, :2] / local[:, 2:], EVERY * key)
        pixels += random.normal([WIDTH / 2, HEIGHT / 2], 0.2, pixels.shape)
        seen = np.flatnonzero(((pixels > 0) & (pixels < [WIDTH, HEIGHT])).all(1))
        image = pycolmap.Image(name=f"{key}", keypoints=pixels[seen], camera_id=1, image_id=key + 1)
        pose = pycolmap.Rigid3d(np.hstack([R, t[:, None]]))
        model.add_image_with_trivial_frame(image, pose)
        for place, point in enumerate(seen):
            tracks[point].add_element(key + 1, place)
    for point, track in zip(points, tracks, strict=True):
        if track.length() > 2:
            model.add_point3D(point, track, np.zeros(3, np.uint8))
    options = pycolmap.BundleAdjustmentOptions()
    options.print_summary = False
    config = pycolmap.BundleAdjustmentConfig()
    for number in model.reg_image_ids():
        config.add_image(number)
    config.fix_gauge(pycolmap.BundleAdjustmentGauge.THREE_POINTS)
    pycolmap.create_default_bundle_adjuster(options, config, model).solve()
    return model


def found_in(lens: Lens):
    frame_of = {f"{key}": EVERY * key for key in range(KEYS)}
    return misfit(mapped(lens), frame_of, len(lens.zooms))


FRAMES = EVERY * (KEYS - 1) + 1
STEADY = np.ones(FRAMES)


def test_nothing_is_said_of_a_pinhole():
    assert found_in(Lens(STEADY)) is None


def test_what_focusing_and_rolling_shutters_do_is_not_worth_a_model():
    assert found_in(Lens(1 + 0.004 * np.sin(np.arange(FRAMES)))) is None


def test_a_zoom_is_found_with_how_far_it_goes_in_frames_between_too():
    zooms = np.linspace(1, 1.3, FRAMES)
    found = found_in(Lens(zooms))
    assert found.kind == ZOOM and found.gain > 0.2
    np.testing.assert_allclose(found.lens.zooms, zooms, rtol=0.02)


def test_a_bent_lens_is_found():
    kappa = -0.12 / FOCAL_PX**2
    found = found_in(Lens(STEADY, kappa))
    assert found.kind == RADIAL
    assert found.lens.kappa == pytest.approx(kappa, rel=0.1)


def test_a_side_that_was_cut_off_is_found():
    found = found_in(Lens(STEADY, 0.0, (90.0, 0.0)))
    assert found.kind == SHIFT
    assert found.lens.shift_px == pytest.approx((90, 0), abs=8)


@pytest.mark.parametrize("kappa", [-4e-7, 4e-7])
def test_straightened_pixels_are_bent_back_to_where_they_were(kappa):
    lens = Lens(np.array([1.0, 1.2]), kappa, (20.0, -5.0))
    offsets = np.random.default_rng(0).uniform([-320, -180], [320, 180], (50, 2))
    back = lens.bent(lens.straightened(offsets, 1), 1)
    np.testing.assert_allclose(back, offsets, atol=0.01)


@pytest.fixture
def dotted(tmp_path):
    """A frame with one bright dot, and where it is."""
    picture = np.zeros((90, 160, 3), np.uint8)
    picture[28:33, 118:123] = 255
    write_image(tmp_path / "00001.png", picture)
    return Frames(list_images(tmp_path), None, 90, 160), np.array([120, 30])


def centre_of(picture):
    return np.argwhere(picture[..., 0] > 100).mean(0)[::-1]


def test_frames_are_straight_where_the_pinhole_sees_them(dotted):
    frames, dot = dotted
    lens = Lens(np.array([1.2]), -4e-6, (6.0, 2.0))
    expected = lens.straightened(dot - middle(90, 160), 0) + middle(90, 160)
    straight = StraightFrames(**vars(frames), lens=lens)
    np.testing.assert_allclose(centre_of(straight.rgb(0)), expected, atol=0.7)
    assert straight.outside(0)[0, 0] and not straight.outside(0)[45, 80]


def test_what_is_written_fits_its_intrinsics(dotted):
    frames, dot = dotted
    lens = Lens(np.array([1.2]), -4e-6, (6.0, 2.0))
    K = np.array([[130.0, 0, 79.5], [0, 130.0, 44.5], [0, 0, 1]])
    offset = lens.straightened(dot - middle(90, 160), 0)
    ray = np.array([*offset / 130.0, 1])
    expected = (framed_intrinsic(K, lens, 0, (1.0, 1.0)) @ ray)[:2]
    written = StraightFrames(**vars(frames), lens=lens, as_framed=True)
    np.testing.assert_allclose(centre_of(written.rgb(0)), expected, atol=0.7)
    # What was computed of the pinhole's picture comes to lie there too.
    straight = StraightFrames(**vars(frames), lens=lens).rgb(0).astype(np.float32)
    moved = framed(straight[..., 0].copy(), lens, 0, (1.0, 1.0))
    np.testing.assert_allclose(centre_of(moved[..., None]), expected, atol=1.0)


def test_key_frames_are_parted_where_nothing_is_found_again_on_the_other_side():
    along = [(a, a + 1) for a in range(7) if a != 3]
    assert parted(8, along) == [4]
    assert parted(8, [*along, (2, 5)]) == []
    assert parted(8, [pair for pair in along if pair != (4, 5)]) == [], "it may be blur"


def test_a_cut_is_named_and_a_fast_turn_is_none(tmp_path):
    random = np.random.default_rng(0)
    wide = np.repeat(np.repeat(random.integers(0, 255, (9, 60), np.uint8), 10, 0), 10, 1)
    turn = [wide[:, 40 * frame : 40 * frame + 160] for frame in range(8)]
    cut = [wide[:, :160]] * 5 + [wide[:, 400:560]] * 3
    assert sudden_change(lambda frame: turn[frame], range(8)) is None
    assert sudden_change(lambda frame: cut[frame], range(8)) == 5
    for number, grey in enumerate(cut, 1):
        write_image(tmp_path / f"{number:05d}.png", np.repeat(grey[..., None], 3, 2))
    frames = Frames(list_images(tmp_path), None, 90, 160)
    linked = [(0, 1), (2, 3)]
    with pytest.raises(VideoError, match=r"a cut between frames 00005 and 00006.*--end-frame 5"):
        require_one_place(frames, [0, 3, 5, 7], linked)
    require_one_place(frames, [0, 3, 5, 7], [*linked, (1, 2)])
