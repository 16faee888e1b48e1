"""Random motions on a terrain, each a function of its seed: what the networks are trained on."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from stages.geometry.block_terrain import Terrain
from tools.footage.motions import activities, choreography
from tools.footage.motions.footsteps import Footsteps
from tools.footage.motions.motion import Motion
from tools.footage.motions.performing import perform
from tools.footage.motions.rest_body import RestBody, ShapedBody
from tools.footage.motions.styles import sample_betas, sample_style

ROOM_M = 0.45  # kept between the path of the body and any block
WALKABLE_M = 3.0  # from the start of the terrain's path
TRIES = 20


def random_motion(
    seed: int,
    body: ShapedBody,
    terrain: Terrain,
    seconds: float = 4.0,
    fps: float = 30.0,
    betas: Float[np.ndarray, " 10"] | None = None,
) -> Motion:
    """Somebody does something on the terrain; shape (unless given), style and doings by the seed.

    On a terrain with a box they jump onto or off it, on stairs they climb or descend, on any floor
    they walk, turn, side-step, hop, squat, reach and move their arms. The clip is a random window,
    so it mostly starts and ends in the middle of something; its frames span `seconds`, both ends
    included. A rate changes nothing but the frames' times.
    """
    rng = np.random.default_rng([seed, 71])
    rest = body.rest(sample_betas(rng) if betas is None else betas)
    steps = _begin(rng, rest, terrain)
    while steps.now_s < seconds + 1.5:
        _act(steps, rng, terrain)
    _move_arms(steps, rng)
    plan = steps.plan(0.5)
    start = float(rng.uniform(0.0, plan.end_s - seconds - 0.01))
    return perform(plan, rest, terrain, fps, start, start + seconds)


def _begin(rng: np.random.Generator, rest: RestBody, terrain: Terrain) -> Footsteps:
    """Somewhere on the floor with the main act still ahead, or on top of the box or stairs."""
    style = sample_style(rng)
    if terrain.kind in ("jump_box", "stairs"):
        if rng.random() < 0.6:
            steps = choreography.path_steps(rest, terrain, style)
            steps.stand(float(rng.uniform(0.1, 0.6)))
            if terrain.kind == "stairs":
                choreography.climb(steps, terrain)
            else:
                gap, inside = float(rng.uniform(0.08, 0.25)), float(rng.uniform(0.05, 0.15))
                choreography.jump_up(steps, terrain, gap, inside)
        else:
            top = choreography.extent(terrain, terrain.steps[-1])
            place = choreography.on_path(terrain, 0.5 * (top.front_m + top.back_m))
            heading = terrain.heading_rad + float(rng.uniform(-0.4, 0.4))
            steps = Footsteps(rest, terrain, style, (place[0], place[1]), heading)
            steps.stand(0.2)
            if terrain.kind == "stairs":
                choreography.descend(steps, terrain)
            else:
                choreography.jump_down(
                    steps, terrain, bool(rng.random() < 0.5), float(rng.uniform(0.08, 0.25))
                )
        return steps
    for _ in range(TRIES):
        start = np.array(terrain.start_xy_m) + rng.uniform(-1.5, 1.5, 2)
        if is_free(terrain, start, start):
            break
    else:
        start = np.array(terrain.start_xy_m)
    steps = Footsteps(rest, terrain, style, (start[0], start[1]), float(rng.uniform(-np.pi, np.pi)))
    steps.stand(0.2)
    return steps


def _act(steps: Footsteps, rng: np.random.Generator, terrain: Terrain) -> None:
    """One more thing to do where the person is."""
    on_floor = float(terrain.height_at(steps.place_m)) == 0.0
    moving = rng.random() < (0.6 if on_floor else 0.0)
    if moving and _wander(steps, rng, terrain):
        return
    choice = rng.integers(6 if on_floor else 4)
    if choice == 0:
        activities.squat(steps, rng, float(rng.uniform(0.1, 0.5)), float(rng.uniform(0.1, 0.8)))
    elif choice == 1:
        activities.reach(steps, rng)
    elif choice == 2:
        steps.turn_to(steps.heading_rad + float(rng.uniform(-2.2, 2.2)))
    elif choice == 3:
        steps.stand(float(rng.uniform(0.5, 1.5)))
    elif choice == 4:
        left = float(rng.choice([-1.0, 1.0]) * rng.uniform(0.15, 0.4))
        aside = np.array([-np.sin(steps.heading_rad), np.cos(steps.heading_rad)])
        times = int(rng.integers(1, 4))
        if is_free(terrain, steps.place_m, steps.place_m + times * left * aside):
            steps.side_step(left, times)
    else:
        ahead = np.array([np.cos(steps.heading_rad), np.sin(steps.heading_rad)])
        if is_free(terrain, steps.place_m, steps.place_m + 0.5 * ahead):
            activities.hop(steps, rng)


def _wander(steps: Footsteps, rng: np.random.Generator, terrain: Terrain) -> bool:
    """Walks to a place that is free all the way, if one is found."""
    middle = np.array(terrain.start_xy_m)
    for _ in range(TRIES):
        bearing = steps.heading_rad + float(rng.normal(0.0, 1.0))
        way = float(rng.uniform(0.8, 3.5)) * np.array([np.cos(bearing), np.sin(bearing)])
        target = steps.place_m + way
        near = np.hypot(*(target - middle)) < max(
            WALKABLE_M, float(np.hypot(*(steps.place_m - middle)))
        )
        if near and is_free(terrain, steps.place_m, target):
            steps.walk_to(target, close=bool(rng.random() < 0.5))
            return True
    return False


def _move_arms(steps: Footsteps, rng: np.random.Generator) -> None:
    """Gestures and glances over the whole plan, except while the arms swing for a jump."""
    time = float(rng.uniform(0.0, 2.0))
    while time < steps.now_s - 1.0:
        hold = float(rng.uniform(0.2, 1.5))
        clear = all(time + hold + 2.0 < j.crouch_s or time > j.stand_s for j in steps.jumps)
        if clear and rng.random() < 0.7:
            activities.gesticulate(steps, rng, time, hold)
        if rng.random() < 0.5:
            activities.look_around(steps, rng, time)
        time += hold + float(rng.uniform(1.0, 3.0))


def is_free(
    terrain: Terrain, from_m: Float[np.ndarray, " 2"], to_m: Float[np.ndarray, " 2"]
) -> bool:
    """Whether a straight way over the floor keeps its distance from every block."""
    points = from_m + np.linspace(0.0, 1.0, 24)[:, None] * (np.asarray(to_m) - from_m)
    for block in terrain.blocks:
        beyond = np.abs(block.local_xy(points)) - [block.half_length_m, block.half_width_m]
        if np.hypot(*np.maximum(beyond, 0.0).T).min() < ROOM_M:
            return False
    return True
