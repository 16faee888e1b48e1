"""Where the alignment begins: cameras and units that all pairs agree on, depth by their medians.

The original (Wang et al., "DUSt3R", CVPR 2024, section 3.4) puts the surest pairs together along a
tree, by similarities of least squares of their points. There each step's scale is too small where
depth is noisy, outliers weigh the most, and errors add up along the path, more than the steps that
follow can take back. Here each pair gives the second picture's camera by its pixels, and its unit
by a median; what all pairs say is averaged over the graph.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from stages.stage1_align3r.alignment.frame_depths import frame_depths, log_of
from stages.stage1_align3r.alignment.medians import weighted_median
from stages.stage1_align3r.alignment.motion_averaging import averaged, averaged_rotations
from stages.stage1_align3r.alignment.observations import Observations
from stages.stage1_align3r.alignment.single_pictures import camera, focal_px
from stages.stage1_align3r.alignment.unknowns import (
    MEAN_PAIR_SCALE,
    Unknowns,
    focal_number,
    inverse,
    moved,
    pair_numbers,
    pose_numbers,
)
from stages.stage1_align3r.network import PairMaps

PAIRS_AT_ONCE = 32

SURE = 3.0
"""Confidence of a pixel from which on it counts as known."""

_POSE_ROUNDS = 10
_UNKNOWN = 1e-6
"""Weight of a pair in which no camera is found, over that of others."""


def start(observations: Observations) -> Unknowns:
    """The unknowns to begin with; every frame must be first in a pair.

    Raises:
        ValueError: the pairs do not connect all frames.
    """
    pairs, maps, frames = observations.pairs, observations.maps, observations.frames
    first, second = pairs.unbind(1)
    scores = pair_scores(maps)
    focals = [focal_px(points) for points in maps.points_first.split(PAIRS_AT_ONCE)]
    focal = weighted_median(torch.cat(focals), scores)
    log_depth, log_unit = frame_depths(
        first, maps.points_first[..., 2], maps.confidence_first, frames
    )
    T_first_second, found = _second_cameras(maps, float(focal))
    weight = torch.where(found, scores, _UNKNOWN * scores)
    tree = spanning_tree([(i, j) for i, j in pairs.tolist()], weight.tolist(), frames)
    between = T_first_second[..., :3]
    R = averaged_rotations(pairs, between, weight, _along(tree, pairs, between, frames))
    # Both of a pair's pictures say what its unit is in their frame's.
    other_unit = _second_units(second, maps, T_first_second, log_depth)
    log_scale = averaged(pairs, (other_unit - log_unit)[:, None], weight)[:, 0].to(R)
    log_pair = log_scale[first] - log_unit
    step = (R[first] @ T_first_second[..., 3:])[..., 0] * log_pair.exp()[:, None]
    centre = averaged(pairs, step, weight).to(R)
    # The first frame's unit is the world's so far.
    log_world = log_pair.new_tensor(MEAN_PAIR_SCALE).log() - log_pair.mean()
    T_world_camera = torch.cat([R, centre[..., None] * log_world.exp()], dim=-1)
    return Unknowns(
        log_depth + (log_scale + log_world)[:, None, None],
        pose_numbers(T_world_camera),
        focal.new_tensor(focal_number(float(focal))),
        # A pair's points are in its first picture's camera.
        pair_numbers((log_pair + log_world).exp(), T_world_camera[first]),
    )


def pair_scores(maps: PairMaps) -> Float[Tensor, " e"]:
    """How sure pairs are: the product of both pictures' mean confidence."""
    return maps.confidence_first.mean(dim=(1, 2)) * maps.confidence_second.mean(dim=(1, 2))


def frame_confidence(observations: Observations) -> Float[Tensor, "n h w"]:
    """The largest that any pair has of a frame's pixel."""
    maps = observations.maps
    best = maps.confidence_first.new_zeros(observations.frames, *maps.confidence_first.shape[1:])
    for side, confidence in ((0, maps.confidence_first), (1, maps.confidence_second)):
        frames = observations.pairs[:, side]
        for few in torch.arange(len(frames), device=frames.device).split(PAIRS_AT_ONCE):
            where = frames[few, None, None].expand_as(confidence[few])
            best.scatter_reduce_(0, where, confidence[few], "amax")
    return best


def spanning_tree(
    edges: list[tuple[int, int]], scores: list[float], frames: int
) -> list[tuple[int, bool]]:
    """Rows of pairs that connect all frames with the largest scores, each of them touching those
    before; and whether it is the first picture that is known by then (Prim 1957).

    Raises:
        ValueError: the pairs do not connect all frames.
    """
    order = sorted(range(len(edges)), key=lambda e: -scores[e])
    tree, done = [(order[0], True)], set(edges[order[0]])
    while len(done) < frames:
        new = next((e for e in order if (edges[e][0] in done) != (edges[e][1] in done)), None)
        if new is None:
            raise ValueError(f"pairs connect only {len(done)} of {frames} frames")
        tree.append((new, edges[new][0] in done))
        done.update(edges[new])
    return tree


def _second_cameras(maps: PairMaps, focal: float) -> tuple[Float[Tensor, "e 3 4"], Tensor]:
    """T_first_second in every pair's unit, from the surer half of its points; and where there is
    one."""
    here = torch.eye(3, 4).to(maps.points_second)
    sure = maps.confidence_second
    middle = sure.flatten(1).median(dim=1).values
    found = [
        camera(points, usable, focal, _POSE_ROUNDS)
        for points, usable in zip(maps.points_second, sure >= middle[:, None, None], strict=True)
    ]
    cameras = torch.stack([here if T is None else T for T in found])
    return cameras, torch.tensor([T is not None for T in found], device=here.device)


def _second_units(
    second: Tensor, maps: PairMaps, T_first_second: Tensor, log_depth: Float[Tensor, "n h w"]
) -> Float[Tensor, " e"]:
    """Logarithms of every pair's unit over that of its second frame."""
    found = []
    for few in torch.arange(len(second), device=second.device).split(PAIRS_AT_ONCE):
        depth = moved(inverse(T_first_second[few]), maps.points_second[few])[..., 2]
        away = log_of(depth) - log_depth[second[few]]
        found.append(weighted_median(away.flatten(1), maps.confidence_second[few].flatten(1)))
    return torch.cat(found)


def _along(
    tree: list[tuple[int, bool]], pairs: Tensor, between: Float[Tensor, "e 3 3"], frames: int
) -> Float[Tensor, "n 3 3"]:
    """Rotations of all frames against the first pair's first picture."""
    R = torch.eye(3).to(between).repeat(frames, 1, 1)
    for row, first_is_known in tree:
        i, j = pairs[row].tolist()
        if first_is_known:
            R[j] = R[i] @ between[row]
        else:
            R[i] = R[j] @ between[row].mT
    return R
