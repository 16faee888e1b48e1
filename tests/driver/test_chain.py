"""`make dataset` with stages that compute nothing: one list of videos for all of them, what fails
stops nothing else, and every ending has its exit code."""

import os
import shlex
import signal
import time

import pytest

from tests.driver.conftest import CHAIN, StandIns


def test_a_slice_is_the_same_videos_in_every_stage(stand_ins):
    stand_ins.videos("alpha.mp4", "bravo.mp4", "charlie.mp4")
    code, output = stand_ins.make("dataset", "START_IDX=1", "END_IDX=2")
    assert code == 0, output
    assert stand_ins.names == {key: ["bravo"] for key in CHAIN}


def test_a_pattern_is_of_names_and_in_any_case(stand_ins):
    stand_ins.videos("Jump.mp4", "cam01 walk.mp4", "it's.mp4")
    assert stand_ins.make("dataset", "PATTERN=jUMP")[0] == 0
    assert stand_ins.names == {key: ["Jump"] for key in CHAIN}
    assert stand_ins.make("stage3-postprocess", "PATTERN=it's")[0] == 0
    assert stand_ins.names["stage3-postprocess"] == ["it's"]


def test_one_stage_alone_gets_the_same_list(stand_ins):
    stand_ins.videos("alpha.mp4", "bravo.mp4")
    assert stand_ins.make("stage4-retarget", "PATTERN=alpha")[0] == 0
    assert stand_ins.names == {"stage4-retarget": ["alpha"]}


def test_a_video_that_fails_is_left_out_of_later_stages_and_stops_no_other(stand_ins):
    stand_ins.videos("bad.mp4", "good.mp4")
    stand_ins.plan(stage0_vimo={"bad": "failed"})
    code, output = stand_ins.driver("dataset")
    assert code == 1
    both = CHAIN[: CHAIN.index("stage0-vimo") + 1]
    assert stand_ins.names == {
        stage: ["bad", "good"] if stage in both else ["good"] for stage in CHAIN
    }
    assert "failed: bad; make status says where and why" in output.splitlines()


def test_a_failure_of_an_earlier_run_is_no_failure_of_this_one(stand_ins):
    stand_ins.videos("video.mp4")
    stand_ins.plan(stage0_frames={"video": "failed"})
    assert stand_ins.driver("dataset")[0] == 1
    stand_ins.plan()
    assert stand_ins.driver("dataset")[0] == 0
    assert stand_ins.names == {key: ["video"] for key in CHAIN}


def test_with_nothing_left_to_do_the_chain_ends(stand_ins):
    stand_ins.videos("only.mp4")
    stand_ins.plan(stage0_frames={"only": "failed"})
    assert stand_ins.driver("dataset")[0] == 1
    assert list(stand_ins.names) == ["stage0-frames"]


def test_a_stage_that_failed_without_a_word_stops_nobody(stand_ins):
    """As on a disk so full that no line can be added to the ledger."""
    stand_ins.videos("video.mp4")
    stand_ins.plan(stage0_frames=1)
    assert stand_ins.driver("dataset")[0] == 1
    assert stand_ins.names == {key: ["video"] for key in CHAIN}


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (2, ""),
        (130, ""),
        (137, "stage0-sam2: killed (137), perhaps out of memory; run again to go on from here"),
        (134, "stage0-sam2: ended by a signal (134), its last words are above; run again to go on"),
    ],
)
def test_a_stage_that_stops_ends_the_chain_with_its_exit_code(stand_ins, code, said):
    stand_ins.videos("video.mp4")
    stand_ins.plan(stage0_sam2=code)
    got, output = stand_ins.driver("dataset")
    assert got == code
    assert output.splitlines()[-1].startswith(said or "env MIMICMILL_DATA=")
    assert list(stand_ins.names) == ["stage0-frames", "stage0-sam2"]


