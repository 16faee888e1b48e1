"""A data folder with three texts to copy."""

from pathlib import Path

import pytest


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    (folder / "input").mkdir(parents=True)
    (folder / "letters.bin").write_bytes(b"one")
    for name in ("a", "b", "c"):
        (folder / "input" / f"{name}.txt").write_text(f"text {name}")
    return folder
