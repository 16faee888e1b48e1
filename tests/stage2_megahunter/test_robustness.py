"""Bad starts and bad measurements lead where good ones do; stairs have ground on many levels."""

import numpy as np
import pytest

from bench.robustness.disturbances import second_person, turned, with_gap, with_outliers
from bench.robustness.scenes import PICKER, cut, scene
from bench.robustness.stage2 import CASES, answer
from stages.stage2_megahunter.heading import facing_keypoints


@pytest.fixture(scope="module")
def climbing():
    """Somebody on stairs, measured as badly as networks do, feet hidden half of the time."""
    return scene("stairs", 103)


@pytest.fixture(scope="module", params=["level", "stairs"])
def someone(request, noisy, climbing):
    """A scene and its answer without any disturbance."""
    given = noisy if request.param == "level" else climbing
    return given, answer(given)


@pytest.mark.parametrize("case", [name for name in CASES if name.startswith(("first", "start"))])
def test_a_bad_start_ends_where_a_good_one_does(someone, case):
    given, plain = someone
    found = CASES[case](given)
    assert found.converged
    assert found.scale < plain.scale + 0.01
    assert found.path_m < plain.path_m + 0.04
    assert found.mpjpe_m < plain.mpjpe_m + 0.04


@pytest.mark.parametrize("case", ["units of 10 m", "units of 0.1 m"])
def test_the_units_of_the_reconstruction_do_not_matter(someone, case):
    given, plain = someone
    found = CASES[case](given)
    assert found.converged
    assert found.scale == pytest.approx(plain.scale, abs=0.002)
    assert found.path_m == pytest.approx(plain.path_m, abs=0.002)
    assert found.mpjpe_m == pytest.approx(plain.mpjpe_m, abs=0.002)


def test_forty_percent_of_the_keypoints_may_be_wrong(someone):
    given, plain = someone
    found = answer(with_outliers(given))
    assert found.converged
    assert found.scale < plain.scale + 0.02
    assert found.path_m < plain.path_m + 0.04
    assert found.mpjpe_m < plain.mpjpe_m + 0.04


def test_thirty_missing_frames_in_a_row_leave_the_others_as_good(someone):
    given, plain = someone
    found = answer(with_gap(given))
    assert found.converged
    assert found.scale < plain.scale + 0.02
    assert found.path_m < plain.path_m + 0.02
    assert found.mpjpe_m < plain.mpjpe_m + 0.02


def test_a_second_person_who_leaves_does_not_harm_the_first(noisy):
    plain, found = answer(noisy), answer(noisy, second_person(noisy))
    assert found.converged
    assert found.scale < plain.scale + 0.01
    assert found.path_m < plain.path_m + 0.02
    assert found.mpjpe_m < plain.mpjpe_m + 0.02


def test_a_heading_that_fits_stays_as_it_is(noisy, climbing):
    for given in (noisy, climbing, with_outliers(noisy)):
        skeleton = PICKER.skeleton(given.track.betas)
        found = facing_keypoints(given.cameras, given.track, skeleton)
        np.testing.assert_array_equal(found.rotmats, given.track.rotmats)


def test_a_heading_wrong_in_some_frames_is_mended_in_these(climbing):
    rotmats = climbing.track.rotmats.copy()
    rotmats[30:60] = turned(climbing, 90.0).track.rotmats[30:60]
    given = cut(climbing, rotmats=rotmats)
    found = facing_keypoints(given.cameras, given.track, PICKER.skeleton(given.track.betas))
    off = np.einsum("tab,tab->t", found.rotmats[:, 0], climbing.track.rotmats[:, 0])
    degrees = np.rad2deg(np.arccos(np.clip((off - 1) / 2, -1, 1)))
    assert (degrees <= 45.0).mean() > 0.95
    assert np.median(degrees) < 1.0
