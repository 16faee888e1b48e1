"""Do the solvers reach what a dense solver does? Real videos' last solves, done again in float64.

    python -m bench.solve.reference --data-dir data/demo

The reference is plain Levenberg-Marquardt (Marquardt 1963: one damping factor for all, times or
divided by ten), one dense Cholesky factorisation of the whole trajectory a step, in float64, from
the very start that the stage's last solve was given. It shares residuals and derivatives with the
stages, and neither the elimination, nor the damping, nor the number type. Costs are compared in
float64.
"""

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg
from jaxtyping import Float
from rich.console import Console
from rich.table import Table

from bench import DEMO
from bench.solve.recording import recorded
from stages.artifacts import layout
from stages.robot.model import load_g1
from stages.running import InputPaths
from stages.running.stage import check_inputs
from stages.solving.arrow import ArrowSystem
from stages.solving.linearise import linearise, term_costs
from stages.solving.rows import Inputs
from stages.stage2_megahunter import optimisation
from stages.stage2_megahunter.stage import MegahunterStage
from stages.stage4_retarget import retarget
from stages.stage4_retarget.sources import read_clip
from stages.stage4_retarget.stage import RetargetStage

MOST_STEPS = 200
ENOUGH = 1e-9
"""The reference stops where a step lowers the cost by less than this share of it."""


def stage_runs(data: Path, scratch: Path) -> Iterator[tuple[str, ModuleType, Callable[[], Any]]]:
    """Name, module that calls the solver, and a run of stage 2 or 4, for each video in a folder."""
    people = MegahunterStage(
        world_reconstruction_base_dir=data / layout.world_folder("sfm"),
        bbox_base_dir=data / layout.MASKS,
        pose2d_base_dir=data / layout.KEYPOINTS,
        smpl_base_dir=data / layout.BODIES,
        contact_base_dir=data / layout.CONTACTS,
        videos_dir=data / "videos",
        out_base_dir=scratch,
    )
    robot = RetargetStage(
        postprocessed_base_dir=data / layout.CALIBRATED, contact_base_dir=data / layout.CONTACTS
    )
    people.load()
    for video in people.videos():
        inputs = check_inputs(people.inputs(video))
        yield f"stage 2, {video}", optimisation, partial(people.process, video, inputs)
    for video in robot.videos():
        inputs = check_inputs(robot.inputs(video))
        yield f"stage 4, {video}", retarget, partial(_retargeted, inputs)


def dense_solve(call: dict[str, Any]) -> tuple[float, float]:
    """Costs in float64 of what the solver found and of what dense Levenberg-Marquardt finds.

    `call` holds the solver's arguments and, under `found`, its solution.
    """
    problem = call["problem"]
    mask = jnp.asarray(call["frame_mask"])
    inputs = Inputs(
        _double(call["data"]), _double(call["constants"]), mask, mask[:, 1:] & mask[:, :-1]
    )
    x, shared = _double(call["frames"]), _double(call["shared"])
    equations_at = jax.jit(lambda x, shared: linearise(problem, x, shared, inputs))

    @jax.jit
    def cost_at(x: Any, shared: Any) -> Any:
        return sum(term_costs(problem, x, shared, inputs).terms.values())

    @jax.jit
    def moved(x: Any, shared: Any, step: Any) -> tuple[Any, Any]:
        steps = step[: len(step) - problem.shared_size].reshape(*mask.shape, problem.frame_size)
        shift = step[len(step) - problem.shared_size :]
        return jax.vmap(jax.vmap(problem.retract_frame))(x, steps), problem.retract_shared(
            shared, shift
        )

    ours = float(cost_at(_double(call["found"].frames), _double(call["found"].shared)))
    damping, cost = 1e-3, float(cost_at(x, shared))
    _, equations = equations_at(x, shared)
    for _ in range(MOST_STEPS):
        gradient = np.append(np.ravel(equations.gradient), np.ravel(equations.shared_gradient))
        matrix = dense(equations.matrix)
        diagonal = np.maximum(matrix.diagonal(), 1e-6 * matrix.diagonal().max())
        np.fill_diagonal(matrix, matrix.diagonal() + damping * diagonal)
        factor = scipy.linalg.cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False)
        step = scipy.linalg.cho_solve(factor, -gradient)
        there = moved(x, shared, jnp.asarray(step))
        new = float(cost_at(*there))
        if new < cost:
            enough = cost - new < ENOUGH * cost
            (x, shared), cost, damping = there, new, damping / 10.0
            if enough:
                break
            _, equations = equations_at(x, shared)
        else:
            damping *= 10.0
            if damping > 1e8:
                break
    return ours, cost


def dense(system: ArrowSystem) -> Float[np.ndarray, "N N"]:
    """The matrix's lower triangle; frames without information get ones on the diagonal."""
    diagonal, upper, border, corner = (np.asarray(part) for part in system)
    people, frames, n, s = border.shape
    blocks = people * frames
    matrix = np.zeros((blocks * n + s,) * 2, order="F")
    for p in range(people):
        for t in range(frames):
            i = (p * frames + t) * n
            block = diagonal[p, t]
            matrix[i : i + n, i : i + n] = block if block.any() else np.eye(n)
            matrix[blocks * n :, i : i + n] = border[p, t].T
            if t + 1 < frames:
                matrix[i + n : i + 2 * n, i : i + n] = upper[p, t].T
    matrix[blocks * n :, blocks * n :] = corner
    return matrix


def _retargeted(inputs: InputPaths) -> None:
    """Stage 4's core on a video; nothing is written."""
    clip = read_clip(inputs)
    first, *_ = next(iter(clip.people.values()))
    retarget.retarget(load_g1(), first.motion, clip.terrain)


def _double(tree: Any) -> Any:
    def double(leaf: Any) -> Any:
        array = np.asarray(leaf)
        return array.astype(np.float64) if array.dtype.kind == "f" else array

    return jax.tree.map(double, tree)


@click.command()
@click.option(
    "--data-dir",
    "folders",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    multiple=True,
    default=[DEMO],
    help="Finished data folder; may be given several times. Default: the demo's.",
)
def main(folders: tuple[Path, ...]) -> None:
    """Print the final costs of stages 2 and 4 beside a dense reference solver's."""
    calls = []
    with tempfile.TemporaryDirectory() as scratch:
        for folder in folders:
            for name, module, run in stage_runs(folder, Path(scratch)):
                recording = recorded(module, run)
                calls.append((name, recording.arguments[-1] | {"found": recording.solutions[-1]}))
    table = Table("solve", "cost", "dense float64", "ratio")
    jax.clear_caches()  # what was traced in single precision does not fit
    with jax.enable_x64(True):
        for name, call in calls:
            ours, reference = dense_solve(call)
            table.add_row(name, f"{ours:.6g}", f"{reference:.6g}", f"{ours / reference:.6f}")
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
