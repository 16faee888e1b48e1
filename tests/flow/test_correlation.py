"""Looking up correlations: on cells, between them, outside, and level by level."""

import pytest
import torch

from stages.flow.correlation import CorrelationPyramid, look_up_on_the_fly

HIGH, WIDE, RADIUS = 9, 12, 1
MIDDLE, LEFT_OF_IT, ABOVE_IT = 4, 1, 3
"""Channels of a window of radius 1: offsets in x are the slow ones."""


@pytest.fixture
def features() -> torch.Tensor:
    return torch.randn(3, 6, HIGH, WIDE, generator=torch.Generator().manual_seed(0))


def everywhere(x: float, y: float) -> torch.Tensor:
    return torch.tensor([x, y]).expand(1, HIGH, WIDE, 2)


def pair(features: torch.Tensor, levels: int = 1) -> CorrelationPyramid:
    return CorrelationPyramid.between(features[:1], features[1:2], levels, RADIUS)


def test_on_a_cell_it_is_a_sixteenth_of_the_dot_product(features: torch.Tensor) -> None:
    found = pair(features).look_up(everywhere(7, 5))[0, :, 2, 3]
    assert found[MIDDLE] == pytest.approx(features[0, :, 2, 3] @ features[1, :, 5, 7] / 16)
    assert found[LEFT_OF_IT] == pytest.approx(features[0, :, 2, 3] @ features[1, :, 5, 6] / 16)
    assert found[ABOVE_IT] == pytest.approx(features[0, :, 2, 3] @ features[1, :, 4, 7] / 16)


def test_between_cells_it_is_bilinear(features: torch.Tensor) -> None:
    volume = pair(features)
    corners = [volume.look_up(everywhere(x, y)) for x in (7, 8) for y in (5, 6)]
    shares = [0.75 * 0.6, 0.75 * 0.4, 0.25 * 0.6, 0.25 * 0.4]
    mixed = sum(share * corner for share, corner in zip(shares, corners, strict=True))
    torch.testing.assert_close(volume.look_up(everywhere(7.25, 5.4)), mixed)


def test_a_coarser_level_averages_four_cells(features: torch.Tensor) -> None:
    found = pair(features, levels=2).look_up(everywhere(6, 4))[0, 9 + MIDDLE, 2, 3]
    four = features[1, :, 4:6, 6:8].mean(dim=(1, 2))
    assert found == pytest.approx(features[0, :, 2, 3] @ four / 16)


@pytest.mark.parametrize("x", [-3.0, WIDE + 1.0, 1e30, float("-inf")])
def test_outside_it_is_zero(features: torch.Tensor, x: float) -> None:
    assert not pair(features).look_up(everywhere(x, 4)).any()


def test_at_the_border_what_is_outside_is_zero(features: torch.Tensor) -> None:
    found = pair(features).look_up(everywhere(-1, 4))[0, :, 2, 3]
    assert not found[:6].any()
    assert found[7] == pytest.approx(features[0, :, 2, 3] @ features[1, :, 4, 0] / 16)


@pytest.mark.parametrize("at_once", [1, 2, 8])
def test_without_a_kept_volume_it_is_the_same(features: torch.Tensor, at_once: int) -> None:
    sources, targets = torch.tensor([0, 0, 2]), torch.tensor([1, 2, 1])
    places = 10 * torch.rand(3, HIGH, WIDE, 2, generator=torch.Generator().manual_seed(1))
    kept = CorrelationPyramid.between(features[sources], features[targets], 2, RADIUS)
    found = look_up_on_the_fly(features, sources, targets, places, 2, RADIUS, at_once)
    torch.testing.assert_close(found, kept.look_up(places))


def test_a_picture_too_small_for_the_levels_is_refused(features: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="9x12 cells are too few for 5 levels"):
        pair(features, levels=5)
