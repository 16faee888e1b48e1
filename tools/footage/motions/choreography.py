"""The motions of the demo: walking, jumping onto a box, climbing stairs, two people who cross."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from stages.geometry.block_terrain import Block, Terrain
from tools.footage.motions.footsteps import Footsteps
from tools.footage.motions.motion import Motion
from tools.footage.motions.performing import perform
from tools.footage.motions.plan import Style
from tools.footage.motions.rest_body import RestBody

TOE_GAP_M = 0.03  # from the toes to the riser ahead of them, on a stair
APPROACH_GAP_M = 0.07  # from the toes to the lowest stair
STAIR_STEP_TIME = 1.25  # of a step on the level


class Extent(NamedTuple):
    """Where a block begins and ends along a path, metres from the path's start."""

    front_m: float
    back_m: float


def walk(
    body: RestBody,
    terrain: Terrain,
    path_m: Sequence[tuple[float, float]],
    fps: float = 30.0,
    style: Style = Style(),  # noqa: B008 (frozen)
    heading_rad: float | None = None,
) -> Motion:
    """Stands at the first point of `path_m`, walks through the others and stands at the last."""
    steps = walk_steps(body, terrain, path_m, style, heading_rad)
    return perform(steps.plan(0.6), body, terrain, fps)


def walk_steps(
    body: RestBody,
    terrain: Terrain,
    path_m: Sequence[tuple[float, float]],
    style: Style,
    heading_rad: float | None = None,
) -> Footsteps:
    """The footsteps of `walk`."""
    way = np.subtract(path_m[1], path_m[0])
    heading = float(np.arctan2(way[1], way[0])) if heading_rad is None else heading_rad
    steps = Footsteps(body, terrain, style, path_m[0], heading)
    steps.stand(0.3)
    for point in path_m[1:-1]:
        steps.walk_to(point, close=False)
    steps.walk_to(path_m[-1])
    return steps


def jump_onto_box(
    body: RestBody,
    terrain: Terrain,
    fps: float = 30.0,
    style: Style = Style(),  # noqa: B008 (frozen)
    gap_m: float = 0.18,
    seconds: float | None = None,
) -> Motion:
    """Walks up to the terrain's one step, jumps onto it with both feet and stands on it.

    `gap_m` is left between the toes and the box before the jump. With `seconds`, the last that
    many are returned: the clip then starts in the middle of the walk. Raises ValueError where there
    is no step.
    """
    steps = path_steps(body, terrain, style)
    steps.stand(0.3)
    jump_up(steps, terrain, gap_m, 0.1)
    return _last_seconds(steps, body, terrain, fps, seconds)


def climb_stairs(
    body: RestBody,
    terrain: Terrain,
    fps: float = 30.0,
    style: Style = Style(),  # noqa: B008 (frozen)
    seconds: float | None = None,
) -> Motion:
    """Walks up to the terrain's steps, climbs them foot over foot and stands on the highest.

    With `seconds`, the last that many are returned. Raises ValueError where there are no steps.
    """
    steps = path_steps(body, terrain, style)
    steps.stand(0.3)
    climb(steps, terrain)
    return _last_seconds(steps, body, terrain, fps, seconds)


def cross(
    bodies: tuple[RestBody, RestBody],
    terrain: Terrain,
    seconds: float = 3.6,
    fps: float = 30.0,
    styles: tuple[Style, Style] = (Style(), Style()),
    apart_m: float = 0.75,
    length_m: float = 4.0,
) -> tuple[Motion, Motion]:
    """Two people walk past each other, left shoulder to left shoulder, `apart_m` between them.

    The first walks along the terrain's path, the second against it; they meet `length_m` / 2 from
    its start, in the middle of the clip.
    """
    ahead, left = path_axes(terrain)
    middle = np.array(terrain.start_xy_m) + length_m / 2 * ahead
    motions = []
    for body, style, sign in zip(bodies, styles, (1.0, -1.0), strict=True):
        way, aside = sign * ahead, -sign * apart_m / 2 * left
        speed = style.step_length * body.leg_length_m / style.step_time_s
        half = speed * (seconds / 2 + 1.5)
        ends = [tuple(middle + aside + k * half * way) for k in (-1.0, 1.0)]
        steps = walk_steps(body, terrain, ends, style)
        whole = perform(steps.plan(), body, terrain, fps)
        meets = int(np.argmin(np.abs((whole.root_m[:, :2] - middle) @ way)))
        first = max(meets - round(seconds * fps / 2), 0)
        motions.append(whole.cut(first, first + round(seconds * fps) + 1))
    return motions[0], motions[1]


def path_steps(body: RestBody, terrain: Terrain, style: Style) -> Footsteps:
    """Footsteps that begin at the start of the terrain's path."""
    return Footsteps(body, terrain, style, terrain.start_xy_m, terrain.heading_rad)


