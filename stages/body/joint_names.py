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

SMPL24_MIRROR: tuple[int, ...] = tuple(
    SMPL24_NAMES.index(
        name.replace("left", "right") if "left" in name else name.replace("right", "left")
    )
    for name in SMPL24_NAMES
)
"""For every joint the one on the other side of the body; joints of the middle stay."""

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


SMPL_PARENTS: tuple[int, ...] = (
    -1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21,
)  # fmt: skip
"""Parent of every joint in SMPL24_NAMES, always earlier in the list; -1 for the pelvis."""

BODY_AND_FEET = 23
"""So many of COCO-WholeBody's keypoints come first, those of the face and hands after them."""

COCO18: tuple[int, ...] = tuple(range(5, 23))
"""The keypoints that are matched with SMPL-45: limbs and feet."""


def smpl45_row(name: str) -> int:
    """Row of a named point in SMPL-45, for joints also in SMPL's 24; ValueError without such."""
    return SMPL45_NAMES.index(name)


def coco18_row(name: str) -> int:
    """Row of a named keypoint within COCO18; ValueError without such."""
    return COCO18.index(COCO_WHOLEBODY_NAMES.index(name))


SMPL45_OF_COCO18: tuple[int, ...] = tuple(smpl45_row(COCO_WHOLEBODY_NAMES[k]) for k in COCO18)
"""Row in SMPL-45 of every keypoint in COCO18, in that order."""
