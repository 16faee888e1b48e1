"""Which skin vertices stand for the points that SMPL-45 and COCO-WholeBody name.

Left points are found by geometry on the body in its zero pose; right points are their mirror
images.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from stages.body.joint_names import SMPL24_NAMES, SMPL45_NAMES, SMPL_EXTRA_VERTICES, smpl45_row

# The body's vertices are numbered so that the picks lie where `smplx` looks for them.
SMPL_PICKS = dict(zip(SMPL45_NAMES[len(SMPL24_NAMES) :], SMPL_EXTRA_VERTICES, strict=True))
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


def foot_vertices(
    body: Anatomy, weights: Float[np.ndarray, "V 24"]
) -> tuple[np.ndarray, np.ndarray]:
    """Left foot (all that ankle and toes move) and its sole (what can touch a floor)."""
    foot = np.flatnonzero(
        weights[:, [smpl45_row("left_ankle"), smpl45_row("left_foot")]].sum(1) > 0.5
    )
    corners = body.vertices[body.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    summed = np.zeros_like(body.vertices)
    for k in range(3):
        np.add.at(summed, body.faces[:, k], normals)
    down = -summed[:, 1] / np.linalg.norm(summed, axis=1)
    floor = body.vertices[foot, 1].min()
    sole = foot[(body.vertices[foot, 1] < floor + 0.025) & (down[foot] > 0.5)]
    return foot, sole
