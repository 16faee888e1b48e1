from pathlib import Path

import numpy as np
import pytest

from stages.body.joint_names import SMPL_PARENTS
from stages.body.model import BodyModel, load_body

DEMO_BODY = Path("data/bodies/demo_body.npz")


def random_smpl_arrays(seed: int) -> dict[str, np.ndarray]:
    """Nobody's body, but in SMPL's layout and with pose directions."""
    rng = np.random.default_rng(seed)
    weights = rng.dirichlet(np.full(24, 0.1), 6890)
    regressor = np.zeros((24, 6890))
    for row in regressor:
        row[rng.choice(6890, 20, replace=False)] = rng.dirichlet(np.ones(20))
    kintree = np.stack([np.array(SMPL_PARENTS) % 2**32, np.arange(24)])
    return {
        "v_template": rng.normal(0, 0.5, (6890, 3)),
        "shapedirs": rng.normal(0, 0.02, (6890, 3, 10)),
        "posedirs": rng.normal(0, 0.01, (6890, 3, 207)),
        "J_regressor": regressor,
        "weights": weights,
        "f": rng.integers(0, 6890, (100, 3)).astype(np.uint32),
        "kintree_table": kintree.astype(np.uint32),
    }


@pytest.fixture(scope="session")
def demo_body() -> BodyModel:
    return load_body(DEMO_BODY)


@pytest.fixture
def smpl_arrays() -> dict[str, np.ndarray]:
    return random_smpl_arrays(1)


@pytest.fixture(scope="session")
def random_body(tmp_path_factory: pytest.TempPathFactory) -> tuple[BodyModel, Path]:
    path = tmp_path_factory.mktemp("body") / "random_body.npz"
    np.savez(path, **random_smpl_arrays(3))
    return load_body(path), path
