"""Shards: sets of whole videos of similar length, one for each task of a job array."""

from __future__ import annotations


def split(lengths: dict[str, int], shards: int) -> list[list[str]]:
    """Splits videos into at most `shards` sets of about equal work, shortest videos first.

    A set holds videos of one padded length, so that its task compiles once; of several lengths next
    to each other only where there are more lengths than sets.

    Args:
        lengths: padded number of frames, by video.
    """
    groups = [
        sorted(video for video, length in lengths.items() if length == one)
        for one in sorted(set(lengths.values()))
    ]

    def work(videos: list[str]) -> int:
        return sum(max(lengths[video], 1) for video in videos)

    while len(groups) > max(shards, 1):
        first = min(range(len(groups) - 1), key=lambda i: work(groups[i]) + work(groups[i + 1]))
        groups[first : first + 2] = [groups[first] + groups[first + 1]]
    parts = [1] * len(groups)
    while sum(parts) < min(shards, len(lengths)):
        divisible = [i for i, videos in enumerate(groups) if parts[i] < len(videos)]
        parts[max(divisible, key=lambda i: work(groups[i]) / parts[i])] += 1
    return [videos[part :: parts[i]] for i, videos in enumerate(groups) for part in range(parts[i])]
