from pathlib import Path

import pytest

from stages.body.model import load_body
from tools.footage.skinning import BodyTensors

BODY = Path(__file__).parents[2] / "data" / "bodies" / "demo_body.npz"


@pytest.fixture(scope="session")
def model():
    return load_body(BODY)


@pytest.fixture(scope="session")
def body(model):
    return BodyTensors.from_model(model)
