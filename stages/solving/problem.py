"""What is solved: variables, residuals and how a variable retracts along its tangent."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from jaxtyping import Array, Bool, Float, Int

from stages.solving.losses import squared

Frame = Any  # pytree of arrays: the variables of one frame
Shared = Any  # pytree of arrays: the variables all frames share
Data = Any  # pytree of arrays
Loss = Callable[[Float[Array, " k"]], Float[Array, " k"]]


@dataclass(frozen=True)
class Robust:
    """Residual rows with a weight each and a robust loss: cost = 1/2 sum weight * loss(|row|^2).

    Attributes:
        rows: (k, g); a row's g numbers are one measurement (the x and y of a keypoint).
        weight: (k,), treated as a constant of the linearisation.
        loss: one of `stages.solving.losses`.
    """

    rows: Float[Array, "k g"]
    weight: Float[Array, " k"]
    loss: Loss = squared


Residuals = dict[str, Array | Robust]


class View(NamedTuple):
    """What residuals see of a frame in a problem with `features`."""

    x: Frame
    features: Any


def _no_frame_residuals(x: Frame, shared: Shared, data: Data, constants: Data) -> Residuals:
    return {}


def _no_pair_residuals(
    x: Frame, x_next: Frame, shared: Shared, data: Data, data_next: Data, constants: Data
) -> Residuals:
    return {}


def _no_shared_residuals(shared: Shared, constants: Data) -> Residuals:
    return {}


def _no_shared_retract(shared: Shared, delta: Float[Array, " s"]) -> Shared:
    return shared


@dataclass(frozen=True)
class Blocks:
    """Residuals of which row k depends on one small part of a frame's tangent alone.

    That part is the entries `start + k * size` to `start + (k + 1) * size`: the turn of one joint
    (size 3), say, or one angle (size 1). Priors and smoothness of single joints are such; written
    here instead of in `frame_residuals` and `pair_residuals` they cost next to nothing. They must
    not depend on the shared numbers.

    Attributes:
        start, size, count: which entries of the tangent.
        frame_residuals: (x, data, constants) -> {term: (count, r)}.
        pair_residuals: (x, x_next, data, data_next, constants) -> {term: (count, r)}.
    """

    start: int
    size: int
    count: int
    frame_residuals: Callable[[Frame, Data, Data], dict[str, Array]] | None = None
    pair_residuals: Callable[[Frame, Frame, Data, Data, Data], dict[str, Array]] | None = None


@dataclass(frozen=True, eq=False)
class PointFeatures:
    """Which feature each row of the frames' residuals depends on, and the features' derivatives.

    Makes frames cheap where rows are many: `features` then gives `for_frame` as named groups of
    points, {group: (count, size)}, which like `for_pairs` must not depend on the shared numbers.
    Row k of a term must depend on point k of the term's group, the shared numbers and data only,
    not on other points or on `View.x`: what depends on the variables directly belongs in `blocks`.

    Attributes:
        jacobian: (x, data, constants) -> what `features` gives with another, last axis: the
            derivatives by the frame's tangent.
        groups: {term: group} of every term in `frame_residuals`.
    """

    jacobian: Callable[[Frame, Data, Data], tuple[dict[str, Array], Any]]
    groups: dict[str, str]


@dataclass(frozen=True)
class Problem:
    """A least-squares problem on trajectories.

    Build it once, from module-level functions: it is a static argument of the compiled solver, so
    an equal problem never compiles twice. Numbers that change from video to video (weights,
    thresholds, body sizes, meshes) go into `data` or `constants`, not into closures.

    Attributes:
        frame_size: length of a frame's tangent.
        retract_frame: (x, delta (frame_size,)) -> x moved along its tangent; delta = 0 gives x.
        frame_residuals: (x, shared, data, constants) -> {term: residual of any shape, or Robust}.
        pair_residuals: (x, x_next, shared, data, data_next, constants) -> the same, for two
            neighbouring frames.
        shared_residuals: (shared, constants) -> the same, on the shared numbers alone.
        shared_size: length of the shared tangent; 0 for none.
        retract_shared: (shared, delta (shared_size,)) -> shared numbers moved along theirs.
        pairs_use_shared: False if no pair residual depends on the shared numbers (cheaper).
        features: (x, shared, data, constants) -> (for_frame, for_pairs), pytrees of floats computed
            once a frame, such as forward kinematics. With it frame residuals get
            `View(x, for_frame)` where they got `x`, and pair residuals `View(x, for_pairs)`; these
            are differentiated through the Jacobian of `for_pairs` (keep it small: the feet, not
            the whole body), which is much cheaper than the kinematics of both frames in each.
        blocks: residuals of single joints, cheaply.
        point_features: derivatives of features in closed form.
        linear_retract_frame: retract_frame to first order around delta = 0, used for derivatives
            only; for rotations `rotate_left_linear`. Compiles and runs faster than differentiating
            retract_frame.
        closure_digest: of the data that the functions close over (`programs.digest_of`), "" if they
            close over none. Traced programs are cached on disk under it; None: they are not.
    """

    frame_size: int
    retract_frame: Callable[[Frame, Float[Array, " n"]], Frame]
    frame_residuals: Callable[[Frame, Shared, Data, Data], Residuals] = _no_frame_residuals
    pair_residuals: Callable[[Frame, Frame, Shared, Data, Data, Data], Residuals] = (
        _no_pair_residuals
    )
    shared_residuals: Callable[[Shared, Data], Residuals] = _no_shared_residuals
    shared_size: int = 0
    retract_shared: Callable[[Shared, Float[Array, " s"]], Shared] = _no_shared_retract
    pairs_use_shared: bool = True
    features: Callable[[Frame, Shared, Data, Data], tuple[Any, Any]] | None = None
    blocks: Blocks | None = None
    point_features: PointFeatures | None = None
    linear_retract_frame: Callable[[Frame, Float[Array, " n"]], Frame] | None = None
    closure_digest: str | None = None

    def linear_retract(self, x: Frame, delta: Float[Array, " n"]) -> Frame:
        """x moved by an infinitesimal delta."""
        return (self.linear_retract_frame or self.retract_frame)(x, delta)


class Limits(NamedTuple):
    """When to stop, and how carefully to start. Changing these does not recompile.

    Attributes:
        max_iterations: linear solves at most, rejected ones included.
        cost_tolerance: stop when an accepted step lowers the cost by less than this fraction.
        step_tolerance: stop when no tangent entry of an accepted step is larger than this.
        initial_damping: first Levenberg-Marquardt factor, relative to the diagonal.
    """

    max_iterations: int | Int[Array, ""] = 100
    cost_tolerance: float | Float[Array, ""] = 1e-5
    step_tolerance: float | Float[Array, ""] = 1e-5
    initial_damping: float | Float[Array, ""] = 1e-3


class Solution(NamedTuple):
    """Where the solver stopped.

    Attributes:
        frames: as given, solved.
        shared: as given, solved.
        term_costs: {term: its share of the final cost}, 1/2 sum of squares (or of losses).
        cost: final cost.
        initial_cost: cost of the start.
        iterations: linear solves done.
        converged: a tolerance was met before `max_iterations`.
    """

    frames: Frame
    shared: Shared
    term_costs: dict[str, Float[Array, ""]]
    cost: Float[Array, ""]
    initial_cost: Float[Array, ""]
    iterations: Int[Array, ""]
    converged: Bool[Array, ""]
