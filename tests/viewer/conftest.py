"""A finished data folder of two short clips: a person before a floor, as files say it."""

from pathlib import Path

import pytest

from bench.made_clip import write_clip


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for video in ("first", "second"):
        write_clip(tmp_path, video, frames=6, height=48, width=64)
    return tmp_path
