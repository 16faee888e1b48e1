"""Which vertices of a body stand for it at a coarse resolution, when no official list does."""

import numpy as np
from jaxtyping import Float, Int


def spread_vertices(
    vertices: Float[np.ndarray, "v 3"],
    among: Int[np.ndarray, " candidates"],
    count: int,
    taken: Int[np.ndarray, " taken"],
) -> Int[np.ndarray, " count"]:
    """`count` of the candidates, each as far as possible from those before it and from `taken`.

    Farthest point sampling; without `taken` it starts at the first candidate.
    """
    chosen = list(taken) if len(taken) else [int(among[0])]
    start = len(chosen) if len(taken) else 0
    gaps = vertices[among][:, None] - vertices[chosen][None]
    distance = np.linalg.norm(gaps, axis=-1).min(axis=1)
    while len(chosen) - start < count:
        pick = int(among[int(distance.argmax())])
        chosen.append(pick)
        distance = np.minimum(distance, np.linalg.norm(vertices[among] - vertices[pick], axis=1))
    return np.array(chosen[start:], dtype=np.int32)


def coarse_selection(
    vertices: Float[np.ndarray, "v 3"],
    feet: tuple[Int[np.ndarray, " left"], Int[np.ndarray, " right"]],
    coarse: int,
    middle: int,
) -> Int[np.ndarray, " middle"]:
    """Vertex numbers for the middle resolution, of which the first `coarse` are the coarse ones.

    Feet are where people touch the world: of the coarse vertices, three tenths go to each foot, of
    the additional ones half.
    """
    nothing = np.zeros(0, np.int32)
    on_foot = 3 * coarse // 10
    body = spread_vertices(vertices, np.arange(len(vertices)), coarse - 2 * on_foot, nothing)
    left = spread_vertices(vertices, feet[0], on_foot, body)
    right = spread_vertices(vertices, feet[1], on_foot, body)
    chosen = np.concatenate([body, left, right])
    more_left = spread_vertices(vertices, feet[0], (middle - coarse) // 2, chosen)
    rest = middle - coarse - len(more_left)
    more_right = spread_vertices(vertices, feet[1], rest, chosen)
    return np.concatenate([chosen, more_left, more_right])
