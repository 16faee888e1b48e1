"""Which skin vertices stand for the keypoints that SMPL-45 and COCO-WholeBody name.

Left points are found by geometry on the body in its zero pose; right points are their mirror
images. COCO-WholeBody's orders: 68 face points as in the iBUG scheme (jaw from the person's
right ear to the left one, brows, nose, eyes, outer and inner lips), then 21 points a hand.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

# Rows 24..44 of SMPL-45 and the vertex numbers at which `smplx` looks for them (its table
# ``smplh``). The body's vertices are numbered so that the picks lie exactly there.
SMPL_PICKS = {
    "nose": 332, "right_eye": 6260, "left_eye": 2800, "right_ear": 4071, "left_ear": 583,
    "left_big_toe": 3216, "left_small_toe": 3226, "left_heel": 3387,
    "right_big_toe": 6617, "right_small_toe": 6624, "right_heel": 6787,
    "left_thumb": 2746, "left_index": 2319, "left_middle": 2445, "left_ring": 2556,
    "left_pinky": 2673, "right_thumb": 6191, "right_index": 5782, "right_middle": 5905,
    "right_ring": 6016, "right_pinky": 6133,
}  # fmt: skip
FINGERS = ["thumb", "index", "middle", "ring", "pinky"]


@dataclass(frozen=True)
class Anatomy:
    """The body in zero pose with everything that landmarks are found by."""

    vertices: Float[np.ndarray, "V 3"]
    faces: Int[np.ndarray, "F 3"]
    mirror: Int[np.ndarray, " V"]
    main_bone: list[str]  # the bone that moves a vertex most
    bone_heads: dict[str, np.ndarray]
    eye_left: int
    lips: Float[np.ndarray, "L 3"]  # the line where the lips meet, closed

    def of_bones(self, *stems: str) -> np.ndarray:
        return np.array([i for i, b in enumerate(self.main_bone) if b.startswith(stems)])

    def nearest(self, target, among: np.ndarray | None = None, scale=(1, 1, 1)) -> int:
        among = np.arange(len(self.vertices)) if among is None else among
        apart = (self.vertices[among] - np.asarray(target)) * np.asarray(scale)
        return int(among[np.argmin(np.linalg.norm(apart, axis=1))])


def fingertip(body: Anatomy, finger: int, side: str = "L") -> int:
    """The vertex that lies farthest along a finger's last bone (1 thumb .. 5 pinky)."""
    last, before = (body.bone_heads[f"finger{finger}-{k}.{side}"] for k in (3, 2))
    among = body.of_bones(f"finger{finger}-3.{side}")
    return int(among[np.argmax((body.vertices[among] - last) @ (last - before))])


def smpl_extra(body: Anatomy) -> dict[str, int]:
    """The 21 vertices of SMPL-45 by name."""
    v = body.vertices
    head = body.of_bones("head", "neck", "eye")
    middle = head[np.abs(v[head, 0]) < 0.002]
    ear = head[v[head, 0] > 0.93 * v[head, 0].max()]
    foot = body.of_bones("foot.L")
    sole = foot[v[foot, 1] < v[foot, 1].min() + 0.028]
    left = {
        "eye": body.eye_left,
        "ear": body.nearest(v[ear].mean(0), ear),
        "big_toe": _frontmost(v, body.of_bones("toe1-2.L")),
        "small_toe": _frontmost(v, body.of_bones("toe5-3.L", "toe5-2.L")),
        "heel": int(sole[np.argmin(v[sole, 2])]),
    }
    left |= {name: fingertip(body, k + 1) for k, name in enumerate(FINGERS)}
    picks = {"nose": _frontmost(v, middle)}
    for name, vertex in left.items():
        picks[f"left_{name}"], picks[f"right_{name}"] = vertex, int(body.mirror[vertex])
    return picks


def _frontmost(v: np.ndarray, among: np.ndarray) -> int:
    return int(among[np.argmax(v[among, 2])])


def hand_points(body: Anatomy) -> list[int]:
    """21 vertices of the left hand: wrist, then four a finger from its root to its tip.

    The joints lie inside; the vertex on the back of the hand stands for each.
    """
    skin = body.of_bones(*(f"{stem}.L" for stem in ("wrist", "lowerarm02")), *_hand_stems())
    points = [body.nearest(body.bone_heads["wrist.L"] + [0, 0.02, 0], skin)]
    for finger in range(1, 6):
        for k in (1, 2, 3):
            above = body.bone_heads[f"finger{finger}-{k}.L"] + [0, 0.008, 0]
            points.append(body.nearest(above, skin))
        points.append(fingertip(body, finger))
    return points


def _hand_stems() -> list[str]:
    return [f"finger{f}-{k}.L" for f in range(1, 6) for k in (1, 2, 3)] + [
        f"metacarpal{k}.L" for k in range(1, 5)
    ]


