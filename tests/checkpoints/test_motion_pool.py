"""Which seeds may be trained on."""

from pathlib import Path

import pytest

from tools.checkpoints.motion_pool import entry


@pytest.mark.parametrize("seed", [1, 101, 9001, 999_999])
def test_seeds_of_the_demo_and_of_evaluation_are_refused(seed: int) -> None:
    with pytest.raises(ValueError, match="demo or to evaluation"):
        entry(seed, Path("unused.npz"))
