"""Human motion made of footsteps, balance and gestures, on SMPL's 24 joints."""

from tools.footage.motions.choreography import climb_stairs, cross, jump_onto_box, walk
from tools.footage.motions.motion import Motion
from tools.footage.motions.plan import Style
from tools.footage.motions.poses import random_pose
from tools.footage.motions.rest_body import RestBody, ShapedBody
from tools.footage.motions.sampling import random_motion
from tools.footage.motions.styles import sample_betas, sample_style

__all__ = [
    "Motion",
    "RestBody",
    "ShapedBody",
    "Style",
    "climb_stairs",
    "cross",
    "jump_onto_box",
    "random_motion",
    "random_pose",
    "sample_betas",
    "sample_style",
    "walk",
]
