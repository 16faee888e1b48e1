"""`python -m bench.worlds.speed`: seconds and memory of MegaSaM by random weights of official size.

Random weights find no flow, and a graph of what they find would be of no use. So the networks do
all of their work, and their answers are replaced by the true flow of a rendered scene.
"""

import json
import time
from collections.abc import Callable
from typing import Any

import click
import torch

from bench.worlds.places import HEIGHT_PX, SCENES, WIDTH_PX, place
from bench.worlds.true_flow import Disturbance, TrueFlow, single_pictures
from stages.flow.config import CELL_PX, RaftConfig
from stages.flow.raft import Raft
from stages.running import machine
from stages.stage1_megasam.network import DroidConfig, DroidNet
from stages.stage1_megasam.refinement import follow, refine
from stages.stage1_megasam.tracking.matching import EdgeMemory, Revision
from stages.stage1_megasam.tracking.network_matcher import FrugalMatcher, NetworkMatcher
from stages.stage1_megasam.tracking.whole_video import track

SMALL = DroidConfig((24, 32, 48), 64, 48), RaftConfig((24, 32, 48), 64, 48)
"""The demo's sizes."""

_OF_TRUTH = 3
"""Tensors of an edge's memory that are the truth's."""


class Clock:
    """Seconds by name; waits for the device before and after."""

    def __init__(self, device: str) -> None:
        self.device, self.seconds, self.edge_steps = device, dict[str, float](), 0

    def __call__(self, name: str, work: Callable[..., Any], *given: Any) -> Any:
        self._wait()
        started = time.perf_counter()
        found = work(*given)
        self._wait()
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started
        return found

    def _wait(self) -> None:
        if self.device == "cuda":
            torch.cuda.synchronize()


class Replaced:
    """A matcher that does the network's work and gives the truth's answers."""

    def __init__(self, network: NetworkMatcher, truth: TrueFlow, clock: Clock) -> None:
        self.network, self.truth, self.clock = network, truth, clock

    def mean_motion(self, source: int, target: int) -> float:
        self.clock("network", self.network.mean_motion, source, target)
        return self.clock("truth", self.truth.mean_motion, source, target)

    def begin(self, sources: torch.Tensor, targets: torch.Tensor) -> EdgeMemory:
        ours = self.clock("network", self.network.begin, sources, targets)
        true = self.clock("truth", self.truth.begin, sources.cpu(), targets.cpu())
        return EdgeMemory((*ours.rows, *(row.to(sources.device) for row in true.rows)))

    def revise(
        self,
        memory: EdgeMemory,
        sources: torch.Tensor,
        targets: torch.Tensor,
        places: torch.Tensor,
        wanted: torch.Tensor,
    ) -> tuple[EdgeMemory, Revision]:
        ours, true = EdgeMemory(memory.rows[:-_OF_TRUTH]), EdgeMemory(memory.rows[-_OF_TRUTH:])
        self.clock.edge_steps += len(sources)
        revise = self.network.revise
        fresh, _ = self.clock("network", revise, ours, sources, targets, places, wanted)
        _, found = self.truth.revise(true, sources, targets, places, wanted)
        return EdgeMemory((*fresh.rows, *true.rows)), found


def measured(frames: int, device: str, cell_px: int, small: bool, fps: float) -> dict[str, float]:
    """Of one scene, whose cells are `cell_px` wide in pictures of 512x288."""
    torch.manual_seed(0)
    scene = place(*SCENES[0], frames, fps, cell_px)
    high, wide = HEIGHT_PX * CELL_PX // cell_px, WIDTH_PX * CELL_PX // cell_px
    of_tracker, of_flow = SMALL if small else (DroidConfig(), RaftConfig())
    tracker = DroidNet(of_tracker).eval().requires_grad_(False).to(device)
    flow = Raft(of_flow).eval().requires_grad_(False).to(device)
    pictures = torch.randint(0, 256, (frames, 3, high, wide), dtype=torch.uint8, device=device)
    clock = Clock(device)
    matcher = NetworkMatcher(tracker)
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    machine.reset_peak_memory()
    for number, picture in enumerate(pictures):
        clock("network", matcher.show, number, picture.float())
    truth = TrueFlow(scene, Disturbance(noise_px=1), cell_px)
    ours, frugal = (Replaced(each, truth, clock) for each in (matcher, FrugalMatcher(matcher)))
    prior = single_pictures(scene, Disturbance(depth=0.1)).to(device)
    lens = scene.truth.intrinsics.to(device)
    found = clock("tracking", track, ours, frugal, prior, lens)
    tracking_mb = _peak_mb(device)
    disparity = prior.repeat_interleave(CELL_PX, 1).repeat_interleave(CELL_PX, 2)
    pairs = clock("flow", follow, flow, pictures)
    lens_px = torch.cat([lens[:2] * CELL_PX, (lens[2:] + 0.5) * CELL_PX - 0.5])
    clock("depth", refine, disparity, found.static, found.scene.T_camera_world, lens_px, pairs)
    seconds = clock.seconds
    tracking = seconds["tracking"] - seconds["truth"]
    # Features are found before the track begins, and count with it.
    shown = seconds["network"]
    return {
        "frames": frames,
        "keyframes": found.keyframes,
        "edge_steps": clock.edge_steps,
        "network_s": shown,
        "adjustment_s": max(tracking - shown, 0.0),
        "tracking_frames_a_second": frames / tracking,
        "tracking_mb": tracking_mb,
        "refinement_s": seconds["flow"] + seconds["depth"],
        "peak_mb": _peak_mb(device),
    }


def _peak_mb(device: str) -> float:
    if device == "cuda":
        return torch.cuda.max_memory_allocated() / 2**20
    return machine.peak_memory_mb()


@click.command()
@click.option("--frames", default=300, show_default=True)
@click.option("--device", default="cuda", show_default=True)
@click.option("--cell-px", default=CELL_PX, show_default=True, help="Larger: smaller pictures.")
@click.option("--small", is_flag=True, help="The demo's sizes in place of the official ones.")
@click.option("--fps", default=30.0, show_default=True)
def main(frames: int, device: str, cell_px: int, small: bool, fps: float) -> None:
    """Prints one line of JSON."""
    print(json.dumps(measured(frames, device, cell_px, small, fps)))


if __name__ == "__main__":
    main()