def jump_up(steps: Footsteps, terrain: Terrain, gap_m: float, inside_m: float) -> None:
    """Walks to `gap_m` before the box and jumps; heels land `inside_m` behind its front edge."""
    front = extent(terrain, _steps(terrain)[0]).front_m
    steps.walk_to(on_path(terrain, front - steps.toe_length_m - gap_m))
    _face(steps, terrain.heading_rad)
    steps.jump_to(on_path(terrain, front + steps.heel_length_m + inside_m))


def jump_down(steps: Footsteps, terrain: Terrain, forward: bool, ahead_m: float) -> None:
    """From the box: turns, walks to its edge, jumps and lands with the heels `ahead_m` beyond."""
    edges = extent(terrain, terrain.steps[0])
    sign = 1.0 if forward else -1.0
    edge = edges.back_m if forward else edges.front_m
    steps.turn_to(terrain.heading_rad + (0.0 if forward else np.pi))
    steps.walk_to(on_path(terrain, edge - sign * (steps.toe_length_m + 0.01)))
    _face(steps, terrain.heading_rad + (0.0 if forward else np.pi))
    steps.jump_to(
        on_path(terrain, edge + sign * (steps.heel_length_m + ahead_m)), crouch=0.25, apex_m=0.07
    )


def climb(steps: Footsteps, terrain: Terrain) -> None:
    """Walks to the stairs and up, a foot a step, and brings both feet together at the top."""
    first = extent(terrain, _steps(terrain)[0]).front_m
    steps.walk_to(on_path(terrain, first - steps.toe_length_m - APPROACH_GAP_M), close=False)
    seconds = STAIR_STEP_TIME * steps.style.step_time_s
    for place in stair_places(steps, terrain):
        steps.step(on_path(terrain, place), terrain.heading_rad, seconds)
    steps.close(seconds)


def descend(steps: Footsteps, terrain: Terrain) -> None:
    """From the top of the stairs: turns, walks down a foot a step and on to the floor."""
    heading = terrain.heading_rad + np.pi
    steps.turn_to(heading)
    top = extent(terrain, terrain.steps[-1]).front_m
    steps.walk_to(on_path(terrain, top + steps.toe_length_m - 0.02), close=False)
    seconds = STAIR_STEP_TIME * steps.style.step_time_s
    for block in reversed(terrain.steps[:-1]):
        riser = extent(terrain, terrain.steps[terrain.steps.index(block) + 1]).front_m
        place = riser - steps.heel_length_m - TOE_GAP_M
        steps.step(on_path(terrain, place), heading, seconds)
    floor = extent(terrain, terrain.steps[0]).front_m - steps.heel_length_m - 0.06
    steps.step(on_path(terrain, floor), heading, seconds)
    steps.walk_to(on_path(terrain, floor - steps.step_length_m))


def stair_places(steps: Footsteps, terrain: Terrain) -> list[float]:
    """Where the ankles go on each step on the way up, metres along the path."""
    fronts = [extent(terrain, block).front_m for block in terrain.steps]
    places = []
    for front, riser in zip(fronts, [*fronts[1:], np.inf], strict=True):
        foot = steps.heel_length_m + steps.toe_length_m
        middle = front + 0.5 * (min(riser - front, foot + 0.16) - foot) + steps.heel_length_m
        places.append(float(min(middle, riser - TOE_GAP_M - steps.toe_length_m)))
    return places


def path_axes(terrain: Terrain) -> tuple[Float[np.ndarray, " 2"], Float[np.ndarray, " 2"]]:
    """Directions along the terrain's path and to its left."""
    cos, sin = np.cos(terrain.heading_rad), np.sin(terrain.heading_rad)
    return np.array([cos, sin]), np.array([-sin, cos])


def on_path(terrain: Terrain, along_m: float) -> Float[np.ndarray, " 2"]:
    """The point of the path `along_m` from its start."""
    return np.array(terrain.start_xy_m) + along_m * path_axes(terrain)[0]


def extent(terrain: Terrain, block: Block) -> Extent:
    """The stretch of the path that a block covers."""
    ahead, _ = path_axes(terrain)
    along = (block.corners()[:, :2] - np.array(terrain.start_xy_m)) @ ahead
    return Extent(float(along.min()), float(along.max()))


def _steps(terrain: Terrain) -> tuple[Block, ...]:
    if not terrain.steps:
        raise ValueError(
            f"A terrain of kind {terrain.kind!r} has no steps to go up; give it a box or stairs."
        )
    return terrain.steps


def _face(steps: Footsteps, heading_rad: float) -> None:
    if abs(np.sin((steps.heading_rad - heading_rad) / 2)) > 0.01:
        steps.turn_to(heading_rad)


def _last_seconds(
    steps: Footsteps, body: RestBody, terrain: Terrain, fps: float, seconds: float | None
) -> Motion:
    plan = steps.plan()
    end = steps.now_s + 0.5
    start = 0.0 if seconds is None else max(end - seconds, 0.0)
    return perform(plan, body, terrain, fps, start, end if seconds is None else start + seconds)
