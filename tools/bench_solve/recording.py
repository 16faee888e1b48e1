"""What a stage gives its solver: recorded from the stage itself, timed alone or in batches."""

import inspect
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any
from unittest import mock

import jax

from stages.solving import Problem, Solution, solve


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
        """From recorded arguments of equal shapes, problems and limits."""
        problem, limits = calls[0]["problem"], calls[0]["limits"]
        stacked = jax.device_put(
            jax.tree.map(
                lambda *leaves: jax.numpy.stack(leaves),
                *({name: call[name] for name in _PER_VIDEO} for call in calls),
            )
        )
        many = jax.jit(jax.vmap(lambda given: _solve_one(problem, given, limits)))
        return cls(lambda: jax.block_until_ready(many(stacked)))


_PER_VIDEO = ("frames", "shared", "data", "constants", "frame_mask")


def _solve_one(problem: Problem, given: dict[str, Any], limits: Any) -> Solution:
    return solve(problem, **given, limits=limits)
