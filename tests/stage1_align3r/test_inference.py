"""Which pictures are paired, what of them is seen, and that batches change nothing."""

import numpy as np
import pytest
import torch

from stages.stage1_align3r.inference import point_maps
from stages.stage1_align3r.pair_graph import pair_graph
from stages.stage1_align3r.picture_size import cropping
from stages.stage1_align3r.prior import prior_map
from tests.stage1_align3r.small import small_network


def test_pairs_are_one_to_nine_frames_apart_and_both_ways() -> None:
    pairs = [tuple(pair) for pair in pair_graph(12).tolist()]
    assert len(pairs) == len(set(pairs)) == 2 * (11 + 9 + 7 + 5 + 3)
    assert {abs(i - j) for i, j in pairs} == {1, 3, 5, 7, 9}
    assert {(j, i) for i, j in pairs} == set(pairs)
    assert max(max(pair) for pair in pairs) == 11


def test_two_frames_are_a_pair_and_one_is_none() -> None:
    assert pair_graph(2).tolist() == [[0, 1], [1, 0]]
    with pytest.raises(ValueError, match="1 frame: two or more"):
        pair_graph(1)


def test_pairs_grow_with_frames_no_faster_than_their_number() -> None:
    assert len(pair_graph(150)) == 2 * (5 * 150 - 25)


@pytest.mark.parametrize("at_once", [1, 3, 100])
def test_batches_change_nothing(at_once: int) -> None:
    network = small_network()
    random = torch.Generator().manual_seed(1)
    pictures = torch.randint(0, 256, (4, 3, 32, 48), dtype=torch.uint8, generator=random)
    priors = torch.rand(4, 3, 32, 48, generator=random)
    pairs = pair_graph(4)
    together = point_maps(network, pictures, priors, pairs, at_once)
    with torch.inference_mode():
        tokens = network.look_at(pictures.float() / 127.5 - 1, priors)
        alone = network(tokens[pairs[5, :1]], tokens[pairs[5, 1:]])
    for whole, one in zip(together, alone, strict=True):
        assert torch.allclose(whole[5], one[0], atol=1e-4, rtol=1e-4)
    assert together.points_first.shape == (len(pairs), 32, 48, 3)
    assert (together.confidence_second > 1).all()


def test_sides_that_are_no_patches_are_refused() -> None:
    odd = torch.zeros(2, 3, 32, 40)
    with pytest.raises(ValueError, match=r"\(32, 40\): a side is no multiple of 16"):
        small_network().look_at(odd, odd)


@pytest.mark.parametrize(
    ("original", "kept"),
    [((1080, 1920), (288, 512)), ((1920, 1080), (512, 288)), ((480, 640), (384, 512)),
     ((600, 600), (384, 512)), ((300, 400), (384, 512)), ((1000, 1900), (256, 512))],
)  # fmt: skip
def test_size_of_what_is_seen(original: tuple[int, int], kept: tuple[int, int]) -> None:
    found = cropping(*original)
    assert (found.height, found.width) == kept


@pytest.mark.parametrize("original", [(1000, 1900), (600, 600), (300, 400)])
def test_pixels_map_to_where_they_come_from(original: tuple[int, int]) -> None:
    high, wide = original
    found = cropping(high, wide)
    row, column = np.mgrid[:high, :wide].astype(np.float32)
    seen = found.map(np.stack([column, row], axis=-1))
    affine = found.affine_original_from_reconstruction
    for y, x in ((30, 40), (found.height - 20, found.width - 50)):
        assert affine @ [x, y, 1] == pytest.approx(seen[y, x], abs=0.05)


def test_a_picture_keeps_its_middle() -> None:
    rgb = np.zeros((600, 600, 3), np.uint8)
    rgb[290:310, 290:310] = 255
    seen = cropping(600, 600).picture(rgb)
    assert seen.shape == (384, 512, 3)
    assert seen[192, 256].min() > 250 and seen[150, 256].max() < 5


def test_masks_cover_what_they_cover() -> None:
    mask = np.zeros((1080, 1920), bool)
    mask[:, :960] = True
    seen = cropping(1080, 1920).mask(mask)
    assert seen[:, :255].all() and not seen[:, 257:].any()


def test_a_thread_of_pixels_is_refused() -> None:
    with pytest.raises(ValueError, match="10x2000 px are too long"):
        cropping(10, 2000)


def test_prior_is_the_camera_s_points_from_zero_to_one() -> None:
    depth = np.full((288, 512), 2.0)
    depth[:144] = 4.0
    found = prior_map(depth, cropping(288, 512))
    assert found.shape == (288, 512, 3) and found.dtype == np.float32
    # x runs over 4 m and y from -4 m to 2 m, nearly.
    assert found[0, 0] == pytest.approx([0, 0, 1], abs=1e-3)
    assert found[287, 511, 1:] == pytest.approx([1, 0], abs=1e-3)
    assert found[0, 384, 0] == pytest.approx(0.75, abs=2e-3)
    assert found[287, 384, 0] == pytest.approx(0.625, abs=2e-3)


def test_a_prior_that_is_the_same_everywhere_says_nothing() -> None:
    assert (prior_map(np.ones((32, 512)), cropping(32, 512))[..., 2] == 0).all()


def test_a_prior_with_holes_is_refused() -> None:
    depth = np.ones((32, 512))
    depth[3, 4] = np.nan
    with pytest.raises(ValueError, match="no numbers"):
        prior_map(depth, cropping(32, 512))
