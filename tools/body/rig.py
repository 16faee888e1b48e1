"""Which of MakeHuman's bones make up each of SMPL's 24 joints."""

import re

import numpy as np
from jaxtyping import Float

from stages.body.joint_names import SMPL24_NAMES

# Bone-name pattern -> SMPL joint; the side .L/.R picks the joint of a pair.
_MERGE = {
    r"root|pelvis|spine0[45]": "pelvis",
    r"upperleg": "hip",
    r"spine03": "spine_1",
    r"lowerleg": "knee",
    r"spine02": "spine_2",
    r"foot": "ankle",
    r"spine01": "spine_3",
    r"toe": "foot",
    r"neck": "neck",
    r"clavicle|shoulder": "collar",
    r"head|eye": "head",
    r"upperarm": "shoulder",
    r"lowerarm": "elbow",
    # The thumb stays rigid with the palm: it starts at the wrist, not at the knuckles.
    r"wrist|metacarpal|finger1": "wrist",
    r"finger[2-5]": "hand",
}


def smpl_joint_of(bone: str) -> str:
    """The name of the SMPL joint that moves what `bone` moves."""
    for pattern, joint in _MERGE.items():
        if re.match(pattern, bone):
            side = "right" if bone.endswith(".R") else "left"
            return joint if joint in SMPL24_NAMES else f"{side}_{joint}"
    raise ValueError(f"bone {bone!r} has no SMPL joint; add it to tools/body/rig.py")


def merge_weights(
    weights: Float[np.ndarray, "V B"], bone_names: list[str], least: float = 2e-3
) -> Float[np.ndarray, "V 24"]:
    """Skinning weights summed onto SMPL's joints; weights below `least` are dropped."""
    merged = np.zeros((len(weights), 24))
    for column, bone in enumerate(bone_names):
        merged[:, SMPL24_NAMES.index(smpl_joint_of(bone))] += weights[:, column]
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

    joints = {
        "pelvis": 0.5 * (at["root"] + at["spine03"]),
        "spine_1": at["spine03"],
        "spine_2": at["spine02"],
        "spine_3": at["spine01"],
        "neck": at["neck01"],
        "head": at["head"],
    }
    for side, end in (("left", "L"), ("right", "R")):
        toes = np.mean([at[f"toe{k}-1.{end}"] for k in range(1, 6)], axis=0)
        wrist = at[f"wrist.{end}"]
        joints |= {
            f"{side}_hip": at[f"upperleg01.{end}"],
            f"{side}_knee": at[f"lowerleg01.{end}"],
            f"{side}_ankle": at[f"foot.{end}"],
            f"{side}_foot": toes,
            f"{side}_collar": 0.5 * (at[f"clavicle.{end}"] + at[f"shoulder01.{end}"]),
            f"{side}_shoulder": at[f"upperarm01.{end}"],
            f"{side}_elbow": at[f"lowerarm01.{end}"],
            f"{side}_wrist": wrist,
            f"{side}_hand": wrist + 0.85 * (at[f"finger3-1.{end}"] - wrist),
        }
    return np.stack([joints[name] for name in SMPL24_NAMES], axis=1)
