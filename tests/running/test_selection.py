"""Which videos a run takes."""

from pathlib import Path

import pytest

from stages.running import RunOptions
from stages.running.selection import SelectionError, choose
from tests.running.copy_stage import copying
from tests.running.runs import go_and_listen, outcomes

NAMES = ["Walk_2", "jump_1", "Jump_2", "sit"]
VIDEOS = Path("videos")


def chosen(**options) -> list[str]:
    return choose(NAMES, {}, RunOptions(**options), VIDEOS).videos


def test_the_pattern_ignores_case_and_the_list_is_sorted():
    assert chosen(pattern="jump") == ["Jump_2", "jump_1"]


def test_the_end_is_exclusive_and_minus_one_means_all():
    assert chosen(start_idx=1, end_idx=3) == ["Walk_2", "jump_1"]
    assert chosen(end_idx=-1) == sorted(NAMES)


def test_the_start_holds_also_without_an_end():
    assert chosen(start_idx=3) == ["sit"]


def test_an_empty_choice_is_an_error_that_lists_the_names():
    with pytest.raises(SelectionError, match="Jump_2, Walk_2, jump_1, sit"):
        chosen(pattern="run")


def test_named_videos_are_chosen_by_exact_name_whatever_wrote_the_list(tmp_path):
    for name, raw in {
        "plain": b"sit\njump_1\n",
        "by Windows, with a byte-order mark": b"\xef\xbb\xbfsit\r\njump_1\r\n",
        "of files": b"sit.mp4\njump_1.MOV",
        "with empty lines": b"\nsit\n\njump_1\n\n",
    }.items():
        (tmp_path / name).write_bytes(raw)
        assert chosen(names=tmp_path / name) == ["jump_1", "sit"], name


def test_a_name_that_is_no_video_s_is_said_to_be_unknown(tmp_path):
    (tmp_path / "names").write_text("sit\njump\nsit \n")
    found = choose(NAMES, {}, RunOptions(names=tmp_path / "names"), VIDEOS)
    assert found.videos == ["sit"] and found.unknown == ["jump", "sit "]


def test_a_video_that_cannot_be_used_concerns_only_who_asks_for_it(tmp_path):
    refused = {"jump\nbox": "its name holds a line break"}
    (tmp_path / "names").write_text("sit\n")
    assert choose(NAMES, refused, RunOptions(), VIDEOS).refused == refused
    assert choose(NAMES, refused, RunOptions(pattern="JUMP"), VIDEOS).refused == refused
    assert not choose(NAMES, refused, RunOptions(pattern="sit"), VIDEOS).refused
    assert not choose(NAMES, refused, RunOptions(names=tmp_path / "names"), VIDEOS).refused


def test_a_name_may_hold_what_other_programs_take_for_the_end_of_a_line(tmp_path):
    (tmp_path / "names").write_text("a\u2028b\n", encoding="utf-8")
    found = choose(["a\u2028b"], {}, RunOptions(names=tmp_path / "names"), VIDEOS)
    assert found.videos == ["a\u2028b"] and not found.unknown


def test_a_list_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "names").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SelectionError, match="give a text file in UTF-8"):
        chosen(names=tmp_path / "names")


def test_a_run_with_an_unknown_name_does_the_others_names_it_and_exits_with_1(data, tmp_path):
    (tmp_path / "names").write_text("a\nbarvo\n")
    code, entries, out = go_and_listen(data, names=tmp_path / "names")
    assert code == 1
    assert outcomes(entries) == {"a": "done"}
    assert f"there is no video 'barvo' in {data / 'input'}" in out


def videos(data: Path, *names: str) -> None:
    (data / "videos").mkdir()
    for name in names:
        (data / "videos" / f"{name}.mp4").touch()


def test_every_stage_counts_the_same_videos_those_in_the_folder_of_videos(data):
    videos(data, "0 not extracted yet", "b", "c")
    assert copying(data).videos() == ["0 not extracted yet", "b", "c"]
    code, entries, _ = go_and_listen(data, start_idx=1, end_idx=2)
    assert code == 0
    assert outcomes(entries) == {"b": "done"}


def test_results_of_a_video_that_is_gone_are_named_and_left_alone(data):
    go_and_listen(data)
    videos(data, "b", "c")
    (data / "input" / "a.txt").write_text("changed")
    code, entries, out = go_and_listen(data)
    assert code == 0
    assert outcomes(entries) == {"b": "skipped", "c": "skipped"}
    assert f"stage9-copy: a left as is: no longer in {data / 'videos'}" in out
    assert (data / "output" / "a.txt").read_text() == "TEXT A"
