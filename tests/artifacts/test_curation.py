"""Decisions about videos: the last line counts, bad lines cost only themselves."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from stages.artifacts.curation import FILE, Decision, decisions_of, result_identity
from stages.running.curation import save_decision, trimmed
from stages.running.fingerprints import Fingerprint
from stages.running.stamps import Stamp, stamp_path, write_stamp

GLASS = "a [glass] house"


def made(data: Path, video: str, content: str, stage: str = "stage4-retarget") -> None:
    """A stage notes that it has made a result of this content."""
    outputs = {"robot.h5": Fingerprint(content, (1, 2, 3, 4))}
    stamp = Stamp(True, {}, {}, {}, {}, [], outputs)
    write_stamp(stamp_path(data, stage, video, "sfm"), stamp)


def test_the_last_line_of_a_video_counts(tmp_path):
    save_decision(tmp_path, "walk", Decision("reject"))
    save_decision(tmp_path, "jump", Decision("reject", note="blurred", tags=["dark"]))
    save_decision(tmp_path, "walk", Decision("keep", first_frame=3, last_frame=9, person=2))
    found = decisions_of(tmp_path)
    walk, jump = found["walk"], found["jump"]
    assert (walk.verdict, walk.first_frame, walk.last_frame, walk.person) == ("keep", 3, 9, 2)
    assert (jump.is_rejected, jump.note, jump.tags) == (True, "blurred", ["dark"])
    assert walk.when.startswith("20")


def test_torn_and_foreign_lines_cost_only_themselves(tmp_path):
    save_decision(tmp_path, "walk", Decision("keep", first_frame=3))
    foreign = [
        b'{"video": "walk", "verdict": "rej',
        b"[1, 2]",
        b'{"video": 7, "verdict": "reject"}',
        b'{"video": "walk", "verdict": "perhaps"}',
        b'{"video": "walk", "verdict": "reject", "first_frame": "3"}',
        b'{"video": "walk", "verdict": "reject", "last_frame": true}',
        b'{"video": "walk", "verdict": "reject", "tags": "dark"}',
        b"\xff\xfe\x00",
        b'{"video": "walk", "verdict": "reject", "note": ',
    ]
    with open(tmp_path / FILE, "ab") as file:
        file.write(b"\n".join(foreign))
    save_decision(tmp_path, "jump", Decision("reject"))
    assert {name: d.verdict for name, d in decisions_of(tmp_path).items()} == {
        "walk": "keep",
        "jump": "reject",
    }


def test_entries_that_are_not_known_here_do_no_harm(tmp_path):
    record = {"video": "walk", "verdict": "keep", "stars": 5}
    (tmp_path / FILE).write_text(json.dumps(record) + "\n")
    assert decisions_of(tmp_path) == {"walk": Decision("keep")}


def test_no_file_is_no_decision(tmp_path):
    assert decisions_of(tmp_path) == {}


def test_many_at_once_lose_no_line(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        names = [f"video {n}" for n in range(40)]
        list(pool.map(lambda name: save_decision(tmp_path, name, Decision("keep")), names))
    assert sorted(decisions_of(tmp_path)) == sorted(names)


def test_a_decision_says_when_the_result_is_another_one_since(tmp_path):
    made(tmp_path, GLASS, "a")
    save_decision(tmp_path, GLASS, Decision("keep"))
    decision = decisions_of(tmp_path)[GLASS]
    assert not decision.has_changed(tmp_path, GLASS)
    made(tmp_path, GLASS, "a")  # Made anew, and the same.
    assert not decision.has_changed(tmp_path, GLASS)
    made(tmp_path, GLASS, "b")
    assert decision.has_changed(tmp_path, GLASS)
    assert decisions_of(tmp_path)[GLASS].verdict == "keep"


def test_the_identity_is_of_one_video_and_of_its_results_alone(tmp_path):
    assert result_identity(tmp_path, GLASS) == ""
    made(tmp_path, GLASS, "a")
    before = result_identity(tmp_path, GLASS)
    made(tmp_path, "a g house", "b")
    made(tmp_path, GLASS, "c", stage="stage0-frames")
    assert result_identity(tmp_path, GLASS) == before != ""


def test_a_decision_about_what_has_no_result_never_says_changed(tmp_path):
    save_decision(tmp_path, "walk", Decision("keep"))
    made(tmp_path, "walk", "a")
    assert not decisions_of(tmp_path)["walk"].has_changed(tmp_path, "walk")


def test_a_trim_leaves_the_frames_between_its_ends_both_included(tmp_path):
    save_decision(tmp_path, "walk", Decision("keep", first_frame=3, last_frame=9))
    save_decision(tmp_path, "jump", Decision("keep", last_frame=9))
    assert trimmed(tmp_path, "walk", 0, 20) == (3, 10)
    assert trimmed(tmp_path, "walk", 5, 8) == (5, 8)
    assert trimmed(tmp_path, "jump", 2, 20) == (2, 10)
    assert trimmed(tmp_path, "sit", 0, 20) == (0, 20)
