"""A data folder with three texts to copy."""

from pathlib import Path

import pytest


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "input").mkdir()
    (tmp_path / "weights.bin").write_bytes(b"one")
    for name in ("a", "b", "c"):
        (tmp_path / "input" / f"{name}.txt").write_text(f"text {name}")
    return tmp_path