def face_points(body: Anatomy) -> list[int]:
    """68 vertices in the iBUG order."""
    v, mirror = body.vertices, body.mirror
    head = body.of_bones("head", "neck", "eye")
    front = head[v[head, 2] > v[body.eye_left, 2] - 0.06]
    middle = front[np.abs(v[front, 0]) < 0.002]
    eye = v[body.eye_left]
    extra = smpl_extra(body)
    tip = v[extra["nose"]]
    left_ear = v[extra["left_ear"]]
    below_lips = middle[v[middle, 1] < body.lips[:, 1].min() - 0.012]
    chin = v[below_lips[np.argmax(v[below_lips, 2] - v[below_lips, 1])]]

    def facing(x: float, y: float) -> int:
        return body.nearest((x, y, tip[2]), front, (1, 1, 0.05))

    angles = np.linspace(0, np.pi / 2, 9)
    jaw_left = [
        body.nearest(
            (
                0.95 * left_ear[0] * np.sin(a),
                left_ear[1] - 0.01 + (chin[1] - left_ear[1] + 0.01) * np.cos(a) ** 0.8,
                left_ear[2] + 0.01 + (chin[2] - left_ear[2] - 0.01) * np.cos(a),
            ),
            head,
        )
        for a in angles
    ]
    arch = {0.45: 0.018, 0.75: 0.022, 1.1: 0.024, 1.4: 0.022, 1.65: 0.015}
    brow_left = [facing(eye[0] * x, eye[1] + y) for x, y in arch.items()]
    bridge = [
        body.nearest((0, y, 9.0), middle, (1, 1, 0.01)) for y in np.linspace(eye[1], tip[1], 4)
    ]
    nostril_y = 0.35 * tip[1] + 0.65 * (0.5 * (tip[1] + body.lips[:, 1].max()))
    base_left = [facing(x, nostril_y) for x in (0.0, 0.008, 0.015)]

    ring = np.unique(body.faces[(body.faces == body.eye_left).any(1)])
    ring = ring[ring != body.eye_left]
    inner_x, outer_x = v[ring, 0].min(), v[ring, 0].max()
    upper, lower = ring[v[ring, 1] > eye[1]], ring[v[ring, 1] <= eye[1]]
    third = (outer_x - inner_x) / 3

    def lid(x: float, among: np.ndarray) -> int:
        return int(among[np.argmin(np.abs(v[among, 0] - x))])

    inner, outer = int(ring[np.argmin(v[ring, 0])]), int(ring[np.argmax(v[ring, 0])])
    up_in, up_out = lid(inner_x + third, upper), lid(inner_x + 2 * third, upper)
    low_in, low_out = lid(inner_x + third, lower), lid(inner_x + 2 * third, lower)

    lips = body.lips
    corner_x = lips[:, 0].max()
    corner = body.nearest(lips[np.argmax(lips[:, 0])], front)

    def lip(share: float, up: bool, thickness_m: float) -> int:
        at = lips[np.abs(lips[:, 0] - share * corner_x) < 0.2 * corner_x]
        y = at[:, 1].max() + thickness_m if up else at[:, 1].min() - thickness_m
        return facing(share * corner_x, y)

    def right(*vertices: int) -> list[int]:
        return [int(mirror[x]) for x in vertices]

    outer_up = [lip(0.0, True, 0.008), lip(0.35, True, 0.009), lip(0.7, True, 0.006)]
    outer_low = [lip(0.0, False, 0.010), lip(0.4, False, 0.009), lip(0.75, False, 0.005)]
    inner_up, inner_low = (
        [lip(x, True, 0.001) for x in (0, 0.5)],
        [lip(x, False, 0.001) for x in (0, 0.5)],
    )
    return [
        *right(*jaw_left[:0:-1]), jaw_left[0], *jaw_left[1:],
        *right(*brow_left[::-1]), *brow_left,
        *bridge,
        *right(*base_left[:0:-1]), *base_left,
        *right(outer, up_out, up_in, inner, low_in, low_out),
        inner, up_in, up_out, outer, low_out, low_in,
        *right(corner, outer_up[2], outer_up[1]), *outer_up, corner,
        outer_low[2], outer_low[1], outer_low[0], *right(outer_low[1], outer_low[2]),
        *right(corner, inner_up[1]), *inner_up, corner, inner_low[1], inner_low[0],
        *right(inner_low[1]),
    ]  # fmt: skip


def wholebody_points(body: Anatomy) -> Int[np.ndarray, " 110"]:
    """Vertices of COCO-WholeBody 23..132: 68 face points, left hand, right hand."""
    left = hand_points(body)
    points = face_points(body) + left + [int(body.mirror[x]) for x in left]
    return np.array(points, dtype=np.int64)


def foot_vertices(
    body: Anatomy, weights: Float[np.ndarray, "V 24"]
) -> tuple[np.ndarray, np.ndarray]:
    """Left foot (all that ankle and toes move) and its sole (what can touch a floor)."""
    foot = np.flatnonzero(weights[:, 7] + weights[:, 10] > 0.5)
    corners = body.vertices[body.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    summed = np.zeros_like(body.vertices)
    for k in range(3):
        np.add.at(summed, body.faces[:, k], normals)
    down = -summed[:, 1] / np.linalg.norm(summed, axis=1)
    floor = body.vertices[foot, 1].min()
    sole = foot[(body.vertices[foot, 1] < floor + 0.025) & (down[foot] > 0.5)]
    return foot, sole
