"""Depth from known cameras: right where it is confirmed, absent where it is not."""

import dataclasses

import numpy as np
import pytest
import torch

from stages.stage1_sfm.fusion import KeyDepth, confirmed, fuse, middle_of_seen, rendered
from stages.stage1_sfm.matching_cost import cost_volume
from stages.stage1_sfm.plane_sweep import measure, peak
from stages.stage1_sfm.semi_global import aggregate
from stages.stage1_sfm.sources import DepthTask, choose_sources
from stages.stage1_sfm.views import as_views, box, sample

REFERENCE = 6


@pytest.fixture(scope="module")
def seen(place, walk):
    """Views of the walk and the true depth of every frame."""
    looks = [place.look(T) for T in walk]
    grey, depth = [look[0] for look in looks], np.stack([look[1] for look in looks])
    nobody = [np.zeros_like(image, bool) for image in grey]
    return as_views(grey, nobody, place.intrinsic, np.linalg.inv(walk), "cpu"), depth


@pytest.fixture(scope="module")
def measured(seen):
    views, _ = seen
    task = DepthTask(REFERENCE, (2, 4, 9, 12), 0.7, 0.12)
    return measure([views, half := views.halved(), half.halved()], task)


def test_depth_of_slanted_and_stepped_surfaces_is_right(seen, measured):
    _, depth = seen
    error = np.abs(1 / measured.inverse_depth.numpy() / depth[REFERENCE] - 1)
    assert np.median(error) < 0.006
    assert (error < 0.03).mean() > 0.9


def test_depth_at_the_wrong_place_matches_badly(seen):
    views, depth = seen
    true = torch.from_numpy(1 / depth[REFERENCE]).float()
    costs = cost_volume(views, REFERENCE, (2, 4, 9, 12), torch.stack([true, 1.15 * true]))
    assert costs[0].median() < 0.1
    assert costs[1].median() > 0.5


def test_brightness_and_contrast_do_not_matter(seen):
    views, depth = seen
    images = views.images.clone()
    images[4] = (0.6 * images[4] + 25).byte()
    true = torch.from_numpy(1 / depth[REFERENCE]).float()[None]
    cost = cost_volume(dataclasses.replace(views, images=images), REFERENCE, (4,), true)
    assert cost.median() < 0.1


def test_what_moves_in_a_source_is_not_matched(seen):
    views, depth = seen
    moving = views.moving.clone()
    moving[4] = True
    true = torch.from_numpy(1 / depth[REFERENCE]).float()[None]
    cost = cost_volume(dataclasses.replace(views, moving=moving), REFERENCE, (4,), true)
    assert (cost == 1).all()


def test_a_parabola_finds_the_place_between_hypotheses():
    true = 3.3
    cost = ((torch.arange(8.0) - true) ** 2)[:, None, None].expand(8, 2, 2).clone()
    place, _ = peak(cost)
    torch.testing.assert_close(place, torch.full((2, 2), true))


def test_smoothing_fills_an_even_stretch_from_its_borders():
    cost = torch.full((6, 5, 20), 0.5)
    cost[2, :, :4] = 0
    cost[2, :, -4:] = 0
    place, _ = peak(aggregate(cost, torch.zeros(5, 20)))
    assert (place.round() == 2).all()


def true_key(depth, frame) -> KeyDepth:
    inverse = torch.from_numpy(1 / depth[frame]).float()
    return KeyDepth(frame, inverse, torch.ones_like(inverse), inverse_depth_per_px=0.005)


def test_true_depth_is_confirmed_by_other_frames(seen):
    views, depth = seen
    keys = [true_key(depth, frame) for frame in (3, 5, 7, 9)]
    fused = fuse(views, REFERENCE, keys)
    known = (fused.depth > 0).numpy()
    error = np.abs(fused.depth.numpy() / depth[REFERENCE] - 1)[known]
    assert known.mean() > 0.9
    assert np.median(error) < 0.003


def test_depth_that_other_frames_contradict_is_dropped(seen):
    views, depth = seen
    wrong = torch.from_numpy(1 / depth[REFERENCE]).float() * 1.1
    fused = confirmed(views, REFERENCE, wrong, [true_key(depth, frame) for frame in (3, 5, 7, 9)])
    assert (fused.depth > 0).float().mean() < 0.02
    assert (fused.agreement[fused.depth == 0] == 0).all()


