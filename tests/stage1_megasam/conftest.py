"""The numbers of the original network, and the network filled with name-seeded weights."""

from typing import Any

import numpy as np
import pytest

from stages.stage1_megasam.checkpoint import tracker_from_state
from stages.stage1_megasam.network import DroidNet

Golden = dict[str, np.ndarray]


@pytest.fixture(scope="session")
def megasam_golden(goldens: Any) -> Golden:
    return goldens.load("megasam_droid")


@pytest.fixture(scope="session")
def seeded_tracker(goldens: Any) -> DroidNet:
    return tracker_from_state(goldens.weights("megasam_droid"), "name-seeded weights")
