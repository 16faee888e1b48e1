"""The original's numbers for name-seeded weights, and the full-size network filled with them."""

import importlib.util
import json
import os
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from stages.stage0_vimo.checkpoint import network_from_state
from stages.stage0_vimo.network import Vimo, VimoConfig

GOLDENS = Path(
    os.environ.get("MIMICMILL_GOLDENS", Path(__file__).parents[2].parent / "shared" / "goldens")
)


def _name_seeded() -> ModuleType:
    spec = importlib.util.spec_from_file_location("name_seeded", GOLDENS / "name_seeded.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def vimo_golden() -> dict[str, np.ndarray]:
    file = GOLDENS / "vimo.npz"
    if not file.exists():
        pytest.skip(f"{file} is not here: set MIMICMILL_GOLDENS to the folder of golden numbers")
    return dict(np.load(file))


@pytest.fixture(scope="session")
def seeded_vimo(vimo_golden: dict[str, np.ndarray]) -> Vimo:
    seeding = _name_seeded()
    meta = json.loads((GOLDENS / "vimo.keys.json").read_text())
    weights = seeding.build(meta)
    assert seeding.fingerprint(weights, meta["fill_check"]) == meta["fill_check"]
    means = {"init_body_pose": "mean_pose6d", "init_betas": "mean_shape", "init_cam": "mean_cam"}
    for name, source in means.items():
        weights[f"smpl_head.{name}"] = torch.from_numpy(vimo_golden[source])[None]
    return network_from_state(weights, VimoConfig(), "name-seeded weights")
