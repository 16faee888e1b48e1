"""Places with people moving in them, computed once on the CPU and drawn from by all trainers.

An entry is a scene of the demo's family and one motion that fits its terrain: what clips of that
kind show, or anything that people may do there. Seeds below one million belong to the demo and to
evaluation; they are refused here.
"""

import concurrent.futures
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from stages.body.model import load_body
from tools.footage.batches import Batched, SceneBatch
from tools.footage.motions import Motion, ShapedBody, random_motion
from tools.footage.performances import perform
from tools.footage.scenes import FIRST_TRAINING_SEED, sample_scene

FRAMES = 120
FPS = 30.0
KIND_SHARES = {"jump_box": 0.34, "stairs": 0.34, "flat": 0.26, "two_people": 0.06}
PERFORMED_SHARE = 0.4


@dataclass
class MotionPool(Batched):
    """M entries; frames at 30 a second, the last one repeated up to 120 where a motion is shorter.

    flat: whether the motion stays on the floor, so that it can be moved to other places.
    """

    local_rotmats: Float[Tensor, "M T 24 3 3"]
    root_m: Float[Tensor, "M T 3"]
    betas: Float[Tensor, "M 10"]
    contacts: Bool[Tensor, "M T 2"]
    length: Int[Tensor, " M"]
    flat: Bool[Tensor, " M"]
    scene: SceneBatch


def entry(seed: int, body_file: Path) -> MotionPool:
    """The pool entry of a seed, as a pool of one."""
    if seed < FIRST_TRAINING_SEED:
        raise ValueError(
            f"seed {seed} belongs to the demo or to evaluation; train on {FIRST_TRAINING_SEED} up"
        )
    rng = np.random.default_rng(seed)
    kind = str(rng.choice(list(KIND_SHARES), p=list(KIND_SHARES.values())))
    scene = sample_scene(kind, seed)
    model = load_body(body_file)
    if rng.random() < PERFORMED_SHARE:
        motion: Motion = rng.choice(
            np.array(perform(scene.terrain, rng, model, np.arange(FRAMES) / FPS), object)
        )
    else:
        motion = random_motion(seed, ShapedBody(model), scene.terrain, (FRAMES - 1) / FPS, FPS)
    motion = motion.cut(0, FRAMES)
    at = np.minimum(np.arange(FRAMES), len(motion) - 1)

    def whole(array: np.ndarray, dtype: torch.dtype = torch.float32) -> Tensor:
        return torch.as_tensor(np.asarray(array)).to(dtype)[None]

    return MotionPool(
        local_rotmats=whole(motion.local_rotmats[at]),
        root_m=whole(motion.root_m[at]),
        betas=whole(motion.betas),
        contacts=whole(motion.contacts[at], torch.bool),
        length=torch.tensor([len(motion)]),
        flat=torch.tensor([kind in ("flat", "two_people")]),
        scene=scene.batch,
    )


def _entries(seeds: list[int], body_file: Path) -> MotionPool:
    torch.set_num_threads(1)
    return MotionPool.cat([entry(seed, body_file) for seed in seeds])


def build_pool(first_seed: int, count: int, processes: int, body_file: Path) -> MotionPool:
    """Entries of `count` consecutive seeds, by that many processes."""
    if processes <= 1:
        return _entries(list(range(first_seed, first_seed + count)), body_file)
    size = max(1, -(-count // (processes * 4)))
    pieces = [
        list(range(s, min(s + size, first_seed + count)))
        for s in range(first_seed, first_seed + count, size)
    ]
    with concurrent.futures.ProcessPoolExecutor(processes, get_context("spawn")) as workers:
        parts = list(workers.map(_entries, pieces, [body_file] * len(pieces)))
    return MotionPool.cat(parts)


def save_pool(pool: MotionPool, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(pool, path, pickle_protocol=4)


def load_pool(path: Path, device: str = "cpu") -> MotionPool:
    """A pool that `save_pool` wrote. Never load one from elsewhere: it is a pickle."""
    return torch.load(path, map_location="cpu", weights_only=False).to(device)
