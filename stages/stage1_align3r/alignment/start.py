"""Where the alignment begins: the surest pairs, put together along a tree.

Wang et al., "DUSt3R" (CVPR 2024), section 3.4, as its code does it.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from stages.stage1_align3r.alignment.observations import Observations
from stages.stage1_align3r.alignment.registration import registration
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


def start(observations: Observations) -> Unknowns:
    """The unknowns to begin with.

    Raises:
        ValueError: the pairs do not connect all frames.
    """
    maps = observations.maps
    edges = [(int(i), int(j)) for i, j in observations.pairs]
    scores = pair_scores(maps)
    tree = spanning_tree(edges, scores.tolist(), observations.frames)
    points, cameras = _along(tree, edges, maps, observations.frames)
    focals = _focals(edges, scores, maps, observations.frames)
    sure = frame_confidence(observations) > SURE
    for frame in set(range(observations.frames)) - cameras.keys():
        found = camera(points[frame], sure[frame], float(focals[frame]), _POSE_ROUNDS)
        cameras[frame] = torch.eye(3, 4).to(points) if found is None else found
    scale, rigid = _pairs(observations, points)
    unit = MEAN_PAIR_SCALE / scale.log().mean().exp()
    T_world_camera = torch.stack([cameras[frame] for frame in range(observations.frames)])
    T_world_camera[..., 3] *= unit
    depth = moved(inverse(T_world_camera), points * unit)[..., 2]
    return Unknowns(
        # What lies behind its camera begins at depth 1.
        torch.where(depth > 0, depth, 1.0).log(),
        pose_numbers(T_world_camera),
        points.new_tensor(focal_number(float(focals.mean()))),
        pair_numbers(scale, rigid),
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


def _along(
    tree: list[tuple[int, bool]], edges: list[tuple[int, int]], maps: PairMaps, frames: int
) -> tuple[Float[Tensor, "n h w 3"], dict[int, Tensor]]:
    """Points of all frames in the first pair's camera, and cameras of some frames."""
    points = maps.points_first.new_zeros(frames, *maps.points_first.shape[1:])
    root = tree[0][0]
    i, j = edges[root]
    points[i], points[j] = maps.points_first[root], maps.points_second[root]
    cameras = {i: torch.eye(3, 4).to(points)}
    for row, first_is_known in tree[1:]:
        i, j = edges[row]
        first, sure_first, second, sure_second = (each[row : row + 1] for each in maps)
        if first_is_known:
            scale, rigid = registration(first, points[i : i + 1], sure_first)
        else:
            scale, rigid = registration(second, points[j : j + 1], sure_second)
        new, of_new = (j, second) if first_is_known else (i, first)
        points[new] = moved(_scaled(scale, rigid), of_new)[0]
        cameras.setdefault(i, rigid[0])
    return points, cameras


def _focals(
    edges: list[tuple[int, int]], scores: Tensor, maps: PairMaps, frames: int
) -> Float[Tensor, " n"]:
    """Of every frame, by the surest pair of which it is the first picture."""
    best: dict[int, int] = {}
    for row in scores.argsort(descending=True).tolist():
        best.setdefault(edges[row][0], row)
    rows = torch.tensor([best[frame] for frame in range(frames)])
    return torch.cat([focal_px(maps.points_first[few]) for few in rows.split(PAIRS_AT_ONCE)])


def _pairs(
    observations: Observations, points: Tensor
) -> tuple[Float[Tensor, " e"], Float[Tensor, "e 3 4"]]:
    """Similarities from every pair's camera to the world."""
    maps, first = observations.maps, observations.pairs[:, 0]
    found = [
        registration(maps.points_first[few], points[first[few]], maps.confidence_first[few])
        for few in torch.arange(len(first)).split(PAIRS_AT_ONCE)
    ]
    scale, rigid = zip(*found, strict=True)
    return torch.cat(scale), torch.cat(rigid)


def _scaled(scale: Tensor, rigid: Float[Tensor, "k 3 4"]) -> Float[Tensor, "k 3 4"]:
    return torch.cat([scale[:, None, None] * rigid[..., :3], rigid[..., 3:]], dim=-1)
