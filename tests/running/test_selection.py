"""Which videos a run takes."""

import pytest

from stages.running.selection import Selection, SelectionError, choose, padded_length

NAMES = ["Walk_2", "jump_1", "Jump_2", "sit"]


def test_the_pattern_ignores_case_and_the_list_is_sorted():
    assert choose(NAMES, Selection("jump"), "videos") == ["Jump_2", "jump_1"]


def test_the_end_is_exclusive_and_minus_one_means_all():
    assert choose(NAMES, Selection(start_idx=1, end_idx=3), "videos") == ["Walk_2", "jump_1"]
    assert choose(NAMES, Selection(end_idx=-1), "videos") == sorted(NAMES)


def test_the_start_holds_also_without_an_end():
    assert choose(NAMES, Selection(start_idx=3), "videos") == ["sit"]


def test_an_empty_choice_is_an_error_that_lists_the_names():
    with pytest.raises(SelectionError, match="Jump_2, Walk_2, jump_1, sit"):
        choose(NAMES, Selection("run"), "videos")


@pytest.mark.parametrize(("frames", "padded"), [(1, 100), (100, 100), (101, 200), (0, 100)])
def test_lengths_are_padded_to_hundreds(frames, padded):
    assert padded_length(frames) == padded


def test_named_videos_are_chosen_by_exact_name():
    assert choose(NAMES, Selection(names=frozenset({"sit", "jump"})), "videos") == ["sit"]


def test_a_name_stands_for_the_reconstructions_of_that_video():
    one, other = (
        f"megahunter_sfm_reconstruction_results_{video}_cam01_frame_0_-1_subsample_1"
        for video in ("sit", "sit_2")
    )
    assert choose([one, other], Selection(names=frozenset({"sit"})), "results") == [one]
