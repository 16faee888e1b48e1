"""Which videos a chain is given, and what is said of everything else that lies there."""

import json
from pathlib import Path

import pytest

from driver.settings import UsageError, read
from driver.videos import Chosen, choose
from stages.artifacts.layout import WorldName
from stages.artifacts.video_files import LONGEST_NAME, SUFFIXES


def chosen(data: Path, **variables: str) -> Chosen:
    return choose(read({"DATA": str(data), **variables}))


@pytest.fixture
def data(tmp_path) -> Path:
    return tmp_path


def put(data: Path, *names: str) -> None:
    for name in names:
        path = data / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_videos_are_taken_in_the_order_of_their_names(data):
    put(data, "videos/b.mp4", "videos/a.MOV", "videos/c.webm", "videos/.hidden.mp4")
    assert chosen(data).names == ("a", "b", "c")


@pytest.mark.parametrize(
    ("start", "end", "names"),
    [("0", "-1", "abcd"), ("1", "3", "bc"), ("3", "-1", "d"), ("0", "1", "a"), ("-2", "-1", "cd")],
)
def test_a_slice_is_of_those_that_match(data, start, end, names):
    put(data, "videos/0.mp4", *(f"videos/{name} jump.mp4" for name in "abcd"))
    found = chosen(data, PATTERN="jump", START_IDX=start, END_IDX=end)
    assert found.names == tuple(f"{name} jump" for name in names)


def test_nothing_that_matches_is_one_line_that_says_what_there_is(data):
    put(data, "videos/a.mp4", "videos/b.mp4")
    with pytest.raises(UsageError) as error:
        chosen(data, PATTERN="o'ther\n")
    assert str(error.value) == (
        f"{data}/videos: none of 2 videos matches PATTERN='o'ther\\n' START_IDX=0 END_IDX=-1;"
        " there are: a, b"
    )


def test_no_data_folder_and_no_videos_are_two_lines(data):
    with pytest.raises(UsageError, match=r"the data folder .*none is not there: set DATA to"):
        chosen(data / "none")
    with pytest.raises(UsageError, match=r"no videos in .*/videos: put some there"):
        chosen(data)


def test_what_is_no_video_is_named_with_the_reason(data):
    put(data, "videos/a.mp4", "videos/a.json", "videos/README.txt", "videos/b.srt")
    put(data, "videos/day2/c.mp4", "videos/gone.json")
    found = chosen(data)
    assert found.names == ("a",)
    assert list(found.refused) == ["gone.json"]
    assert "notes on a video that is not here (gone); name it like" in found.refused["gone.json"]
    assert sorted(note.removeprefix("passed over in videos/: ") for note in found.notes) == [
        f"README.txt, b.srt: not a video file of a known kind ({' '.join(SUFFIXES)})",
        "day2: a folder without pictures; put its videos into videos/ itself",
    ]


def test_files_of_all_kinds_and_folders_of_pictures_are_taken(data):
    put(data, "videos/a.3gp", "videos/b.MTS", "videos/c.mpg", "videos/d.gif", "videos/e.1/1.JPG")
    put(data, "videos/cover.jpg")
    found = chosen(data)
    assert found.names == ("a", "b", "c", "d", "e.1")
    assert found.notes == (
        "passed over in videos/: cover.jpg: a single picture; put the pictures of a clip into a"
        " folder of its own",
    )


def test_where_nothing_is_a_video_the_reasons_are_said(data):
    put(data, "videos/talk.mp3")
    with pytest.raises(UsageError, match=r"no videos in .*talk.mp3: not a video file of a known"):
        chosen(data)


def test_notes_on_frames_without_videos_are_no_hindrance(data):
    put(data, "videos/a.json", "input_images/a/cam01/00001.jpg")
    found = chosen(data)
    assert found.only_frames and found.names == ("a",) and not found.refused


