"""How well flow would tell depth and focal apart from nothing: the probe before the last solve.

Li et al., "MegaSaM" (CVPR 2025), section 3.2: where the camera hardly moves, disparities have
little curvature and the prior of single pictures must stay; where it hardly turns or moves
forward, the focal has.
"""

from dataclasses import dataclass

from jaxtyping import Int
from torch import Tensor

from stages.stage1_megasam.projection import Scene, see_with_jacobians

_EDGES_AT_ONCE = 64


@dataclass(frozen=True)
class Curvature:
    """Second derivatives of the flow's squares, every cell and edge weighing one."""

    disparity: float
    """The median over cells of source frames, in squared cells by squared disparity."""
    focal: float
    """The sum over all edges, in squared cells by squared cells of focal length."""


def curvature(scene: Scene, sources: Int[Tensor, " n"], targets: Int[Tensor, " n"]) -> Curvature:
    """Of all edges of a graph at a scene."""
    frames, group = sources.unique(return_inverse=True)
    exact = scene.double()
    of_disparity = exact.disparity.new_zeros(len(frames), *exact.disparity.shape[1:])
    of_focal = exact.disparity.new_zeros(())
    for i, j, to in zip(
        sources.split(_EDGES_AT_ONCE),
        targets.split(_EDGES_AT_ONCE),
        group.split(_EDGES_AT_ONCE),
        strict=True,
    ):
        _, by = see_with_jacobians(exact, i, j)
        of_disparity.index_add_(0, to, by.disparity.square().sum(dim=-1))
        of_focal += by.focal.square().sum()
    return Curvature(float(of_disparity.median()), float(of_focal / exact.width**2))
