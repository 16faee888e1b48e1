"""The visible skin of the body: one closed, left-right symmetric triangle mesh.

Mouth and eye cavities go; the openings that they leave are closed with vertices that are
already there (eyelids to the front of the eyeball, lip to lip).
"""

from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float, Int


def mirrored_faces(
    faces: Int[np.ndarray, "F 3"],
    vertices: Float[np.ndarray, "V 3"],
    mirror: Int[np.ndarray, " V"],
) -> Int[np.ndarray, "G 3"]:
    """The left half's triangles and their mirror images.

    MakeHuman's quads are split without regard to symmetry; its vertices are symmetric and no
    face crosses the middle.
    """
    left = faces[vertices[faces, 0].mean(1) > 0]
    return np.concatenate([left, mirror[left][:, ::-1]])


def boundary_loops(faces: Int[np.ndarray, "F 3"]) -> list[list[int]]:
    """Closed loops of the edges that bound one triangle only, in the triangles' direction."""
    half_edges = {(int(f[i]), int(f[(i + 1) % 3])) for f in faces for i in range(3)}
    following = {a: b for a, b in half_edges if (b, a) not in half_edges}
    loops = []
    while following:
        start, here = following.popitem()
        loop = [start]
        while here != start:
            loop.append(here)
            here = following.pop(here)
        loops.append(loop)
    return loops


def _smallest_cap(loop: list[int], vertices: np.ndarray) -> list[tuple[int, int, int]]:
    """The triangulation of a loop with the least area (Barequet and Sharir 1995)."""
    points = vertices[loop]
    n = len(loop)
    area = np.zeros((n, n))
    split = np.zeros((n, n), dtype=int)
    for gap in range(2, n):
        for i in range(n - gap):
            k = i + gap
            middle = np.arange(i + 1, k)
            own = 0.5 * np.linalg.norm(
                np.cross(points[middle] - points[i], points[k] - points[i]), axis=1
            )
            total = area[i, middle] + area[middle, k] + own
            best = int(np.argmin(total))
            area[i, k], split[i, k] = total[best], middle[best]
    triangles, todo = [], [(0, n - 1)]
    while todo:
        i, k = todo.pop()
        if k - i < 2:
            continue
        m = int(split[i, k])
        triangles.append((loop[k], loop[m], loop[i]))
        todo += [(i, m), (m, k)]
    return triangles


def close_skin(
    faces: Int[np.ndarray, "F 3"],
    hidden: Bool[np.ndarray, " F"],
    vertices: Float[np.ndarray, "V 3"],
    eye_centres: tuple[int, int],
    mirror: Int[np.ndarray, " V"],
    reach_m: float = 0.03,
) -> Int[np.ndarray, "G 3"]:
    """Drop hidden faces and close what opens: fans at the eyes, smallest caps elsewhere."""
    faces = mirrored_faces(faces[~hidden], vertices, mirror)
    caps: list[tuple[int, int, int]] = []
    for loop in boundary_loops(faces):
        centre = vertices[loop].mean(0)
        eye = [e for e in eye_centres if np.linalg.norm(vertices[e] - centre) < reach_m]
        if eye:
            caps += [(b, a, eye[0]) for a, b in pairwise([*loop, loop[0]])]
        else:
            caps += _smallest_cap(loop, vertices)
    return np.concatenate([faces, np.array(caps, dtype=faces.dtype)])
