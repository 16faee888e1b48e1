"""A data folder for videos."""

from pathlib import Path

import pytest


@pytest.fixture
def data(tmp_path, monkeypatch) -> Path:
    (tmp_path / "videos").mkdir()
    monkeypatch.setenv("MIMICMILL_DATA", str(tmp_path))
    return tmp_path
