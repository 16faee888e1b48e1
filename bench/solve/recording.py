"""What a stage gives its solver: recorded from the stage itself, timed alone or in batches."""

import inspect
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any
from unittest import mock

import jax
import jax.numpy as jnp

from stages.solving import Solution, solve
from stages.solving.solver import minimise


@dataclass
class Recording:
    """The solver calls of one run of a stage, in order."""

    arguments: list[dict[str, Any]] = field(default_factory=list)
    solutions: list[Solution] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def solve(self, *args: Any, **kwargs: Any) -> Solution:
        """As `stages.solving.solve`, recorded, and waited for."""
        bound = inspect.signature(solve).bind(*args, **kwargs)
        bound.apply_defaults()
        begin = time.perf_counter()
        solution = jax.block_until_ready(solve(*args, **kwargs))
        self.seconds.append(time.perf_counter() - begin)
        self.arguments.append(dict(bound.arguments))
        self.solutions.append(solution)
        return solution


def recorded(module: ModuleType, run: Callable[[], Any]) -> Recording:
    """Runs something whose solver is `module.solve`."""
    recording = Recording()
    with mock.patch.object(module, "solve", recording.solve):
        run()
    return recording


@dataclass(frozen=True)
class Batch:
    """The same solver call of several videos, stacked; they are solved at once."""

    run: Callable[[], Any]

    @classmethod
    def of(cls, calls: list[dict[str, Any]]) -> "Batch":
        """From recorded arguments of the same problem and of equal shapes."""
        problem = calls[0]["problem"]
        stacked = jax.device_put(
            jax.tree.map(
                lambda *leaves: jnp.stack([jnp.asarray(leaf) for leaf in leaves]),
                *({name: call[name] for name in _PER_VIDEO} for call in calls),
            )
        )
        many = jax.jit(jax.vmap(lambda given: minimise(problem, **given)))
        return cls(lambda: jax.block_until_ready(many(stacked)))


_PER_VIDEO = ("frames", "shared", "data", "constants", "frame_mask", "pair_mask", "limits")
