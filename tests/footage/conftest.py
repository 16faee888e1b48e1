import pytest

from stages.body.model import DEMO_BODY, load_body
from tools.footage.skinning import BodyTensors


@pytest.fixture(scope="session")
def model():
    return load_body(DEMO_BODY)


@pytest.fixture(scope="session")
def body(model):
    return BodyTensors.from_model(model)
