"""What people decided of a video counts as a parameter of that video alone."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from stages.artifacts.curation import Decision, decisions_of
from stages.artifacts.masks import TrackSummary
from stages.running import ChosenPeople, VideoError
from stages.running.curation import save_decision
from tests.running.copy_stage import CopyStage
from tests.running.runs import go, outcomes

SUMMARY = TrackSummary((1, 2, 3), (1, 2, 3), {}, {}, {}, largest_area_id=1)


@dataclass(kw_only=True)
class Follower(ChosenPeople, CopyStage):
    """A stage that follows somebody."""


def follower(data: Path, **flags: object) -> Follower:
    return Follower(texts_dir=data / "input", copies_dir=data / "output", **flags)  # type: ignore[arg-type]


def curated(data: Path) -> tuple[int, list[dict]]:
    return go(data, follower(data, curated=True))


def test_a_choice_is_made_anew_once_and_of_its_video_alone(data):
    go(data, follower(data))
    assert set(outcomes(curated(data)[1]).values()) == {"skipped"}  # Nobody decided anything.
    save_decision(data, "b", Decision("keep", person=2))
    assert outcomes(go(data, follower(data))[1])["b"] == "skipped"  # Nobody asks for decisions.
    assert outcomes(curated(data)[1]) == {"a": "skipped", "b": "done", "c": "skipped"}
    assert set(outcomes(curated(data)[1]).values()) == {"skipped"}
    save_decision(data, "b", Decision("keep", person=3))
    code, entries = curated(data)
    assert code == 0 and outcomes(entries)["b"] == "done"
    assert decisions_of(data)["b"].person == 3


def test_the_chosen_person_comes_first_or_alone(data):
    save_decision(data, "b", Decision("keep", person=3))
    assert follower(data, curated=True).followed("b", SUMMARY) == [3]
    assert follower(data, curated=True, multihuman=True).followed("b", SUMMARY) == [3, 1, 2]
    assert follower(data, curated=True).followed("a", SUMMARY) == [1]
    assert follower(data).followed("b", SUMMARY) == [1]


def test_a_person_who_is_not_there_any_more_is_no_other(data):
    save_decision(data, "b", Decision("keep", person=7))
    with pytest.raises(VideoError, match=r"chooses person 7 of b, which has 1, 2, 3; choose again"):
        follower(data, curated=True).followed("b", SUMMARY)
