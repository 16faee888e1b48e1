"""Scenes that several tests use."""

import pytest

from bench.robustness import scenes
from stages.solving import use_compilation_cache


@pytest.fixture(scope="session", autouse=True)
def compilation_cache(tmp_path_factory):
    """Tests of one run share compilations."""
    return use_compilation_cache(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def quiet():
    """Stairs, measured without any noise."""
    return scenes.scene("stairs", 103, scenes.QUIET, frames=40)


@pytest.fixture(scope="session")
def noisy():
    """A walk on the level, measured as badly as networks do."""
    return scenes.scene("flat", 109, frames=60)
