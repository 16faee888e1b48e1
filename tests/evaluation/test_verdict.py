"""Verdicts: what is beyond a threshold is said, and the worst of it decides."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from stages.artifacts import verdicts as verdicts_file
from stages.artifacts.meshes import MESH_FILE, write_mesh
from stages.artifacts.verdicts import DOUBT, KEEP, REJECT, read_verdicts, write_verdicts
from stages.evaluation import verdicts
from stages.evaluation.plausibility import MEASURES, Measured
from stages.evaluation.verdict import judge, thresholds
from stages.running.fingerprints import Fingerprint
from stages.running.stamps import Stamp, stamp_path, write_stamp
from stages.weights.locate import FOLDER_VARIABLE

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
        assert not by_name[name].is_beyond(threshold.doubt, threshold.reject), name


def test_a_clip_within_all_of_them_is_kept():
    assert (judge(Measured(GOOD)).verdict, judge(Measured(GOOD)).reasons) == (KEEP, [])


@pytest.mark.parametrize("name", list(thresholds()))
def test_each_threshold_alone_brings_a_clip_into_doubt_and_out(name):
    measure = next(each for each in MEASURES if each.name == name)
    limits = thresholds()[name]
    away = 1e-6 if measure.good == "small" else -1e-6
    doubted = judge(Measured({**GOOD, name: limits.doubt + away}))
    assert doubted.verdict == DOUBT and doubted.reasons[0].startswith(measure.title)
    assert judge(Measured({**GOOD, name: limits.doubt})).verdict == KEEP
    assert judge(Measured({**GOOD, name: limits.reject + away})).verdict == REJECT


def test_the_worst_reason_comes_first_and_has_value_and_bar():
    verdict = judge(Measured({**GOOD, "robot_sliding_cm_s": 12.345, "seen_share": 0.7}))
    assert verdict.verdict == REJECT
    assert verdict.reasons == [
        "Robot's feet slide: 12.3 cm/s, over 10",
        "Person seen: 0.7, under 0.85",
    ]


def test_a_number_that_is_none_is_rejected():
    assert judge(Measured({**GOOD, "body_reprojection": float("nan")})).verdict == REJECT


def test_what_cannot_be_measured_is_in_doubt_for_that_and_no_better_for_it():
    verdict = judge(Measured(GOOD, ("a.h5: damaged",)))
    assert (verdict.verdict, verdict.reasons) == (DOUBT, ["not measured: a.h5: damaged"])
    worse = judge(Measured({**GOOD, "seen_share": 0.1}, ("a.h5: damaged",)))
    assert worse.verdict == REJECT and worse.reasons[-1] == "not measured: a.h5: damaged"


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
    assert output[0].startswith("doubt: jump: not measured: ")
    assert output[-1].startswith("verdicts: 0 keep, 2 doubt, 0 reject; report: ")
    assert f"{data / 'report' / 'index.html'}" in output[-1]
    found = read_verdicts(data)
    assert found.clips["walk"].verdict == DOUBT
    assert found.measures == list(MEASURES) and found.thresholds == thresholds()
    assert set(found.clips["walk"].values) == {measure.name for measure in MEASURES}


def test_only_the_named_videos_are_judged_and_the_others_stay_in_the_file(data):
    judged(data)
    (data / "names.txt").write_text("walk\n")
    assert "1 doubt" in judged(data, "--names", str(data / "names.txt"))
    assert set(read_verdicts(data).clips) == {"jump", "walk"}


def test_a_clip_is_measured_again_only_when_its_result_is_another(data):
    def stamped(content: str) -> None:
        outputs = {"robot.h5": Fingerprint(content, (1, 2, 3, 4))}
        stamp = Stamp(True, {}, {}, {}, {}, [], outputs)
        write_stamp(stamp_path(data, "stage4-retarget", "jump", "sfm"), stamp)

    stamped("a")
    judged(data)
    found = read_verdicts(data)
    old = {name: replace(clip, reasons=["as it was"]) for name, clip in found.clips.items()}
    write_verdicts(data, replace(found, clips=old))
    output = judged(data)
    assert "doubt: jump: as it was" in output and "doubt: walk: not measured" in output
    stamped("b")
    assert "doubt: jump: not measured" in judged(data)


def test_a_clip_that_blazepose_can_judge_after_all_is_measured_again(data, weights, monkeypatch):
    (data / "weights" / "blazepose").mkdir(parents=True)
    stamp = Stamp(True, {}, {}, {}, {}, [], {"robot.h5": Fingerprint("a", (1, 2, 3, 4))})
    write_stamp(stamp_path(data, "stage4-retarget", "jump", "sfm"), stamp)

    def judged_with(folder: Path) -> str:
        monkeypatch.setenv(FOLDER_VARIABLE, str(folder))
        output = judged(data)
        found = read_verdicts(data)
        old = {name: replace(clip, reasons=["as it was"]) for name, clip in found.clips.items()}
        write_verdicts(data, replace(found, clips=old))
        return output

    judged_with(data / "weights")
    assert "doubt: jump: as it was" in judged_with(data / "weights")
    assert "doubt: jump: not measured" in judged_with(weights.parent)
    assert "doubt: jump: as it was" in judged_with(data / "weights"), "what is known stays"


def test_clips_whose_results_are_gone_leave_the_file(data):
    judged(data)
    shutil.rmtree(data / "output_calib_mesh" / STEM.format("jump"))
    judged(data)
    assert set(read_verdicts(data).clips) == {"walk"}


def test_a_damaged_file_of_verdicts_is_made_anew(data):
    for content in ("{", "[]", '{"measures": [], "thresholds": {}, "clips": {"jump": {}}}'):
        (data / verdicts_file.FILE).write_text(content)
        assert read_verdicts(data) == verdicts_file.Verdicts()
        assert "2 doubt" in judged(data)


def test_a_data_folder_that_is_not_there_is_said_and_not_made(tmp_path):
    done = CliRunner().invoke(verdicts.main, ["--data-dir", str(tmp_path / "nowhere")])
    assert done.exit_code == 2 and "nowhere' does not exist" in done.output
    assert not list(tmp_path.iterdir())