def test_little_parallax_allows_more_difference_but_not_any(seen):
    views, depth = seen
    truth = torch.from_numpy(1 / depth[REFERENCE]).float()
    keys = [true_key(depth, frame) for frame in (3, 5, 7, 9)]
    vague = [dataclasses.replace(key, inverse_depth_per_px=1.0) for key in keys]

    def share(off: float, keys: list[KeyDepth]) -> float:
        return float((confirmed(views, REFERENCE, off * truth, keys).depth > 0).float().mean())

    assert share(1.04, keys) < 0.05 < 0.9 < share(1.04, vague)
    assert share(1.1, vague) < 0.05


def test_a_single_witness_is_not_enough(seen):
    views, depth = seen
    keys = [true_key(depth, frame) for frame in (3, 5)]
    keys[1] = dataclasses.replace(keys[1], good=torch.zeros_like(keys[1].good))
    fused = fuse(views, REFERENCE, keys)
    assert (fused.depth == 0).all()


def test_what_a_person_hides_is_known_from_frames_where_it_is_free(seen):
    views, depth = seen
    keys = []
    for frame in (1, 3, 5, 6, 7, 9, 11):
        key = true_key(depth, frame)
        if frame in (5, 6, 7):
            key.good[80:150, 60:120] = 0
        keys.append(key)
    fused = fuse(views, REFERENCE, keys)
    hidden = (slice(90, 140), slice(70, 110))
    error = np.abs(fused.depth.numpy() / depth[REFERENCE] - 1)[hidden]
    assert (fused.depth.numpy()[hidden] > 0).mean() > 0.9
    assert np.median(error) < 0.005


def test_rendering_keeps_the_nearer_of_two_surfaces(seen):
    views, depth = seen
    there = rendered(views, true_key(depth, 2), REFERENCE).numpy()
    filled = there > 0
    nearer_than_truth = (1 / there[filled]) < 0.97 * depth[REFERENCE][filled]
    farther_than_truth = (1 / there[filled]) > 1.03 * depth[REFERENCE][filled]
    assert filled.mean() > 0.6
    assert nearer_than_truth.mean() < 0.02 and farther_than_truth.mean() < 0.06


@pytest.mark.parametrize("count", [1, 2, 5, 7])
def test_the_middle_skips_what_was_not_seen(count):
    rng = np.random.default_rng(count)
    values = rng.uniform(1, 2, (count, 6, 7)) * (rng.uniform(size=(count, 6, 7)) > 0.4)
    middle = middle_of_seen(torch.from_numpy(values)).numpy()
    for at in np.ndindex(6, 7):
        column = np.sort(values[(slice(None), *at)])
        column = column[column > 0]
        assert middle[at] == (column[len(column) // 2] if len(column) else 0)


def test_sources_see_the_same_points_from_different_places(place, walk, seen):
    _, depth = seen
    rays = np.array([[x, y, 1] for x in range(20, 300, 20) for y in range(20, 180, 20)], float)
    local = rays @ np.linalg.inv(place.intrinsic).T
    local *= depth[REFERENCE][rays[:, 1].astype(int), rays[:, 0].astype(int)][:, None]
    points = local @ walk[REFERENCE][:3, :3].T + walk[REFERENCE][:3, 3]
    size = (place.height, place.width)
    frames = list(range(len(walk)))
    chosen = choose_sources(REFERENCE, points, np.linalg.inv(walk), frames, place.intrinsic, size)
    assert REFERENCE not in chosen and len(set(chosen)) == 4
    assert min(chosen) < REFERENCE < max(chosen)
    assert all(abs(frame - REFERENCE) >= 2 for frame in chosen)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
def test_windows_and_samples_are_the_same_on_a_gpu():
    images = torch.rand(3, 40, 50)
    torch.testing.assert_close(box(images.cuda(), 5).cpu(), box(images, 5), atol=1e-5, rtol=0)
    x, y = torch.rand(3, 40, 50) * 60 - 5, torch.rand(3, 40, 50) * 50 - 5
    gpu = sample(images[0].cuda(), x.cuda(), y.cuda()).cpu()
    # OpenCV rounds positions to 1/32 of a pixel.
    assert (gpu - sample(images[0], x, y)).abs().max() < 0.1
