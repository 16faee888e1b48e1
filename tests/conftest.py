"""Golden numbers of the original networks, shared by the tests that compare with them."""

import importlib.util
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

REPOSITORY = Path(__file__).parents[1]

pytest_plugins = ["tests.engines", "tests.pipeline.finished"]

# Commands that tests run inside of pytest must not fork it: JAX and torch have threads there.
os.environ["MIMICMILL_WORKERS"] = "1"


@dataclass(frozen=True)
class Goldens:
    """The folder of golden numbers."""

    folder: Path

    def load(self, network: str) -> dict[str, np.ndarray]:
        """All arrays of `<network>.npz`."""
        return dict(np.load(self.folder / f"{network}.npz"))

    def _seeding(self) -> ModuleType:
        source = self.folder / "name_seeded.py"
        spec = importlib.util.spec_from_file_location("name_seeded", source)
        assert spec is not None and spec.loader is not None
        seeding = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(seeding)
        return seeding

    def noise(self, network: str, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """Noise of unit variance that depends on the network's seed and the name alone."""
        meta = json.loads((self.folder / f"{network}.keys.json").read_text())
        return self._seeding().noise(meta["seed"], name, shape)

    def weights(self, network: str) -> dict[str, torch.Tensor]:
        """A state dict in the official layout, filled by the names of its tensors."""
        seeding = self._seeding()
        meta = json.loads((self.folder / f"{network}.keys.json").read_text())
        weights = seeding.build(meta)
        assert seeding.fingerprint(weights, meta["fill_check"]) == meta["fill_check"]
        return weights


@pytest.fixture(scope="session")
def goldens() -> Goldens:
    """Skips where the golden numbers are absent: they are not part of the repository."""
    default = REPOSITORY.parent / "shared" / "goldens"
    folder = Path(os.environ.get("MIMICMILL_GOLDENS", default))
    if not (folder / "name_seeded.py").exists():
        pytest.skip(f"{folder} is not here: set MIMICMILL_GOLDENS to the folder of golden numbers")
    return Goldens(folder)


@pytest.fixture(autouse=True, scope="module")
def fresh_traces() -> Iterator[None]:
    """Forgets what JAX traced: a trace made in float64 by one module breaks float32 in another."""
    yield
    if "jax" in sys.modules:
        sys.modules["jax"].clear_caches()
