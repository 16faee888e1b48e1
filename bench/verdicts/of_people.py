"""Errors of the people's motion: swapped limbs, trembling, bones that grow."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from bench.verdicts.clips import Change, changed, moved_people, shares_of
from stages.body.joint_names import SMPL24_MIRROR
from stages.evaluation.plausibility.clip import Clip

LEGS = [1, 2, 4, 5, 7, 8, 10, 11]
ARMS = [13, 14, 16, 17, 18, 19, 20, 21, 22, 23]
ACROSS = np.diag([-1.0, 1.0, 1.0])
SHOWS_M = 0.05
"""Limbs that are nearer than this to where the error puts them show none: a symmetric pose."""


def swapped_limbs(limbs: list[int], start: float, end: float) -> Change:
    """Left and right limbs of the body change places for a part of the clip."""

    def change(clip: Clip) -> Clip | None:
        motions, joints = {}, {}
        for person, motion in clip.motions.items():
            rows = slice(int(start * len(motion.frames)), int(end * len(motion.frames)))
            pose = motion.body_pose.copy()
            for joint in limbs:
                mirrored = motion.body_pose[rows, SMPL24_MIRROR[joint] - 1]
                pose[rows, joint - 1] = ACROSS @ mirrored @ ACROSS
            motions[person] = replace(motion, body_pose=pose)
            other = clip.joints[person].copy()
            other[rows, :24] = clip.posed_joints(motions[person])[rows]
            joints[person] = other
            moved = np.linalg.norm((other - clip.joints[person])[rows][:, limbs], axis=-1).mean()
            if moved < SHOWS_M:
                return None
        return changed(clip, motions=motions, joints=joints)

    return change


def shaking(metres: float) -> Callable[[Clip], Clip]:
    """The person trembles from frame to frame."""

    def change(clip: Clip) -> Clip:
        rng = np.random.default_rng(0)
        return changed(
            clip, **moved_people(clip, lambda s: rng.normal(scale=metres, size=(len(s), 3)))
        )

    return change


def growing(factor: float) -> Callable[[Clip], Clip]:
    """Bones grow over the clip."""

    def change(clip: Clip) -> Clip:
        joints = {}
        for who, each in clip.joints.items():
            scale = 1 + (factor - 1) * shares_of(len(each))[..., None]
            joints[who] = each[:, :1] + scale * (each - each[:, :1])
        return changed(clip, joints=joints)

    return change