def test_the_exact_commands_are_printed(stand_ins):
    stand_ins.videos("video.mp4")
    _, output = stand_ins.driver("dataset", ARGS="--text 'a person.'")
    printed = [shlex.split(line) for line in output.splitlines() if line.startswith("env ")]
    called = [[str(stand_ins.bin / call["stage"]), *call["flags"]] for call in stand_ins.calls]
    assert [words[-len(call) :] for words, call in zip(printed, called, strict=True)] == called


def test_flags_for_all_stages_and_for_one(stand_ins):
    stand_ins.videos("video.mp4")
    code, output = stand_ins.make(
        "dataset", "ARGS=--workers 1", "ARGS_stage4_retarget=--weight '2 0'"
    )
    assert code == 0, output
    flags = {call["stage"]: call["flags"][2:] for call in stand_ins.calls}
    assert all("--workers 1" in " ".join(of) for of in flags.values())
    assert flags["stage4-retarget"][-2:] == ["--weight", "2 0"]
    assert not any("--weight" in of for stage, of in flags.items() if stage != "stage4-retarget")


def test_without_videos_the_frames_of_other_tools_are_taken_from_there_on(stand_ins):
    (stand_ins.data / "input_images" / "video" / "cam01").mkdir(parents=True)
    code, output = stand_ins.driver("dataset")
    assert code == 0, output
    assert stand_ins.names == {stage: ["video"] for stage in CHAIN[1:]}


def test_results_of_a_whole_chain_are_judged_also_of_videos_that_failed(stand_ins):
    stand_ins.videos("bad.mp4", "good.mp4")
    stand_ins.plan(stage4_retarget={"bad": "failed"})
    judge = stand_ins.bin / "verdicts"
    judge.write_text('#!/bin/sh\necho "judged: $(tr "\\n" " " < "$2")"\n')
    judge.chmod(0o755)
    code, output = stand_ins.driver("dataset")
    assert code == 1
    assert output.splitlines()[-1] == "judged: bad good "
    assert "judged" not in stand_ins.driver("stage", "stage0-frames")[1]


def test_where_nothing_can_judge_a_line_says_what_can(stand_ins):
    stand_ins.videos("good.mp4")
    code, output = stand_ins.driver("dataset")
    assert code == 0
    assert output.splitlines()[-1].startswith("verdicts: environment ")
    assert output.splitlines()[-1].endswith(": make setup; then make report")


def test_ctrl_c_ends_the_stage_and_the_chain(stand_ins):
    stand_ins.videos("video.mp4")
    stand_ins.plan(stage0_frames="sleep")
    process = stand_ins.start("dataset")
    wait_for_call(stand_ins)
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 130
    assert list(stand_ins.names) == ["stage0-frames"]


def test_who_ends_the_driver_ends_the_stage(stand_ins):
    stand_ins.videos("video.mp4")
    stand_ins.plan(stage0_frames="sleep")
    process = stand_ins.start("dataset")
    wait_for_call(stand_ins)
    process.terminate()
    # Standard output closes when the stage, which has it too, is gone.
    process.communicate(timeout=20)
    assert process.returncode == 143


def test_a_data_folder_that_cannot_be_written_is_one_line(stand_ins):
    stand_ins.videos("video.mp4")
    (stand_ins.data / "logs").write_text("no folder")
    code, output = stand_ins.driver("dataset")
    assert code == 2
    assert "cannot be written: " in output.splitlines()[-1] and not stand_ins.calls


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_writes_belongs_to_the_owner_of_the_data(stand_ins):
    stand_ins.videos("video.mp4")
    os.chown(stand_ins.data, 12345, 12345)
    assert stand_ins.driver("dataset")[0] == 0
    made = [stand_ins.data / "logs", *(stand_ins.data / "logs").rglob("*")]
    assert {path.stat().st_uid for path in made} == {12345}


def wait_for_call(stand_ins: StandIns) -> None:
    end = time.monotonic() + 20
    while not stand_ins.calls:
        assert time.monotonic() < end
        time.sleep(0.02)
