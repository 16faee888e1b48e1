"""The numbers of the original network, and the network filled with name-seeded weights."""

from typing import Any

import numpy as np
import pytest

from stages.stage1_align3r.checkpoint import network_from_state
from stages.stage1_align3r.network import Align3rNet

Golden = dict[str, np.ndarray]


@pytest.fixture(scope="session")
def align3r_golden(goldens: Any) -> Golden:
    return goldens.load("align3r")


@pytest.fixture(scope="package")
def seeded_network(goldens: Any) -> Align3rNet:
    return network_from_state(goldens.weights("align3r"), "name-seeded weights")
