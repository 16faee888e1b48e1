"""Size of pictures, frames that memory holds, and flags as rules."""

from dataclasses import fields

import pytest

from stages.stage1_megasam.memory import MOST_FRAMES, frame_bytes, most_frames
from stages.stage1_megasam.network import DroidConfig
from stages.stage1_megasam.pictures import picture_size
from stages.stage1_megasam.reconstruction import Rules
from stages.stage1_megasam.rules import Thresholds, rules_of
from stages.stage1_megasam.stage import MegasamStage

OFFICIAL = DroidConfig()


@pytest.mark.parametrize(
    ("high", "wide", "expected"),
    [
        (1080, 1920, (288, 512)),
        (1920, 1080, (512, 288)),
        (480, 640, (384, 512)),
        (500, 500, (512, 512)),
        # 512 * 333 // 640 is 266, which goes up to the next multiple of 8.
        (333, 640, (272, 512)),
        (90, 160, (288, 512)),
    ],
)
def test_the_long_side_is_512_and_the_short_one_goes_up(
    high: int, wide: int, expected: tuple[int, int]
) -> None:
    resizing = picture_size(high, wide, OFFICIAL.long_side_px)
    assert (resizing.height, resizing.width) == expected


def test_more_memory_holds_more_frames_up_to_the_most() -> None:
    each = frame_bytes(OFFICIAL, 64 * 36)
    assert frame_bytes(OFFICIAL, 2 * 64 * 36) == 2 * each
    assert most_frames(OFFICIAL, 64 * 36, 100 * each) == 70
    assert most_frames(OFFICIAL, 64 * 36, 10_000 * each) == MOST_FRAMES


def thresholds() -> Thresholds:
    stage = MegasamStage()
    return Thresholds(**{each.name: getattr(stage, each.name) for each in fields(Thresholds)})


def test_the_flags_defaults_are_the_rules_of_the_official_code() -> None:
    assert rules_of(thresholds(), OFFICIAL.long_side_px) == Rules()


def test_lengths_of_flow_shrink_with_the_pictures() -> None:
    small = rules_of(thresholds(), OFFICIAL.long_side_px // 2)
    assert small.front_end.least_motion == Rules().front_end.least_motion / 2
    assert small.front_end.proximity.threshold == Rules().front_end.proximity.threshold / 2
    assert small.back_end.threshold == Rules().back_end.threshold / 2
    assert small.front_end.first_keyframes == Rules().front_end.first_keyframes
