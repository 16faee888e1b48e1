"""Gauss-Newton on cameras, disparities and focal; disparities are eliminated first.

Teed and Deng, "DROID-SLAM" (NeurIPS 2021), section 3.2, with the shared focal and the prior of
single pictures of Li et al., "MegaSaM" (CVPR 2025). Edges are linearised in the type of the scene;
sums over edges and the reduced system are float64.
"""

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from stages.geometry import se3
from stages.stage1_megasam.bundle_adjustment.linearise import linearise
from stages.stage1_megasam.bundle_adjustment.problem import FlowEdges, MonoPrior, Solve
from stages.stage1_megasam.bundle_adjustment.sources import SourceEquations, gather
from stages.stage1_megasam.bundle_adjustment.unknowns import Unknowns, add_blocks, add_vectors
from stages.stage1_megasam.projection import Scene

FRAMES_AT_ONCE = 64
"""Bounds the memory of the elimination in float64."""

_LEAST_CURVATURE = 1e-7
_LARGEST_DISPARITY = 10.0
_LEAST_DISPARITY = 1e-6


def adjust(
    scene: Scene, edges: FlowEdges, prior: MonoPrior | None, solve: Solve, iterations: int
) -> Scene:
    """A scene that explains the flow better.

    Disparities of all source frames are free, those of cameras that stay included. One above 10
    has run away and begins anew at the least.
    """
    unknowns = Unknowns.of(edges, solve)
    for _ in range(iterations):
        equations = linearise(scene, edges, solve.focal)
        system, pull = _camera_system(unknowns, equations.cameras, equations.camera_pull, solve)
        sources = _damped(gather(edges, equations, unknowns), scene, edges, prior)
        _eliminate(system, pull, sources)
        step = _solve(system, pull)
        scene = _moved(scene, step, solve)
        scene = replace(scene, disparity=_deepened(scene.disparity, sources, step))
    return scene


def adjust_cameras(scene: Scene, edges: FlowEdges, solve: Solve, iterations: int) -> Scene:
    """A scene whose cameras, and focal if it is free, explain the flow better."""
    unknowns = Unknowns.of(edges, solve)
    for _ in range(iterations):
        equations = linearise(scene, edges, solve.focal)
        system, pull = _camera_system(unknowns, equations.cameras, equations.camera_pull, solve)
        scene = _moved(scene, _solve(system, pull), solve)
    return scene


def _camera_system(
    unknowns: Unknowns, blocks: Tensor, pulls: Tensor, solve: Solve
) -> tuple[Float[Tensor, "k k"], Float[Tensor, " k"]]:
    size = unknowns.count + 1
    system = blocks.new_zeros(size, size, dtype=torch.float64)
    pull = blocks.new_zeros(size, dtype=torch.float64)
    add_blocks(system, blocks, unknowns.of_edges)
    add_vectors(pull, pulls, unknowns.of_edges)
    diagonal = system.diagonal()
    diagonal += solve.absolute_damping + solve.relative_damping * diagonal
    return system, pull


def _damped(
    sources: SourceEquations, scene: Scene, edges: FlowEdges, prior: MonoPrior | None
) -> SourceEquations:
    damping = edges.damping.flatten(1)
    if prior is None:
        return replace(sources, disparity=sources.disparity + damping + _LEAST_CURVATURE)
    wanted = prior.disparity[sources.frames].flatten(1)
    known = wanted > 0
    away = scene.disparity[sources.frames].flatten(1) - wanted
    return replace(
        sources,
        disparity=sources.disparity + torch.where(known, prior.weight, damping) + _LEAST_CURVATURE,
        pull=sources.pull - torch.where(known, prior.weight * away, 0),
    )


def _eliminate(system: Tensor, pull: Tensor, sources: SourceEquations) -> None:
    """Takes from the cameras' equations what disparities explain (Schur complement), in place."""
    for coupling, places, disparity, own_pull in zip(
        sources.coupling.split(FRAMES_AT_ONCE),
        sources.places.split(FRAMES_AT_ONCE),
        sources.disparity.split(FRAMES_AT_ONCE),
        sources.pull.split(FRAMES_AT_ONCE),
        strict=True,
    ):
        rows = coupling.double()
        solved = rows / disparity.double()[:, None]
        add_blocks(system, -solved @ rows.mT, places)
        add_vectors(pull, -(solved @ own_pull.double()[..., None])[..., 0], places)


def _solve(system: Tensor, pull: Tensor) -> Float[Tensor, " k"]:
    """The step, zero where a camera stays; all zero if the system has no minimum."""
    lower, failed = torch.linalg.cholesky_ex(system[:-1, :-1])
    step = torch.cholesky_solve(pull[:-1, None], lower)[:, 0]
    return torch.cat([torch.where(failed > 0, 0, step), step.new_zeros(1)])


def _moved(scene: Scene, step: Tensor, solve: Solve) -> Scene:
    free = slice(solve.first, solve.end)
    poses = scene.T_camera_world.clone()
    tangents = step[: 6 * (solve.end - solve.first)].view(-1, 6).to(poses.dtype)
    poses[free] = se3.retract(poses[free], tangents)
    if not solve.focal:
        return replace(scene, T_camera_world=poses)
    fx, fy, cx, cy = scene.intrinsics
    grown = scene.width * step[-2].to(fx.dtype)
    intrinsics = torch.stack([fx + grown, fy + grown * fy / fx, cx, cy])
    return replace(scene, T_camera_world=poses, intrinsics=intrinsics)


def _deepened(disparity: Tensor, sources: SourceEquations, step: Tensor) -> Tensor:
    explained = torch.einsum(
        "mrp,mr->mp", sources.coupling, step[sources.places].to(disparity.dtype)
    )
    change = (sources.pull - explained) / sources.disparity
    moved = disparity.index_add(0, sources.frames, change.view(-1, *disparity.shape[1:]))
    return torch.where(moved > _LARGEST_DISPARITY, 0, moved).clamp(min=_LEAST_DISPARITY)