def test_a_name_that_later_files_could_not_have_is_refused_with_the_limit(data):
    fits, long = "跳" * (LONGEST_NAME // 3), "跳" * (LONGEST_NAME // 3 + 1)
    put(data, f"videos/{fits}.mp4", f"videos/{long}.mp4")
    found = chosen(data)
    assert found.names == (fits,)
    assert (
        f"has {len(long.encode())} bytes, over {LONGEST_NAME}; rename"
        in found.refused[f"{long}.mp4"]
    )
    (data / f"{WorldName('megasam', fits, 0, -1, 1).megahunter_stem}.h5").touch()


@pytest.mark.parametrize(
    "name", ["new\nline", "tab\tname", " lead", "trail ", "\x1b[31mred", "\x85"]
)
def test_names_that_nobody_could_pass_on_are_refused_and_the_others_taken(data, name):
    put(data, f"videos/{name}.mp4", "videos/a.mp4")
    found = chosen(data)
    assert found.names == ("a",)
    ((shown, reason),) = found.refused.items()
    assert shown.isprintable() and reason.endswith("; rename it")


def test_two_videos_of_one_name_are_both_refused(data):
    put(data, "videos/a.mp4", "videos/a.mov", "videos/b.mp4")
    found = chosen(data)
    assert found.names == ("b",) and list(found.refused) == ["a.mov", "a.mp4"]


def test_a_refused_name_matters_to_those_who_ask_for_it(data):
    put(data, "videos/jump .mp4", "videos/walk.mp4")
    assert not chosen(data, PATTERN="walk").refused
    assert chosen(data, PATTERN="jump").refused and not chosen(data, PATTERN="jump").names


def test_results_of_videos_that_are_gone_are_named_once_and_not_taken(data):
    put(data, "videos/here.mp4")
    world = "sfm_reconstruction_results_{}_cam01_frame_0_-1_subsample_1"
    for name in ("here", "gone"):
        put(data, f"input_images/{name}/cam01/00001.jpg", f"input_masks/{name}/cam01/meta.json")
        put(data, f"input_sfm/{world.format(name)}.h5")
        put(data, f"output_calib_mesh/megahunter_{world.format(name)}/mesh.obj")
    put(data, f"input_sfm/{world.format('long gone')}.h5", "input_masks/.part/cam01/x")
    found = chosen(data)
    assert found.names == ("here",)
    assert found.notes == ("left as they are, no longer in videos/: gone, long gone",)


@pytest.mark.parametrize("has_folder", [True, False])
def test_without_videos_those_that_other_tools_left_frames_of(data, has_folder):
    put(data, "input_images/a/cam01/00001.jpg", "input_images/b/cam01/1.jpg", "input_images/note")
    if has_folder:
        (data / "videos").mkdir()
    found = chosen(data, PATTERN="b")
    assert found.names == ("b",)
    assert found.notes == (f"no videos in {data}/videos: those of {data}/input_images are taken",)


def test_many_names_are_cut_short(data):
    put(data, "videos/a.mp4", *(f"videos/{number:03}.txt" for number in range(300)))
    (note,) = chosen(data).notes
    assert "018.txt, 019.txt and 280 more: not a video" in note


def decide(data: Path, **verdicts: str) -> None:
    lines = [json.dumps({"video": video, "verdict": v}) for video, v in verdicts.items()]
    (data / "curation.jsonl").write_text("\n".join(lines) + "\n")


def test_rejected_videos_are_left_out_where_that_is_asked_for(data):
    put(data, "videos/a.mp4", "videos/b.mp4", "videos/c.mp4")
    decide(data, a="reject", b="keep")
    assert chosen(data).names == ("a", "b", "c")
    found = chosen(data, CURATED="1")
    assert found.names == ("b", "c")
    assert "curation.jsonl: rejected: a" in found.notes
    assert "curation.jsonl: nobody has decided about: c" in found.notes


def test_places_in_the_list_do_not_move_by_what_is_rejected(data):
    put(data, "videos/a.mp4", "videos/b.mp4", "videos/c.mp4")
    decide(data, a="reject")
    assert chosen(data, CURATED="1", START_IDX="1", END_IDX="2").names == ("b",)


def test_trims_chosen_people_and_results_that_changed_since_are_said(data):
    put(data, "videos/a.mp4", "videos/b.mp4")
    lines = [
        {"video": "a", "verdict": "keep", "first_frame": 3, "result": "of old"},
        {"video": "b", "verdict": "keep", "person": 2},
    ]
    (data / "curation.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n")
    assert set(chosen(data, CURATED="1").notes) == {
        "curation.jsonl: trimmed: a",
        "curation.jsonl: with a person chosen: b",
        "curation.jsonl: changed since somebody decided: a",
    }


def test_where_all_are_rejected_nothing_is_done(data):
    put(data, "videos/a.mp4")
    decide(data, a="reject")
    with pytest.raises(UsageError, match=r"curation.jsonl rejects all of these videos"):
        chosen(data, CURATED="1")
