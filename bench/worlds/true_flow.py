"""Flow of a rendered scene in place of the network's, as it is or disturbed."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from bench.worlds.places import Place
from stages.flow.grid import cell_grid
from stages.geometry import se3
from stages.stage1_megasam.projection import see
from stages.stage1_megasam.tracking.matching import EdgeMemory, Revision

_SURE = 0.9
_DAMPING = 1e-4
_OUTLIERS = 0.1
_HIDDEN = 1.05
"""Cells that would be so much farther than what is seen in their place are hidden."""


@dataclass(frozen=True)
class Disturbance:
    """Pixels are those of the picture, of which a cell has eight."""

    noise_px: float = 0.0
    """Standard deviation, in every cell and direction."""
    outlier_px: float = 0.0
    """Standard deviation in a tenth of the cells, which are trusted like the others."""
    missed: float = 0.0
    """Share of the cells of people that are taken for static."""
    depth: float = 0.0
    """Error of single pictures' disparity, as a share: of whole frames, of patches, of cells."""
    focal: float = 0.1
    """Error of the focal length to begin with, as a share."""


class TrueFlow:
    """A matcher that knows the truth; an edge's memory is its flow, disturbed once."""

    def __init__(self, place: Place, disturbance: Disturbance, cell_px: int, seed: int = 0) -> None:
        self.place, self.disturbance, self.cell_px = place, disturbance, cell_px
        self.random = torch.Generator().manual_seed(seed)
        frame, row, column = place.person.nonzero(as_tuple=True)
        self._cells = [torch.nonzero(frame == f)[:, 0] for f in range(len(place.person))]
        self._at = (row, column)
        taken = torch.rand(place.person.shape, generator=self.random) < disturbance.missed
        self.static = ~place.person | taken

    def mean_motion(self, source: int, target: int) -> float:
        """Of all cells, in cells."""
        places, seen = self._places(source, target)
        length = (places - cell_grid(places[..., 0])).norm(dim=-1)
        return float(length[seen].mean()) if seen.any() else float("inf")

    def begin(self, sources: Int[Tensor, " n"], targets: Int[Tensor, " n"]) -> EdgeMemory:
        """The flow of edges."""
        found = [self._places(*ends) for ends in zip(*self._ends(sources, targets), strict=True)]
        places = torch.stack([places for places, _ in found])
        seen = torch.stack([seen for _, seen in found])
        d, unit = self.disturbance, 1 / self.cell_px
        wild = torch.rand(seen.shape, generator=self.random) < _OUTLIERS
        spread = torch.where(wild, max(d.noise_px, d.outlier_px), d.noise_px) * unit
        noise = spread[..., None] * torch.randn(places.shape, generator=self.random)
        static = self.static[sources].float()
        return EdgeMemory((places + noise, _SURE * seen * static, static))

    def revise(
        self,
        memory: EdgeMemory,
        sources: Int[Tensor, " n"],
        targets: Int[Tensor, " n"],
        places: Float[Tensor, "n h w 2"],
        wanted: Float[Tensor, "n h w 2"],
    ) -> tuple[EdgeMemory, Revision]:
        """The same at every step."""
        found, weights, static = memory.rows
        damping = found.new_full((len(sources.unique()), *found.shape[1:3]), _DAMPING)
        return memory, Revision(found, weights[..., None].expand_as(found), static, damping)

    def _ends(self, sources: Tensor, targets: Tensor) -> tuple[list[int], list[int]]:
        return sources.tolist(), targets.tolist()

    def _places(self, source: int, target: int) -> tuple[Tensor, Tensor]:
        """Where cells go, and whether they are seen there."""
        truth = self.place.truth
        seen = see(truth, torch.tensor([source]), torch.tensor([target]))
        places, depth = seen.places[0], seen.depth[0] / truth.disparity[source]
        cells = self._cells[source]
        if len(cells):
            corners = self.place.vertices[target][self.place.faces[cells]]
            points = (self.place.corners[cells][..., None] * corners).sum(dim=1)
            there = se3.act(truth.T_camera_world[target], points)
            at = (self._at[0][cells], self._at[1][cells])
            level = there[:, :2] / there[:, 2:]
            places[at] = level * truth.intrinsics[:2] + truth.intrinsics[2:]
            depth[at] = there[:, 2]
        high, wide = depth.shape
        column, row = places.round().long().unbind(-1)
        inside = (column >= 0) & (column < wide) & (row >= 0) & (row < high) & (depth > 0)
        theirs = truth.disparity[target][row.clamp(0, high - 1), column.clamp(0, wide - 1)]
        return places.float(), inside & (depth * theirs < _HIDDEN)


def single_pictures(place: Place, disturbance: Disturbance, seed: int = 1) -> Tensor:
    """Disparity as a network would read it off each picture."""
    random = torch.Generator().manual_seed(seed)
    true = place.truth.disparity
    frames, high, wide = true.shape
    whole = torch.randn(frames, 1, 1, generator=random)
    patches = F.interpolate(
        torch.randn(frames, 1, 4, 6, generator=random), (high, wide), mode="bilinear"
    )[:, 0]
    cells = torch.randn(true.shape, generator=random)
    error = 0.6 * whole + 0.6 * patches + 0.5 * cells
    return true * (disturbance.depth * error / error.std()).exp()
