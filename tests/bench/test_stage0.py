"""What `make bench-stage0` measures, on the demo's small networks."""

import shutil
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from rich.table import Table
from safetensors.torch import save_model

import bench.stage0.__main__ as bench
from bench.stage0.__main__ import COLUMNS, time_case
from bench.stage0.cases import CASES
from bench.stage0.clip import VIDEO, write_clip
from bench.stage0.sam2 import DINO, person_box, show_a_person
from stages.artifacts import layout
from stages.artifacts.masks import read_labels
from stages.weights.locate import demo_checkpoint
from stages.weights.sam2 import load_sam2


@pytest.fixture
def measured(tmp_path, monkeypatch):
    """Measures a case with other weights on a clip in `tmp_path`."""
    monkeypatch.setattr(bench, "ONE_AT_A_TIME", 1)
    return partial(measure, tmp_path)


def measure(tmp_path, name, write_checkpoint, frames):
    (case,) = (case for case in CASES if case.name == name)
    write_clip(tmp_path, frames)
    table = Table(*COLUMNS)
    time_case(replace(case, write_checkpoint=write_checkpoint), tmp_path, frames, 1, table)
    row = {str(column.header): next(iter(column.cells)) for column in table.columns}
    assert float(row["frames/s"]) > 0 and float(row["one at a time"]) > 0
    for floor in ("operations", "bytes"):
        assert 0 < float(row[floor].removesuffix(" %")) < 100


def small_sam2(folder):
    """The demo's networks with a person that SAM 2 always sees."""
    shutil.copytree(demo_checkpoint(DINO), folder / DINO)
    network = load_sam2(demo_checkpoint("sam2"))
    show_a_person(network)
    (folder / "sam2").mkdir()
    shutil.copy(demo_checkpoint("sam2") / "config.yaml", folder / "sam2")
    save_model(network, str(folder / "sam2" / "model.safetensors"))
    return folder / "sam2"


def test_every_figure_of_a_row_is_measured(measured, tmp_path):
    measured("vitpose", lambda _: demo_checkpoint("vitpose"), 4)
    assert len(list((tmp_path / "results").rglob("pose_*.json"))) == 4


@pytest.mark.slow
def test_one_person_is_followed_through_the_clip_in_what_is_timed(measured, tmp_path):
    measured("sam2", small_sam2, 3)
    results = tmp_path / "results" / VIDEO / layout.CAMERA
    boxes = [read_labels(results, f"{number:05d}")[1].box for number in (1, 2, 3)]
    assert np.allclose(boxes, person_box(), atol=60), boxes
