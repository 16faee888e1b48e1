"""The re-implemented network computes what the original computes, at the official size."""

import numpy as np
import pytest
import torch

from stages.stage0_vimo.crops import crop, crop_geometry, normalise
from stages.stage0_vimo.estimator import BodyEstimator
from stages.stage0_vimo.network import Vimo, VimoOutput
from stages.stage0_vimo.network.camera import bbox_info, camera_translation
from stages.stage0_vimo.windows import CENTRE
from tests.stage0_vimo.runs import whole

Golden = dict[str, np.ndarray]
pytestmark = pytest.mark.parity


def relative_error(ours: torch.Tensor, golden: np.ndarray) -> float:
    assert tuple(ours.shape) == golden.shape
    return float(np.abs(ours.numpy() - golden).max() / golden.std())


def where(golden: Golden) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    return (
        torch.from_numpy(golden["win_center"]),
        torch.from_numpy(golden["win_scale"]) * 200,
        torch.from_numpy(golden["win_focal"]),
        torch.from_numpy(golden["win_imgcenter"]),
    )


@pytest.fixture(scope="module")
def features(seeded_vimo: Vimo, vimo_golden: Golden) -> torch.Tensor:
    crops = normalise(torch.from_numpy(vimo_golden["win_crops_u8"]))
    with torch.inference_mode():
        return torch.cat([seeded_vimo.frame_features(four) for four in crops.split(4)])


@pytest.fixture(scope="module")
def prediction(seeded_vimo: Vimo, features: torch.Tensor, vimo_golden: Golden) -> VimoOutput:
    with torch.inference_mode():
        return seeded_vimo(features[None], bbox_info(*where(vimo_golden))[None])


def test_box_information(vimo_golden: Golden) -> None:
    info = bbox_info(*where(vimo_golden))
    assert relative_error(info, vimo_golden["win_bbox_info"]) < 1e-6


def test_backbone_features(features: torch.Tensor, vimo_golden: Golden) -> None:
    grid = features.transpose(1, 2).unflatten(2, (16, 12))[[0, 8], ::16]
    assert relative_error(grid, vimo_golden["win_backbone_slice"]) < 1e-4


def test_features_mixed_over_the_window(
    seeded_vimo: Vimo, features: torch.Tensor, vimo_golden: Golden
) -> None:
    with torch.inference_mode():
        mixed = seeded_vimo.mix_over_time(features[None], bbox_info(*where(vimo_golden))[None])[0]
    cells = mixed.unflatten(1, (16, 12))[[0, 8], ::3, ::3, ::16].permute(1, 2, 0, 3)
    assert relative_error(cells, vimo_golden["win_st_slice"]) < 1e-4


@pytest.mark.parametrize(
    ("field", "golden_name", "bound"),
    [
        ("frame_pose6d", "win_pose6d_pre_motion", 1e-4),
        ("pose6d", "win_pose6d", 1e-4),
        ("frame_rotmat", "win_rotmat_pre_motion", 1e-3),
        ("rotmat", "win_rotmat", 1e-3),
        ("shape", "win_shape", 1e-4),
        ("weak_camera", "win_cam", 1e-4),
    ],
)
def test_predictions(
    prediction: VimoOutput, vimo_golden: Golden, field: str, golden_name: str, bound: float
) -> None:
    assert relative_error(getattr(prediction, field)[0], vimo_golden[golden_name]) < bound


def test_translation_in_the_full_picture(prediction: VimoOutput, vimo_golden: Golden) -> None:
    translation = camera_translation(prediction.weak_camera[0], *where(vimo_golden))
    assert relative_error(translation[:, None], vimo_golden["win_trans"]) < 1e-4


@pytest.mark.slow
def test_the_end_of_a_track_with_a_window_around_every_frame(
    seeded_vimo: Vimo, vimo_golden: Golden
) -> None:
    """The last frames alone: those whose windows begin in them are as in the whole track."""
    picture, start = vimo_golden["image_u8"], 18
    where = crop_geometry(vimo_golden["track_boxes"][start:])
    places = zip(where.center_px, where.size_px, strict=True)
    crops = (crop(picture, centre, size) for centre, size in places)
    found = whole(BodyEstimator(seeded_vimo, 4)(crops, where, picture.shape[:2]))
    for name, ours, bound in (
        ("track_rotmat", found.rotmat, 1e-3),
        ("track_shape", found.betas, 1e-4),
        ("track_trans", found.translation_m[:, None], 1e-4),
    ):
        golden = vimo_golden[name][start + CENTRE :]
        assert relative_error(torch.from_numpy(ours[CENTRE:]), golden) < bound, name
