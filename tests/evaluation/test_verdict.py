"""Verdicts: what is beyond a threshold is said, and the worst of it decides."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from stages.artifacts.meshes import MESH_FILE, write_mesh
from stages.evaluation import verdicts
from stages.evaluation.plausibility import MEASURES
from stages.evaluation.verdict import DOUBT, KEEP, NO_ROBOT, REJECT, beyond, judge, thresholds

GOOD = {
    name: (0.0 if measure.good == "small" else 1e9)
    for measure in MEASURES
    if (name := measure.name) in thresholds()
}
STEM = "megahunter_sfm_reconstruction_results_{}_cam01_frame_0_9_subsample_1"


def test_every_threshold_is_of_a_measure_says_whence_and_rejects_no_earlier_than_it_doubts():
    by_name = {measure.name: measure for measure in MEASURES}
    for name, threshold in thresholds().items():
        assert threshold.source
        assert not beyond(by_name[name], threshold.doubt, threshold.reject), name


def test_a_clip_within_all_of_them_is_kept():
    assert (judge(GOOD).kind, judge(GOOD).reasons) == (KEEP, ())


@pytest.mark.parametrize("name", list(thresholds()))
def test_each_threshold_alone_brings_a_clip_into_doubt_and_out(name):
    measure = next(each for each in MEASURES if each.name == name)
    limits = thresholds()[name]
    away = 1e-6 if measure.good == "small" else -1e-6
    doubted = judge({**GOOD, name: limits.doubt + away})
    assert doubted.kind == DOUBT and doubted.reasons[0].startswith(measure.title)
    assert judge({**GOOD, name: limits.doubt}).kind == KEEP
    assert judge({**GOOD, name: limits.reject + away}).kind == REJECT


def test_the_worst_reason_comes_first_and_has_value_and_bar():
    verdict = judge({**GOOD, "robot_sliding_cm_s": 12.345, "seen_share": 0.7})
    assert verdict.kind == REJECT
    assert verdict.reasons == (
        "Robot's feet slide: 12.3 cm/s, over 10",
        "Person seen: 0.7, under 0.85",
    )


def test_a_number_that_is_none_is_rejected():
    assert judge({**GOOD, "body_reprojection": float("nan")}).kind == REJECT


def test_what_has_not_been_made_yet_is_in_doubt_for_that():
    verdict = judge(dict.fromkeys(GOOD))
    assert (verdict.kind, verdict.reasons) == (DOUBT, (NO_ROBOT,))


@pytest.fixture
def data(tmp_path):
    for video in ("jump", "walk"):
        folder = tmp_path / "output_calib_mesh" / STEM.format(video)
        folder.mkdir(parents=True)
        write_mesh(folder / MESH_FILE, np.eye(3), np.array([[0, 1, 2]]))
    return tmp_path


def judged(data, *arguments: str) -> str:
    run = CliRunner().invoke(verdicts.main, ["--data-dir", str(data), *arguments])
    assert run.exit_code == 0, run.output
    return run.output


def test_the_count_and_the_place_of_the_report_are_the_last_line(data):
    output = judged(data).splitlines()
    assert output[0] == f"doubt: jump: {NO_ROBOT}"
    assert output[-1].startswith("verdicts: 0 keep, 2 doubt, 0 reject; report: ")
    assert f"{data / 'report' / 'index.html'}" in output[-1]
    entries = json.loads((data / verdicts.FILE).read_text())
    assert entries["walk"]["verdict"] == DOUBT
    assert set(entries["walk"]["measures"]) == {measure.name for measure in MEASURES}


def test_only_the_named_videos_are_judged_and_the_others_stay_in_the_file(data):
    judged(data)
    (data / "names.txt").write_text("walk\n")
    assert "1 doubt" in judged(data, "--names", str(data / "names.txt"))
    assert set(json.loads((data / verdicts.FILE).read_text())) == {"jump", "walk"}


def test_a_damaged_result_is_in_doubt_and_stops_no_other(data):
    folder = data / "output_calib_mesh" / STEM.format("jump")
    (folder / "gravity_calibrated_megahunter.h5").write_bytes(b"no such thing")
    output = judged(data)
    assert "2 doubt" in output
