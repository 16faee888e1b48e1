"""Crops, colours and compression of training pictures."""

import torch

from tools.checkpoints import pictures


def test_crops_show_the_pixels_that_the_affine_points_at() -> None:
    frame = torch.rand(1, 3, 60, 80)
    A = torch.tensor([[[1.0, 0.0, -20.0], [0.0, 1.0, -10.0]]])
    crop = pictures.crops(frame, torch.tensor([0]), A, 32, 24)
    assert torch.allclose(crop[0], frame[0, :, 10:42, 20:44], atol=1e-5)


def test_crops_are_black_outside_the_frame() -> None:
    A = torch.tensor([[[1.0, 0.0, 100.0], [0.0, 1.0, 0.0]]])
    crop = pictures.crops(torch.ones(1, 3, 60, 80), torch.tensor([0]), A, 32, 24)
    assert float(crop.abs().max()) == 0


def test_compression_changes_a_picture_a_little() -> None:
    picture = torch.rand(4, 3, 64, 64)
    error = (pictures.compressed(picture) - picture).abs().mean()
    assert 0 < float(error) < 0.1


def test_recoloured_pictures_stay_between_black_and_white() -> None:
    picture = pictures.recoloured(torch.rand(4, 3, 40, 40))
    assert float(picture.min()) >= 0 and float(picture.max()) <= 1
