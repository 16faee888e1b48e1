"""Shards: every video once, similar lengths together, about equal work."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from driver.slurm.shards import split

LENGTHS = st.dictionaries(st.uuids().map(str), st.sampled_from([100, 200, 300, 700]), min_size=1)
NUMBERS = st.integers(1, 12)


@given(LENGTHS, NUMBERS)
def test_every_video_is_in_one_shard_and_no_shard_is_empty(lengths, number):
    shards = split(lengths, number)
    assert sorted(video for shard in shards for video in shard) == sorted(lengths)
    assert all(shards)


@given(LENGTHS, NUMBERS)
def test_all_shards_that_were_asked_for_are_used(lengths, number):
    assert len(split(lengths, number)) == min(number, len(lengths))


@given(LENGTHS, NUMBERS)
def test_a_shard_has_one_length_where_there_are_shards_enough(lengths, number):
    several = [shard for shard in split(lengths, number) if len({lengths[v] for v in shard}) > 1]
    assert not several or len(set(lengths.values())) > number


@given(LENGTHS, NUMBERS)
def test_lengths_of_one_shard_lie_next_to_each_other(lengths, number):
    ranges = [sorted(lengths[video] for video in shard) for shard in split(lengths, number)]
    assert all(before[-1] <= after[0] for before, after in pairwise(ranges))


@given(st.integers(1, 50), NUMBERS)
def test_videos_of_one_length_are_shared_out_evenly(videos, number):
    sizes = [len(shard) for shard in split({str(n): 100 for n in range(videos)}, number)]
    assert max(sizes) - min(sizes) <= 1


def test_longer_videos_get_more_shards():
    lengths = {f"short{n}": 100 for n in range(4)} | {f"long{n}": 900 for n in range(4)}
    assert [len(shard) for shard in split(lengths, 4)] == [4, 2, 1, 1]


def test_a_video_of_unknown_length_has_its_place():
    assert split({"damaged": 0, "good": 100}, 2) == [["damaged"], ["good"]]
