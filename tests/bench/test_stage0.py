"""What `make bench-stage0` measures, on the demo's small network."""

from dataclasses import replace

from rich.table import Table

from bench.stage0.__main__ import COLUMNS, time_case
from bench.stage0.cases import CASES
from bench.stage0.clip import write_clip
from stages.weights.locate import demo_checkpoint


def test_every_figure_of_a_row_is_measured(tmp_path):
    (vitpose,) = (case for case in CASES if case.name == "vitpose")
    small = replace(vitpose, write_checkpoint=lambda _: demo_checkpoint("vitpose"))
    write_clip(tmp_path, 4)
    table = Table(*COLUMNS)
    time_case(small, tmp_path, 4, 1, table)
    row = {str(column.header): next(iter(column.cells)) for column in table.columns}
    assert float(row["frames/s"]) > 0 and float(row["one at a time"]) > 0
    assert 0 < float(row["floor"].removesuffix(" %")) < 100
    assert len(list((tmp_path / "results").rglob("pose_*.json"))) == 4
