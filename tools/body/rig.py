"""Which of MakeHuman's bones make up each of SMPL's 24 joints."""

import re

import numpy as np
from jaxtyping import Float

SMPL_PARENTS = [-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21]

# Bone-name pattern -> SMPL joint; the side .L/.R picks the joint of a pair.
_MERGE = [
    (r"root|pelvis|spine0[45]", (0, 0)),
    (r"upperleg", (1, 2)),
    (r"spine03", (3, 3)),
    (r"lowerleg", (4, 5)),
    (r"spine02", (6, 6)),
    (r"foot", (7, 8)),
    (r"spine01", (9, 9)),
    (r"toe", (10, 11)),
    (r"neck", (12, 12)),
    (r"clavicle|shoulder", (13, 14)),
    (r"head|eye", (15, 15)),
    (r"upperarm", (16, 17)),
    (r"lowerarm", (18, 19)),
    # The thumb stays rigid with the palm: it starts at the wrist, not at the knuckles.
    (r"wrist|metacarpal|finger1", (20, 21)),
    (r"finger[2-5]", (22, 23)),
]


def smpl_joint_of(bone: str) -> int:
    """The SMPL joint that moves what `bone` moves."""
    for pattern, (left, right) in _MERGE:
        if re.match(pattern, bone):
            return right if bone.endswith(".R") else left
    raise ValueError(f"bone {bone!r} has no SMPL joint; add it to tools/body/rig.py")


def merge_weights(
    weights: Float[np.ndarray, "V B"], bone_names: list[str], least: float = 2e-3
) -> Float[np.ndarray, "V 24"]:
    """Skinning weights summed onto SMPL's joints; weights below `least` are dropped."""
    merged = np.zeros((len(weights), 24))
    for column, bone in enumerate(bone_names):
        merged[:, smpl_joint_of(bone)] += weights[:, column]
    merged[merged < least] = 0
    return merged / merged.sum(1, keepdims=True)


def smpl_joints(
    heads: Float[np.ndarray, "N B 3"], bone_names: list[str]
) -> Float[np.ndarray, "N 24 3"]:
    """Joint centres of SMPL's tree out of the bones' heads.

    Pelvis, collars, hands and feet have no bone of their own in MakeHuman's rig at the place
    where SMPL has its joint; they are blends of neighbouring heads.
    """
    at = {name: heads[:, i] for i, name in enumerate(bone_names)}

    def sided(side: str) -> dict[str, np.ndarray]:
        toes = np.mean([at[f"toe{k}-1.{side}"] for k in range(1, 6)], axis=0)
        wrist = at[f"wrist.{side}"]
        return {
            "hip": at[f"upperleg01.{side}"],
            "knee": at[f"lowerleg01.{side}"],
            "ankle": at[f"foot.{side}"],
            "foot": toes,
            "collar": 0.5 * (at[f"clavicle.{side}"] + at[f"shoulder01.{side}"]),
            "shoulder": at[f"upperarm01.{side}"],
            "elbow": at[f"lowerarm01.{side}"],
            "wrist": wrist,
            "hand": wrist + 0.85 * (at[f"finger3-1.{side}"] - wrist),
        }

    left, right = sided("L"), sided("R")
    pelvis = 0.5 * (at["root"] + at["spine03"])
    order = [
        pelvis, left["hip"], right["hip"], at["spine03"], left["knee"], right["knee"],
        at["spine02"], left["ankle"], right["ankle"], at["spine01"], left["foot"], right["foot"],
        at["neck01"], left["collar"], right["collar"], at["head"], left["shoulder"],
        right["shoulder"], left["elbow"], right["elbow"], left["wrist"], right["wrist"],
        left["hand"], right["hand"],
    ]  # fmt: skip
    return np.stack(order, axis=1)
