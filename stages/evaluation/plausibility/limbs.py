"""The joints of arms and legs among COCO-WholeBody's keypoints."""

from stages.body.joint_names import COCO_WHOLEBODY_NAMES

LIMB_JOINTS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
LIMBS_LEFT, LIMBS_RIGHT = (
    [COCO_WHOLEBODY_NAMES.index(f"{side}_{joint}") for joint in LIMB_JOINTS]
    for side in ("left", "right")
)
LIMBS = LIMBS_LEFT + LIMBS_RIGHT
