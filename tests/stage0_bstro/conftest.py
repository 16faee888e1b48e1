"""The numbers of the original network."""

from typing import Any

import numpy as np
import pytest


@pytest.fixture(scope="session")
def bstro_golden(goldens: Any) -> dict[str, np.ndarray]:
    return goldens.load("bstro")


@pytest.fixture(scope="session")
def bstro_indices(goldens: Any) -> dict[str, np.ndarray]:
    return goldens.load("bstro_indices")
