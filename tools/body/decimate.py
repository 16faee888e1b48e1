"""Edge collapse that keeps a subset of the vertices, the same on both sides of the body.

A collapse moves one vertex onto a neighbour (no new positions), so blend shapes and skinning
weights of the kept vertices stay valid. The error is Garland and Heckbert's quadric (1997)
plus a share of the squared edge length, which keeps triangles even where the skin is flat.
"""

import heapq

import numpy as np
from jaxtyping import Float, Int

LENGTH_SHARE = 0.05
FLATTEST_TURN = 0.3  # least cosine between a triangle's normal before and after
MOST_NEIGHBOURS = 9
LEAST_SHAPE = 0.25  # of a new triangle: 1 equilateral, 0 a sliver


class _Mesh:
    def __init__(self, faces: np.ndarray, vertices: np.ndarray, importance: np.ndarray):
        self.vertices = vertices
        self.importance = importance
        self.faces: dict[int, tuple[int, int, int]] = {
            i: (int(a), int(b), int(c)) for i, (a, b, c) in enumerate(faces)
        }
        self.around: dict[int, set[int]] = {}
        for i, face in self.faces.items():
            for v in face:
                self.around.setdefault(v, set()).add(i)
        corners = vertices[faces]
        normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
        planes = np.concatenate([normals, -np.sum(normals * corners[:, 0], 1)[:, None]], 1)
        self.quadrics = np.zeros((len(vertices), 4, 4))
        for k in range(3):
            np.add.at(self.quadrics, faces[:, k], planes[:, :, None] * planes[:, None, :])

    def neighbours(self, v: int) -> set[int]:
        return {w for f in self.around[v] for w in self.faces[f]} - {v}

    def cost(self, u: int, v: int) -> float:
        point = np.append(self.vertices[v], 1.0)
        bend = point @ (self.quadrics[u] + self.quadrics[v]) @ point
        length = self.vertices[u] - self.vertices[v]
        weight = max(self.importance[u], self.importance[v])
        return float(weight**2 * (bend + LENGTH_SHARE * (length @ length)))

    def allows(self, u: int, v: int) -> bool:
        """Whether moving u onto v keeps the surface a surface and turns no triangle over."""
        if u not in self.around or v not in self.around:
            return False
        mine, theirs = self.neighbours(u), self.neighbours(v)
        if v not in mine or len(mine & theirs) != 2 or len(mine | theirs) - 4 > MOST_NEIGHBOURS:
            return False
        if any(len(self.around[w]) <= 3 for w in mine & theirs):
            return False
        for f in self.around[u]:
            face = self.faces[f]
            if v in face:
                continue
            before = self.vertices[list(face)]
            after = self.vertices[[v if w == u else w for w in face]]
            n0 = np.cross(before[1] - before[0], before[2] - before[0])
            n1 = np.cross(after[1] - after[0], after[2] - after[0])
            if n0 @ n1 <= FLATTEST_TURN * np.sqrt((n0 @ n0) * (n1 @ n1)):
                return False
            if _shape(after, n1) < min(LEAST_SHAPE, _shape(before, n0)):
                return False
        return True

    def collapse(self, u: int, v: int) -> None:
        for f in list(self.around[u]):
            face = self.faces[f]
            if v in face:
                for w in face:
                    self.around[w].discard(f)
                del self.faces[f]
            else:
                a, b, c = (v if w == u else w for w in face)
                self.faces[f] = (a, b, c)
                self.around[v].add(f)
        del self.around[u]
        self.quadrics[v] += self.quadrics[u]


def _shape(corners: np.ndarray, normal: np.ndarray) -> float:
    """Area over squared edge lengths, scaled to 1 for an equilateral triangle."""
    edges = corners - corners[[1, 2, 0]]
    return float(2 * np.sqrt(3) * np.sqrt(normal @ normal) / (edges**2).sum())


def decimate(
    faces: Int[np.ndarray, "F 3"],
    vertices: Float[np.ndarray, "V 3"],
    mirror: Int[np.ndarray, " V"],
    importance: Float[np.ndarray, " V"],
    count: int,
    keep: set[int],
) -> tuple[Int[np.ndarray, " count"], Int[np.ndarray, "G 3"]]:
    """Collapse edges until `count` vertices are left.

    Returns the kept vertices (indices into `vertices`, ascending) and the triangles, which
    still index `vertices`. `importance` scales lengths (2: edges half as long survive);
    vertices in `keep` are never removed. Raises ValueError when nothing may be collapsed.
    """
    mesh = _Mesh(faces, vertices, importance)
    heap: list[tuple[float, int, int]] = []

    def offer(u: int) -> None:
        if u in keep:
            return
        for v in mesh.neighbours(u):
            # The middle line stays on the middle; a pair never collapses onto each other.
            if v == mirror[u] or (mirror[u] == u and mirror[v] != v):
                continue
            heapq.heappush(heap, (mesh.cost(u, v), u, v))

    for v in list(mesh.around):
        offer(v)
    while len(mesh.around) > count:
        if not heap:
            raise ValueError(f"no edge left to collapse at {len(mesh.around)} vertices")
        cost, u, v = heapq.heappop(heap)
        mu, mv = int(mirror[u]), int(mirror[v])
        steps = [(u, v)] if mu == u else [(u, v), (mu, mv)]
        if len(mesh.around) - len(steps) < count or not all(mesh.allows(*s) for s in steps):
            continue
        if cost < mesh.cost(u, v) * (1 - 1e-9):  # stale: its quadric has grown since
            heapq.heappush(heap, (mesh.cost(u, v), u, v))
            continue
        for step in steps:
            if mesh.allows(*step):
                mesh.collapse(*step)
        for w in {v, mv}:
            offer(w)
            for x in mesh.neighbours(w):
                offer(x)
    kept = np.array(sorted(mesh.around))
    return kept, np.array(list(mesh.faces.values()))
