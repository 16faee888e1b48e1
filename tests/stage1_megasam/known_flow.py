"""A made video whose flow is known, in place of what the network finds."""

from dataclasses import dataclass

import torch

from stages.flow.grid import cell_grid
from stages.geometry import se3
from stages.stage1_megasam.projection import Scene, see
from stages.stage1_megasam.tracking.matching import EdgeMemory, Revision

HIGH, WIDE = 10, 14


def travel(frames: int, step: float = 0.12) -> Scene:
    """A camera that walks aside on a curve and looks about, before bumps at depths of 1 to 2."""
    at = torch.arange(frames).double()
    random = torch.Generator().manual_seed(0)
    tangents = torch.stack(
        [step * at, 0.03 * (at / 3).sin(), 0.2 * (at / 6).sin(),
         0.02 * (at / 4).sin(), 0.06 * (at / 5).sin(), 0.01 * at.sin()], dim=1,
    )  # fmt: skip
    disparity = 0.5 + 0.5 * torch.rand(frames, HIGH, WIDE, generator=random)
    return Scene(se3.exp(tangents), disparity, torch.tensor([12.0, 12.0, 6.5, 4.5]).double())


@dataclass
class KnownFlow:
    """Flow of a true scene, and of something that crosses the lower left of every frame.

    It is known to move. What is remembered of an edge is which frames it joins.
    """

    truth: Scene

    def mean_motion(self, source: int, target: int) -> float:
        seen = see(self.truth, torch.tensor([source]), torch.tensor([target]))
        return float((seen.places - cell_grid(seen.depth)).norm(dim=-1).mean())

    def begin(self, sources: torch.Tensor, targets: torch.Tensor) -> EdgeMemory:
        return EdgeMemory((torch.stack([sources, targets], dim=1),))

    def revise(
        self,
        memory: EdgeMemory,
        sources: torch.Tensor,
        targets: torch.Tensor,
        places: torch.Tensor,
        wanted: torch.Tensor,
    ) -> tuple[EdgeMemory, Revision]:
        assert torch.equal(memory.rows[0], torch.stack([sources, targets], dim=1))
        seen = see(self.truth, sources, targets)
        static = torch.ones_like(seen.depth, dtype=torch.float32)
        static[:, HIGH // 2 :, : WIDE // 3] = 0
        found = seen.places.float()
        found[static == 0] += torch.tensor([3.0, 0.0])
        weights = 0.9 * (static * seen.valid)[..., None].expand(*seen.depth.shape, 2)
        damping = torch.full((len(sources.unique()), HIGH, WIDE), 1e-4)
        return memory, Revision(found, weights, static, damping)


def path_error(found: Scene, truth: Scene, numbers: torch.Tensor) -> float:
    """The largest distance between camera centres, over the length of the path."""
    ours, theirs = (
        se3.inverse(poses)[:, :3] for poses in (found.T_camera_world, truth.T_camera_world[numbers])
    )
    length = (theirs[1:] - theirs[:-1]).norm(dim=-1).sum()
    return float((ours - theirs).norm(dim=-1).max() / length)
