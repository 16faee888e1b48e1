"""Without volumes in memory the network says the same."""

import torch

from stages.flow.grid import cell_grid
from stages.stage1_megasam.network import DroidConfig, DroidNet
from stages.stage1_megasam.tracking.network_matcher import FrugalMatcher, NetworkMatcher

HIGH, WIDE, FRAMES = 8, 12, 10


def test_a_matcher_without_volumes_says_the_same() -> None:
    torch.manual_seed(0)
    network = DroidNet(DroidConfig(encoder=(4, 6, 8), features=8, hidden=8)).eval()
    whole = NetworkMatcher(network)
    for number in range(FRAMES):
        whole.show(number, 255 * torch.rand(3, 8 * HIGH, 8 * WIDE))
    frugal = FrugalMatcher(whole)
    # More sources than are taken at a time, in no order, with several edges each.
    sources = torch.arange(FRAMES).repeat(3)[torch.randperm(3 * FRAMES)]
    targets = (sources + torch.arange(3 * FRAMES) % (FRAMES - 1) + 1) % FRAMES
    grid = cell_grid(torch.zeros(HIGH, WIDE))
    places, wanted = (grid + torch.randn(3 * FRAMES, HIGH, WIDE, 2) for _ in range(2))
    found = []
    for matcher in (whole, frugal):
        memory = matcher.begin(sources, targets)
        for _ in range(2):
            memory, revision = matcher.revise(memory, sources, targets, places, wanted)
        found.append((memory.rows[0], *vars(revision).values()))
    for one, other in zip(*found, strict=True):
        assert one.shape == other.shape
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
