"""The full-size network, filled with name-seeded weights."""

from typing import Any

import numpy as np
import pytest
import torch

from stages.stage0_vimo.checkpoint import network_from_state
from stages.stage0_vimo.network import Vimo, VimoConfig


@pytest.fixture(scope="session")
def vimo_golden(goldens: Any) -> dict[str, np.ndarray]:
    return goldens.load("vimo")


@pytest.fixture(scope="session")
def seeded_vimo(goldens: Any, vimo_golden: dict[str, np.ndarray]) -> Vimo:
    weights = goldens.weights("vimo")
    means = {"init_body_pose": "mean_pose6d", "init_betas": "mean_shape", "init_cam": "mean_cam"}
    for name, source in means.items():
        weights[f"smpl_head.{name}"] = torch.from_numpy(vimo_golden[source])[None]
    return network_from_state(weights, VimoConfig(), "name-seeded weights")
