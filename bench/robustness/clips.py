"""People who walk, climb and jump in known places, with true contacts, as stage 3 hands them on."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from stages.body.kinematics import smpl45
from stages.body.model import DEMO_BODY, BodyModel, load_body
from stages.geometry.block_terrain import Terrain as Place
from stages.robot.terrain import Terrain
from stages.stage4_retarget.contacts import Flags
from stages.stage4_retarget.retarget import Person
from tools.footage.motions import Motion, ShapedBody, climb_stairs, jump_onto_box, walk
from tools.footage.scenes import sample_terrain
from tools.footage.terrain_mesh import exposed_surface

KINDS = ("flat", "stairs", "jump_box")
SEED = 101


@functools.cache
def body() -> BodyModel:
    """The demo's."""
    return load_body(DEMO_BODY)


def place(kind: str, seed: int = SEED) -> Place:
    """A level floor, stairs or a box to jump onto."""
    return sample_terrain(kind, np.random.default_rng(seed))


@functools.cache
def motion(kind: str, seconds: float = 3.3, fps: float = 30.0, seed: int = SEED) -> Motion:
    """The last seconds of a walk of 4 m, of climbing stairs or of jumping onto a box."""
    rest = ShapedBody(body()).rest(np.zeros(10))
    there = place(kind, seed)
    if kind == "flat":
        whole = walk(rest, there, [(0.0, 0.0), (4.0, 0.0)], fps)
        return whole.cut(int(0.7 * fps), int((0.7 + seconds) * fps))
    perform = climb_stairs if kind == "stairs" else jump_onto_box
    return perform(rest, there, fps, seconds=seconds)


@functools.cache
def person(kind: str, seconds: float = 3.3, fps: float = 30.0, seed: int = SEED) -> Person:
    """Whoever performs the motion, with its true contacts."""
    moves = motion(kind, seconds, fps, seed)
    joints = jax.jit(
        jax.vmap(functools.partial(smpl45, body(), jnp.asarray(moves.betas, jnp.float32)))
    )(moves.local_rotmats.astype(np.float32), moves.root_m.astype(np.float32))
    return Person(
        np.asarray(joints),
        moves.local_rotmats[:, 0].astype(np.float32),
        np.arange(len(moves)) / fps,
        Flags(moves.contacts, np.ones(len(moves), bool)),
    )


@functools.cache
def terrain(kind: str, seed: int = SEED) -> Terrain:
    """The place's true mesh."""
    return Terrain(*exposed_surface(place(kind, seed)))


def no_terrain() -> Terrain:
    """A mesh without any faces."""
    return Terrain(np.zeros((0, 3)), np.zeros((0, 3), int))
