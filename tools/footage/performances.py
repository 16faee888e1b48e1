"""Who does what in a clip: bodies and motions for a terrain, sampled at the clip's frame times."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from stages.body.model import BodyModel
from stages.geometry.block_terrain import Terrain
from tools.footage.motions.choreography import climb_stairs, cross, jump_onto_box, walk
from tools.footage.motions.motion import Motion
from tools.footage.motions.rest_body import ShapedBody
from tools.footage.motions.styles import sample_betas, sample_style

_FINE_FPS = 240.0  # of motions whose frame times are uneven
_SHAPE_SPREAD = 0.8


def perform(
    terrain: Terrain,
    rng: np.random.Generator,
    model: BodyModel,
    times_s: Float[np.ndarray, " T"],
) -> tuple[Motion, ...]:
    """The motions of the terrain's kind, one per person, with an entry per frame time."""
    seconds = float(times_s[-1])
    fps = _rate(times_s)
    shaped = ShapedBody(model)
    bodies = [shaped.rest(sample_betas(rng, _SHAPE_SPREAD)) for _ in range(2)]
    styles = [sample_style(rng, 0.6) for _ in range(2)]
    if terrain.kind == "jump_box":
        motions = [jump_onto_box(bodies[0], terrain, fps, styles[0], seconds=seconds)]
    elif terrain.kind in ("stairs", "climb_box"):
        motions = [climb_stairs(bodies[0], terrain, fps, styles[0], seconds=seconds)]
    elif terrain.kind == "two_people":
        motions = list(cross((bodies[0], bodies[1]), terrain, seconds, fps, (styles[0], styles[1])))
    else:
        far = seconds * 1.1
        x, y = terrain.start_xy_m
        path = [(x, y), (x + far / 2, rng.uniform(-0.2, 0.2)), (x + far, rng.uniform(-0.3, 0.3))]
        motions = [walk(bodies[0], terrain, path, fps, styles[0])]
    return tuple(at_times(motion, times_s) for motion in motions)


def _rate(times_s: Float[np.ndarray, " T"]) -> float:
    """Frames a second at which every frame time falls on a frame, or nearly so."""
    steps = np.diff(times_s)
    return float(1 / steps.mean()) if np.ptp(steps) < 1e-6 else _FINE_FPS


def at_times(motion: Motion, times_s: Float[np.ndarray, " T"]) -> Motion:
    """The entries nearest to times from the motion's start; it stands still after its end."""
    index = np.minimum(np.round(times_s * motion.fps).astype(int), len(motion) - 1)
    return replace(
        motion,
        fps=float(1 / np.median(np.diff(times_s))),
        local_rotmats=motion.local_rotmats[index],
        root_m=motion.root_m[index],
        contacts=motion.contacts[index],
    )
