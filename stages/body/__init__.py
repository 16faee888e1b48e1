"""Body models in SMPL's file layout: loading, kinematics, names, shape fitting."""

from stages.body.joint_names import COCO_WHOLEBODY_NAMES, SMPL24_NAMES, SMPL45_NAMES
from stages.body.kinematics import forward_kinematics, rest_joints, smpl45
from stages.body.model import BodyModel, load_body
from stages.body.skin import posed_vertices

__all__ = [
    "COCO_WHOLEBODY_NAMES",
    "SMPL24_NAMES",
    "SMPL45_NAMES",
    "BodyModel",
    "forward_kinematics",
    "load_body",
    "posed_vertices",
    "rest_joints",
    "smpl45",
]
