"""Scenes of seeds are rendered once."""

import pytest
from click.testing import CliRunner

from stages.artifacts.layout import DataFolder
from stages.artifacts.truth import TRUTH_FILE, read_truth
from tools.footage.seeds import main


def test_what_is_there_is_not_rendered_again(tmp_path):
    data = DataFolder(tmp_path)
    for seed in (1, 2):
        there = data.truth(f"seed_{seed}") / TRUTH_FILE
        there.parent.mkdir(parents=True)
        there.touch()
    ran = CliRunner().invoke(main, ["1,2", "--out", str(tmp_path)])
    assert ran.exit_code == 0, ran.output
    assert not data.videos.exists()


@pytest.mark.tools
def test_what_is_not_there_is_rendered(tmp_path):
    ran = CliRunner().invoke(main, ["2", "--out", str(tmp_path)])
    assert ran.exit_code == 0, ran.output
    data = DataFolder(tmp_path)
    assert (data.videos / "seed_2.mp4").exists()
    assert read_truth(data.truth("seed_2")).seed == 2


def test_what_is_no_list_of_seeds_is_wrong_usage():
    ran = CliRunner().invoke(main, ["1-3"])
    assert ran.exit_code == 2
    assert "'1-3' is not a list like 1,2,3" in ran.output
