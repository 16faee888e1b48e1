"""Names and orders of body points: SMPL's joints, SMPL-45, COCO-WholeBody's 133 keypoints."""

SMPL24_NAMES: tuple[str, ...] = (
    "pelvis", "left_hip", "right_hip", "spine_1", "left_knee", "right_knee", "spine_2",
    "left_ankle", "right_ankle", "spine_3", "left_foot", "right_foot", "neck", "left_collar",
    "right_collar", "head", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow",
    "left_wrist", "right_wrist", "left_hand", "right_hand",
)  # fmt: skip

SMPL45_NAMES: tuple[str, ...] = (
    *SMPL24_NAMES,
    "nose", "right_eye", "left_eye", "right_ear", "left_ear",
    "left_big_toe", "left_small_toe", "left_heel",
    "right_big_toe", "right_small_toe", "right_heel",
    "left_thumb", "left_index", "left_middle", "left_ring", "left_pinky",
    "right_thumb", "right_index", "right_middle", "right_ring", "right_pinky",
)  # fmt: skip

# Vertices of SMPL's own mesh that are rows 24..44 of SMPL-45 (facts of the `smplx` package).
SMPL_EXTRA_VERTICES: tuple[int, ...] = (
    332, 6260, 2800, 4071, 583, 3216, 3226, 3387, 6617, 6624, 6787,
    2746, 2319, 2445, 2556, 2673, 6191, 5782, 5905, 6016, 6133,
)  # fmt: skip

_FINGERS = ("thumb", "forefinger", "middle_finger", "ring_finger", "pinky_finger")


def _hand(side: str) -> tuple[str, ...]:
    joints = tuple(f"{side}_{finger}{k}" for finger in _FINGERS for k in range(1, 5))
    return (f"{side}_hand_root", *joints)


COCO_WHOLEBODY_NAMES: tuple[str, ...] = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder",
    "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip",
    "left_knee", "right_knee", "left_ankle", "right_ankle",
    "left_big_toe", "left_small_toe", "left_heel",
    "right_big_toe", "right_small_toe", "right_heel",
    *(f"face_{k}" for k in range(68)),
    *_hand("left"),
    *_hand("right"),
)  # fmt: skip

# Mirror images within the 68 face points (iBUG order); the rest lies on the middle.
_FACE_PAIRS = (
    *((k, 16 - k) for k in range(8)),
    *((17 + k, 26 - k) for k in range(5)),
    (31, 35), (32, 34),
    (36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46),
    (48, 54), (49, 53), (50, 52), (55, 59), (56, 58),
    (60, 64), (61, 63), (65, 67),
)  # fmt: skip

FLIP_PAIRS: tuple[tuple[int, int], ...] = (
    *((k, k + 1) for k in range(1, 17, 2)),
    *((17 + k, 20 + k) for k in range(3)),
    *((23 + a, 23 + b) for a, b in _FACE_PAIRS),
    *((91 + k, 112 + k) for k in range(21)),
)
"""Pairs of COCO-WholeBody keypoints that change places in a mirrored image."""


def flip_order() -> tuple[int, ...]:
    """For every COCO-WholeBody keypoint the one on the other side; points of the middle stay."""
    order = list(range(len(COCO_WHOLEBODY_NAMES)))
    for a, b in FLIP_PAIRS:
        order[a], order[b] = b, a
    return tuple(order)


COCO18: tuple[int, ...] = tuple(range(5, 23))
"""The keypoints that are matched with SMPL-45: limbs and feet."""

SMPL45_OF_COCO18: tuple[int, ...] = (
    16, 17, 18, 19, 20, 21, 1, 2, 4, 5, 7, 8, 29, 30, 31, 32, 33, 34,
)  # fmt: skip
"""Row in SMPL-45 of every keypoint in COCO18, in that order."""

COCO23_OF_SMPL45: tuple[int, ...] = (24, 26, 25, 28, 27, *SMPL45_OF_COCO18)
"""Row in SMPL-45 of COCO-WholeBody's keypoints 0..22 (body and feet)."""

COCO_BONES: tuple[tuple[int, int], ...] = (
    (5, 6), (5, 11), (6, 12), (11, 12), (5, 7), (7, 9), (6, 8), (8, 10),
    (11, 13), (13, 15), (15, 19), (12, 14), (14, 16), (16, 22),
)  # fmt: skip
"""The bones by whose lengths a person's first distance to the camera is guessed (COCO numbers)."""
