"""The crop rule, against the original's crops and on its own claims."""

import numpy as np
import pytest
import torch

from stages.stage0_bstro.crops import crop, normalise, square_corners

Golden = dict[str, np.ndarray]


def test_every_crop_follows_its_own_box(bstro_golden: Golden) -> None:
    crops = [crop(bstro_golden["image_u8"], box) for box in bstro_golden["boxes_xyxy"]]
    ours = normalise(torch.from_numpy(np.stack(crops)))
    np.testing.assert_allclose(ours[:, :, 1::6, 1::6], bstro_golden["crop_own_rule_224"], atol=1e-5)
    np.testing.assert_allclose(ours[:2], bstro_golden["net_in"], atol=1e-5)


def test_the_first_boxs_size_is_not_used_for_the_others(bstro_golden: Golden) -> None:
    ours = normalise(
        torch.from_numpy(crop(bstro_golden["image_u8"], bstro_golden["boxes_xyxy"][1])[None])
    )
    first_rule = bstro_golden["crop_first_box_rule_224"][1]
    assert np.abs(ours[0, :, 1::6, 1::6].numpy() - first_rule).max() > 0.5


def test_only_the_box_is_seen() -> None:
    white = np.full((100, 200, 3), 255, np.uint8)
    ours = crop(white, np.array([50, 10, 90, 90]))
    assert ours.shape == (224, 224, 3)
    assert (ours[:, 60:164] == 255).all()
    assert not ours[:, :52].any()
    assert not ours[:, 172:].any()


@pytest.mark.parametrize("size", [(179, 71), (126, 133), (67, 80), (1, 1), (50, 50)])
def test_the_square_holds_the_cut_out_in_its_middle(size: tuple[int, int]) -> None:
    height, width = size
    x0, y0, x1, y1 = square_corners(height, width)
    assert abs((x1 - x0) - (y1 - y0)) <= 1  # truncated toward zero, as the original does
    assert abs((x0 + x1) - width) <= 2
    assert abs((y0 + y1) - height) <= 2


def test_a_box_beyond_the_picture_keeps_what_is_inside() -> None:
    white = np.full((50, 50, 3), 255, np.uint8)
    ours = crop(white, np.array([40, -20, 90, 50]))
    assert ours.max() == 255


def test_a_box_outside_the_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="holds no pixel"):
        crop(np.zeros((50, 50, 3), np.uint8), np.array([60, 0, 80, 40]))


@pytest.mark.parametrize(
    ("box", "corners"),
    [
        ((100, 30, 171, 209), (-54, 0, 125, 179)),
        ((0, 120, 133, 240), (0, -6, 133, 126)),
        ((240, 5, 320, 60), (0, -12, 80, 67)),
        ((102, 35, 171, 204), (-50, 0, 119, 169)),
    ],
)
def test_corners_are_those_of_the_originals_map_inverted_and_truncated(
    box: tuple[int, ...], corners: tuple[int, ...]
) -> None:
    """The last is one that a division in place of the inverse would bring to -49."""
    x1, y1, x2, y2 = box
    assert tuple(square_corners(y2 - y1, x2 - x1)) == corners
