"""Which of several surfaces people stand on does not change with somebody else in the picture."""

import pytest

from bench.robustness.disturbances import second_person
from bench.robustness.scenes import scene
from bench.robustness.stage2 import answer


@pytest.mark.parametrize("kind, seed", [("stairs", 103), ("jump_box", 105)])
def test_a_second_person_in_half_of_the_frames_leaves_the_scale(kind, seed):
    one = scene(kind, seed)
    assert answer(one, second_person(one)).scale < 0.1
