"""Capsule against capsule: signed distances in JAX, and the pairs worth checking."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from stages.robot.kinematics import Axes, PointSet, carriers, points_on_links
from stages.robot.model import Robot
from stages.robot.rest import link_poses_at_rest

# Capsules whose bodies are at most so many joints apart cannot help touching: they share a motor.
ADJACENT_JOINTS = 2
# Shorter segments than this are spheres; a sphere on a link that has a capsule adds nothing here.
_NO_LENGTH_M = 1e-6


def capsule_ends(robot: Robot) -> tuple[PointSet, PointSet]:
    """Start and end points of all collision capsules, fixed to their links."""
    capsules = robot.capsules
    return (
        points_on_links(robot, capsules.link, capsules.start),
        points_on_links(robot, capsules.link, capsules.end),
    )


def pair_distances(
    robot: Robot,
    start: Float[Array, "C 3"],
    end: Float[Array, "C 3"],
    pairs: Int[np.ndarray, "P 2"],
) -> Float[Array, " P"]:
    """Signed distance of each pair of capsules (m, negative when they overlap).

    `start` and `end` are the world end points of all capsules.
    """
    a, b = pairs[:, 0], pairs[:, 1]
    gap = segment_distances(start[a], end[a], start[b], end[b])
    radii = robot.capsules.radius[a] + robot.capsules.radius[b]
    return gap - jnp.asarray(radii, gap.dtype)


def moved_pair_distances(
    robot: Robot,
    start: Float[Array, "C 3"],
    end: Float[Array, "C 3"],
    pairs: Int[np.ndarray, "P 2"],
    axes: Axes,
) -> Float[Array, "P J"]:
    """Derivatives of `pair_distances` by the joints; the root's motion changes no distance.

    With n the unit vector between the nearest points p of the one and q of the other capsule, a
    joint that carries only the first adds n . (a x (p - o)) = a . (p x n) + (o x a) . n, one that
    carries only the second takes the same away, as p and q lie on one line along n.
    """
    a, b = pairs[:, 0], pairs[:, 1]
    # Places from near the robot: products of far ones lose digits.
    centre = axes.origin[:, 0]
    ends = (points - centre for points in (start[a], end[a], start[b], end[b]))
    p, gap = _gap(*(points.T for points in ends))
    n = gap / _length(gap)
    o, d = axes.origin - centre[:, None], axes.direction
    turns = jnp.concatenate([d, _cross(o, d)])
    body = robot.link_body[robot.capsules.link]
    carried = carriers(robot)[body][:, 1:]
    by_joints = jnp.concatenate([_cross(p, n), n]).T @ turns
    return jnp.asarray(carried[a] - carried[b], n.dtype) * by_joints


def segment_distances(
    a0: Float[Array, "P 3"],
    a1: Float[Array, "P 3"],
    b0: Float[Array, "P 3"],
    b1: Float[Array, "P 3"],
) -> Float[Array, " P"]:
    """Smallest distances between segments a0-a1 and b0-b1 (Ericson, Real-Time Collision
    Detection, 5.1.9)."""
    return _length(_gap(a0.T, a1.T, b0.T, b1.T)[1])


# One program where single operations would be compiled one by one.
_gaps = jax.jit(segment_distances)


# Below, coordinates come first: loops over pairs are then ones that processors vectorise.


def _gap(a0: Array, a1: Array, b0: Array, b1: Array) -> tuple[Array, Array]:
    """The first segment's point that is nearest to the second, and the way there from that."""
    u, v, w = a1 - a0, b1 - b0, a0 - b0
    uu, vv = _dot(u, u) + 1e-9, _dot(v, v) + 1e-9
    uv, uw, vw = _dot(u, v), _dot(u, w), _dot(v, w)
    s = jnp.clip((uv * vw - vv * uw) / jnp.maximum(uu * vv - uv * uv, 1e-9), 0.0, 1.0)
    t = jnp.clip((uv * s + vw) / vv, 0.0, 1.0)
    s = jnp.clip((uv * t - uw) / uu, 0.0, 1.0)
    nearest = a0 + s * u
    return nearest, nearest - (b0 + t * v)


def _dot(a: Float[Array, "3 P"], b: Float[Array, "3 P"]) -> Float[Array, " P"]:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _cross(a: Float[Array, "3 P"], b: Float[Array, "3 P"]) -> Float[Array, "3 P"]:
    x = a[1] * b[2] - a[2] * b[1]
    y = a[2] * b[0] - a[0] * b[2]
    return jnp.stack([x, y, a[0] * b[1] - a[1] * b[0]])


def _length(a: Float[Array, "3 P"]) -> Float[Array, " P"]:
    return jnp.sqrt(_dot(a, a) + 1e-12)


def deepest_overlap_m(
    robot: Robot, R: Float[np.ndarray, "T L 3 3"], p: Float[np.ndarray, "T L 3"]
) -> float:
    """How deep the worst pair of capsules overlaps over a motion (m); zero if none does."""
    capsules, pairs = robot.capsules, self_collision_pairs(robot)
    R_link, p_link = R[:, capsules.link], p[:, capsules.link]
    start, end = (
        p_link + np.einsum("tnij,nj->tni", R_link, ends) for ends in (capsules.start, capsules.end)
    )
    ends = (points[:, pairs[:, k]] for k in (0, 1) for points in (start, end))
    gaps = _gaps(*(points.reshape(-1, 3) for points in ends))
    radii = capsules.radius[pairs].sum(axis=1)
    return max(0.0, -float((np.asarray(gaps).reshape(len(p), -1) - radii).min()))


@functools.lru_cache(maxsize=8)
def self_collision_pairs(robot: Robot) -> Int[np.ndarray, "P 2"]:
    """Pairs of capsules that can meet: not on bodies within ADJACENT_JOINTS of each other, not
    overlapping already at zero (they are built that way), spheres left out."""
    capsules = robot.capsules
    long = np.linalg.norm(capsules.end - capsules.start, axis=1) > _NO_LENGTH_M
    body = robot.link_body[capsules.link]
    apart = _joints_between(robot)
    first, second = np.triu_indices(len(capsules.link), k=1)
    pairs = np.stack([first, second], axis=1)[
        long[first] & long[second] & (apart[body[first], body[second]] > ADJACENT_JOINTS)
    ]
    R, p = link_poses_at_rest(robot)
    start, end = (
        p[capsules.link] + np.einsum("nij,nj->ni", R[capsules.link], ends)
        for ends in (capsules.start, capsules.end)
    )
    a, b = pairs.T
    gaps = np.asarray(_gaps(start[a], end[a], start[b], end[b]))
    return pairs[gaps > capsules.radius[a] + capsules.radius[b]].astype(np.int32)


def _joints_between(robot: Robot) -> Int[np.ndarray, "B B"]:
    """Number of joints on the way from one body to another."""
    chains: list[list[int]] = [[0]]
    for j, parent in enumerate(robot.joint_parent):
        chains.append([*chains[parent], j + 1])
    return np.array([[len(set(a) ^ set(b)) for b in chains] for a in chains])
