"""The 68 face points in the iBUG order, which COCO-WholeBody uses for 23..90.

Points of the left half are found on the skin, those of the right half are mirror images. All
distances are of the mean body, metres.
"""

import numpy as np

from tools.body.landmarks import Anatomy, smpl_extra

# Brow points: x as a multiple of the eye's -> height above the eye.
BROW_ARCH = {0.45: 0.018, 0.75: 0.022, 1.1: 0.024, 1.4: 0.022, 1.65: 0.015}
# Lip borders: share of the way from the middle to the corner -> distance from the lips' line.
UPPER_LIP = {0.0: 0.008, 0.35: 0.009, 0.7: 0.006}
LOWER_LIP = {0.0: -0.010, 0.4: -0.009, 0.75: -0.005}
INNER_LIP_M = 0.001
NOSTRIL_X = (0.0, 0.008, 0.015)


class _Face:
    """The head's front with the points that the others are told from."""

    def __init__(self, body: Anatomy) -> None:
        self.body = body
        extra = smpl_extra(body)
        v = body.vertices
        self.head = body.of_bones("head", "neck", "eye")
        self.front = self.head[v[self.head, 2] > v[body.eye_left, 2] - 0.06]
        self.middle = self.front[np.abs(v[self.front, 0]) < 0.002]
        self.eye, self.nose_tip = v[body.eye_left], v[extra["nose"]]
        self.ear = v[extra["left_ear"]]

    def facing(self, x: float, y: float) -> int:
        """The vertex at (x, y) as seen from the front."""
        return self.body.nearest((x, y, self.nose_tip[2]), self.front, (1, 1, 0.05))

    def right(self, *vertices: int) -> list[int]:
        return [int(self.body.mirror[x]) for x in vertices]

    def jaw(self) -> list[int]:
        """From the chin to the left ear, along a quarter of an oval."""
        v, ear = self.body.vertices, self.ear
        below = self.middle[v[self.middle, 1] < self.body.lips[:, 1].min() - 0.012]
        chin = v[below[np.argmax(v[below, 2] - v[below, 1])]]
        points = []
        for angle in np.linspace(0, np.pi / 2, 9):
            sine, cosine = np.sin(angle), np.cos(angle)
            x = 0.95 * ear[0] * sine
            y = ear[1] - 0.01 + (chin[1] - ear[1] + 0.01) * cosine**0.8
            z = ear[2] + 0.01 + (chin[2] - ear[2] - 0.01) * cosine
            points.append(self.body.nearest((x, y, z), self.head))
        return points

    def brow(self) -> list[int]:
        """The left brow from the nose outwards."""
        return [self.facing(self.eye[0] * x, self.eye[1] + y) for x, y in BROW_ARCH.items()]

    def bridge(self) -> list[int]:
        """The nose from between the eyes to its tip."""
        heights = np.linspace(self.eye[1], self.nose_tip[1], 4)
        return [self.body.nearest((0, y, 9.0), self.middle, (1, 1, 0.01)) for y in heights]

    def nose_base(self) -> list[int]:
        """Under the nose, from the middle to the left nostril."""
        y = 0.675 * self.nose_tip[1] + 0.325 * self.body.lips[:, 1].max()
        return [self.facing(x, y) for x in NOSTRIL_X]

    def lids(self) -> list[int]:
        """The left eye: inner corner, upper lid twice, outer corner, lower lid twice."""
        v, eye = self.body.vertices, self.body.eye_left
        rim = np.unique(self.body.faces[(self.body.faces == eye).any(1)])
        rim = rim[rim != eye]
        x = v[:, 0]
        inner, outer = int(rim[np.argmin(x[rim])]), int(rim[np.argmax(x[rim])])
        third = (x[outer] - x[inner]) / 3
        upper, lower = rim[v[rim, 1] > self.eye[1]], rim[v[rim, 1] <= self.eye[1]]

        def lid(among: np.ndarray, thirds: int) -> int:
            return int(among[np.argmin(np.abs(x[among] - x[inner] - thirds * third))])

        return [inner, lid(upper, 1), lid(upper, 2), outer, lid(lower, 2), lid(lower, 1)]

    def lip(self, share: float, off_m: float) -> int:
        """A vertex above (`off_m` > 0) or below the line of the lips, left of the middle."""
        lips, corner_x = self.body.lips, self.body.lips[:, 0].max()
        here = lips[np.abs(lips[:, 0] - share * corner_x) < 0.2 * corner_x, 1]
        return self.facing(share * corner_x, (here.max() if off_m > 0 else here.min()) + off_m)

    def mouth(self) -> list[int]:
        """Twelve points of the outer and eight of the inner lips, from the right corner over."""
        corner = self.body.nearest(self.body.lips[np.argmax(self.body.lips[:, 0])], self.front)
        up = [self.lip(x, y) for x, y in UPPER_LIP.items()]
        low = [self.lip(x, y) for x, y in LOWER_LIP.items()]
        in_up = [self.lip(x, INNER_LIP_M) for x in (0, 0.5)]
        in_low = [self.lip(x, -INNER_LIP_M) for x in (0, 0.5)]
        outer = [*self.right(corner, up[2], up[1]), *up, corner]
        outer += [low[2], low[1], low[0], *self.right(low[1], low[2])]
        inner = [*self.right(corner, in_up[1]), *in_up, corner]
        inner += [in_low[1], in_low[0], *self.right(in_low[1])]
        return outer + inner


def face_points(body: Anatomy) -> list[int]:
    """68 vertices in the iBUG order."""
    face = _Face(body)
    jaw, brow, base = face.jaw(), face.brow(), face.nose_base()
    inner, up_in, up_out, outer, low_out, low_in = lids = face.lids()
    return [
        *face.right(*jaw[:0:-1]),
        *jaw,
        *face.right(*brow[::-1]),
        *brow,
        *face.bridge(),
        *face.right(*base[:0:-1]),
        *base,
        *face.right(outer, up_out, up_in, inner, low_in, low_out),
        *lids,
        *face.mouth(),
    ]
