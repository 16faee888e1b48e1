"""Clips for SAM 2's trainer: variations of rendered ones, and whom they ask for."""

import pytest
import torch

from tools.checkpoints.sam2 import SMALLEST_PX, SeenClips, varied, with_target

SIDE, FRAMES = 64, 4


@pytest.fixture
def clips() -> SeenClips:
    """Two people as filled boxes: the first moves right, the second is too small in frame 0."""
    torch.manual_seed(0)
    people = torch.zeros(3, FRAMES, 2, SIDE, SIDE, dtype=torch.bool)
    for t in range(FRAMES):
        people[:, t, 0, 10:40, 2 + 5 * t : 14 + 5 * t] = True
        people[:, t, 1, 50 : 51 + 3 * t, 30:50] = True
    pictures = people.any(2).mul(200).byte()[:, :, None].expand(-1, -1, 3, -1, -1).clone()
    pictures[:, :, 0] += 10 * torch.arange(FRAMES, dtype=torch.uint8)[:, None, None]
    return SeenClips(pictures, people)


def test_only_people_who_are_well_seen_at_first_are_asked_for(clips: SeenClips) -> None:
    assert clips.people[0, 0, 1].sum() < SMALLEST_PX
    chosen = with_target(clips, jitter=0.0)
    assert torch.equal(chosen.masks, clips.people[:, :, 0].transpose(0, 1))
    assert chosen.boxes[0].tolist() == [2, 10, 13, 39]
    assert chosen.pictures.shape == (FRAMES, 3, 3, SIDE, SIDE)


def test_varied_clips_are_neighbouring_frames_with_masks_that_still_fit(clips: SeenClips) -> None:
    directions = set()
    for _ in range(20):
        some = varied(clips, 2)
        lit = some.pictures[:, :, 1] > 0
        assert torch.equal(lit, some.people.any(2))
        frame = (some.pictures[:, :, 0].amin((-1, -2)) // 10).long()
        assert (frame.diff(dim=1).abs() == 1).all()
        mirrored = some.people[:, 0, 0, 10].float().argmax(-1) > SIDE // 2
        steps = frame.diff(dim=1)[:, 0].tolist()
        directions |= set(zip(steps, mirrored.tolist(), strict=True))
    assert directions == {(1, False), (1, True), (-1, False), (-1, True)}
