"""Errors that are put into finished clips, in memory, each as a person would reject it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from stages.artifacts.masks import PersonLabel
from stages.artifacts.robot_motion import RobotMotion
from stages.body.joint_names import SMPL24_MIRROR, flip_order
from stages.evaluation.plausibility.clip import Clip
from stages.geometry.rotations import matrix_from_rotvec, matrix_from_wxyz, wxyz_from_matrix
from stages.robot.model import load_g1
from stages.robot.terrain import Terrain

LEGS = [1, 2, 4, 5, 7, 8, 10, 11]
ARMS = [13, 14, 16, 17, 18, 19, 20, 21, 22, 23]
ACROSS = np.diag([-1.0, 1.0, 1.0])
SIDEWAYS = np.array([1.0, 0.0, 0.0])


Change = Callable[[Clip], Clip | None]
"""Puts an error into a clip; None: it would not show in this one."""
SHOWS_M = 0.05
"""Limbs that are nearer than this to where the error puts them show none: a symmetric pose."""
SHOWS_RAD = 0.15
"""A joint that moves less, root mean square, may as well stand still."""


def changed(clip: Clip, **parts: Any) -> Clip:
    """The clip with some of its parts replaced; all else is what has been read already."""
    other = Clip(clip.data, clip.video)
    other.__dict__.update({**clip.__dict__, **parts})
    return other


def _moved_people(clip: Clip, offset: Callable[[np.ndarray], np.ndarray]) -> dict[str, Any]:
    """People moved; offset: of frames' shares of the clip, 0 to 1, metres."""
    motions, joints = {}, {}
    for person, motion in clip.motions.items():
        shift = offset(_shares(len(motion.frames)))
        motions[person] = replace(motion, root_transl=motion.root_transl + shift)
        joints[person] = clip.joints[person] + shift[:, None]
    return {"_read": (clip.views, motions), "joints": joints}


def _moved_robots(clip: Clip, offset: Callable[[np.ndarray], np.ndarray]) -> dict[str, Any]:
    def moved(part: RobotMotion) -> RobotMotion:
        return replace(part, root_pos=part.root_pos + offset(_shares(len(part.joints))))

    return {"robots": {who: [moved(part) for part in parts] for who, parts in clip.robots.items()}}


def _shares(frames: int) -> np.ndarray:
    return np.linspace(0, 1, frames)[:, None]


def _robot_joints(clip: Clip, change: Callable[[np.ndarray], np.ndarray]) -> Clip:
    robots = {
        who: [replace(part, joints=change(part.joints.astype(np.float64))) for part in parts]
        for who, parts in clip.robots.items()
    }
    return changed(clip, robots=robots)


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
        return changed(clip, _read=(clip.views, motions), joints=joints)

    return change


def slid(metres: float) -> Callable[[Clip], Clip]:
    """Person and robot drift sideways over the clip."""

    def change(clip: Clip) -> Clip:
        def offset(shares: np.ndarray) -> np.ndarray:
            return metres * shares * SIDEWAYS

        return changed(clip, **_moved_people(clip, offset), **_moved_robots(clip, offset))

    return change


def slid_robot(metres: float) -> Callable[[Clip], Clip]:
    """The robot alone drifts sideways."""
    return lambda clip: changed(clip, **_moved_robots(clip, lambda s: metres * s * SIDEWAYS))


def wrong_world_scale(factor: float) -> Callable[[Clip], Clip]:
    """Cameras and mesh are too large or small about the first camera; people stay as they are
    seen, and robots with them."""

    def change(clip: Clip) -> Clip:
        Ts = clip.views.Ts_world_camera.copy()
        first = Ts[0, :3, 3].copy()
        shift = (factor - 1) * (Ts[:, :3, 3] - first)
        Ts[:, :3, 3] += shift
        views = replace(clip.views, Ts_world_camera=Ts)

        def offset(shares: np.ndarray) -> np.ndarray:
            rows = np.rint(shares[:, 0] * (len(shift) - 1)).astype(int)
            return shift[rows]

        people = _moved_people(clip, offset)
        people["_read"] = (views, people["_read"][1])
        vertices = first + factor * (clip.terrain.vertices - first)
        terrain = Terrain(vertices, clip.terrain.faces)
        return changed(clip, **people, **_moved_robots(clip, offset), terrain=terrain)

    return change


def wrong_person_scale(factor: float) -> Callable[[Clip], Clip]:
    """All is too large or small about the first camera, the person too."""

    def change(clip: Clip) -> Clip:
        Ts = clip.views.Ts_world_camera.copy()
        first = Ts[0, :3, 3].copy()
        Ts[:, :3, 3] = first + factor * (Ts[:, :3, 3] - first)
        views = replace(clip.views, Ts_world_camera=Ts)
        joints = {who: first + factor * (each - first) for who, each in clip.joints.items()}
        terrain = Terrain(first + factor * (clip.terrain.vertices - first), clip.terrain.faces)
        return changed(clip, _read=(views, clip.motions), joints=joints, terrain=terrain)

    return change


def lost_track(start: float, end: float) -> Callable[[Clip], Clip]:
    """Stage 0 has nobody for a part of the clip; later stages went on through it."""

    def change(clip: Clip) -> Clip:
        gone = range(int(start * len(clip.frames)), int(end * len(clip.frames)))
        labels = [{} if row in gone else each for row, each in enumerate(clip.labels)]
        names = {clip.frames[row] for row in gone}
        keypoints = {name: {} if name in names else k for name, k in clip.keypoints.items()}
        return changed(clip, labels=labels, keypoints=keypoints)

    return change


def other_person(start: float) -> Callable[[Clip], Clip]:
    """From some frame on, masks and keypoints are of somebody two widths aside."""

    def change(clip: Clip) -> Clip:
        begin = int(start * len(clip.frames))
        labels, keypoints = [], dict(clip.keypoints)
        for row, (name, frame) in enumerate(zip(clip.frames, clip.labels, strict=True)):
            if row < begin:
                labels.append(frame)
                continue
            aside = {who: 2 * (label.box[2] - label.box[0]) for who, label in frame.items()}
            labels.append({who: _aside(label, aside[who]) for who, label in frame.items()})
            keypoints[name] = {
                who: replace(each, keypoints=each.keypoints + np.array([aside.get(who, 100), 0, 0]))
                for who, each in clip.keypoints[name].items()
            }
        return changed(clip, labels=labels, keypoints=keypoints)

    return change


def _aside(label: PersonLabel, by: int) -> PersonLabel:
    x1, y1, x2, y2 = label.box
    return replace(label, box=(x1 + by, y1, x2 + by, y2))


def frozen_joint(rank: int) -> Change:
    """One of the joints that move most stays at its mean."""

    def change(clip: Clip) -> Clip | None:
        most = [
            np.sort(-part.joints.std(0))[rank] for parts in clip.robots.values() for part in parts
        ]
        if -min(most) < SHOWS_RAD:
            return None

        def stop(joints: np.ndarray) -> np.ndarray:
            joint = np.argsort(-joints.std(0))[rank]
            stopped = joints.copy()
            stopped[:, joint] = joints[:, joint].mean()
            return stopped

        return _robot_joints(clip, stop)

    return change


def frozen(clip: Clip) -> Clip:
    """All joints stay at their means; the root goes on."""
    return _robot_joints(clip, lambda joints: np.repeat(joints.mean(0)[None], len(joints), 0))


def ground_at(metres: float) -> Callable[[Clip], Clip]:
    """The ground is what is no ground: a lintel, or what shows below a glass floor. The robot
    stands on it."""

    def change(clip: Clip) -> Clip:
        up = np.array([0.0, 0.0, metres])
        terrain = Terrain(clip.terrain.vertices + up, clip.terrain.faces)
        return changed(clip, terrain=terrain, **_moved_robots(clip, lambda s: 0 * s + up))

    return change


def mirrored(clip: Clip) -> Clip:
    """Keypoints are those of the mirrored film."""
    width = (
        2 * clip.views.intrinsics[0, 0, 2] * clip.views.affine_original_from_reconstruction[0, 0]
    )
    order = list(flip_order())
    keypoints = {
        name: {
            who: replace(each, keypoints=each.keypoints[order] * [-1, 1, 1] + [width, 0, 0])
            for who, each in people.items()
        }
        for name, people in clip.keypoints.items()
    }
    return changed(clip, keypoints=keypoints)


def mirrored_robot(clip: Clip) -> Clip:
    """The robot's left does what the person's right does."""
    names = load_g1().joint_names
    order = [
        names.index(
            name.replace("left", "right") if "left" in name else name.replace("right", "left")
        )
        for name in names
    ]
    sign = np.array([-1.0 if "roll" in name or "yaw" in name else 1.0 for name in names])
    return _robot_joints(clip, lambda joints: sign * joints[:, order])


def tilted(degrees: float) -> Callable[[Clip], Clip]:
    """Gravity is wrong: all leans sideways."""

    def change(clip: Clip) -> Clip:
        R = matrix_from_rotvec(np.array([0.0, np.radians(degrees), 0.0]))
        Ts = clip.views.Ts_world_camera.copy()
        Ts[:, :3] = R @ Ts[:, :3]
        joints = {who: each @ R.T for who, each in clip.joints.items()}
        motions = {
            who: replace(
                each, R_world_root=R @ each.R_world_root, root_transl=each.root_transl @ R.T
            )
            for who, each in clip.motions.items()
        }
        robots = {
            who: [
                replace(
                    part,
                    root_pos=part.root_pos @ R.T,
                    root_quat_xyzw=wxyz_from_matrix(
                        R @ matrix_from_wxyz(part.root_quat_xyzw[:, [3, 0, 1, 2]])
                    )[:, [1, 2, 3, 0]],
                )
                for part in parts
            ]
            for who, parts in clip.robots.items()
        }
        terrain = Terrain(clip.terrain.vertices @ R.T, clip.terrain.faces)
        views = replace(clip.views, Ts_world_camera=Ts)
        return changed(clip, _read=(views, motions), joints=joints, robots=robots, terrain=terrain)

    return change


def shaking(metres: float) -> Callable[[Clip], Clip]:
    """The person trembles from frame to frame."""

    def change(clip: Clip) -> Clip:
        rng = np.random.default_rng(0)
        return changed(
            clip, **_moved_people(clip, lambda s: rng.normal(scale=metres, size=(len(s), 3)))
        )

    return change


def shaking_robot(radians: float) -> Callable[[Clip], Clip]:
    """The robot's joints tremble from frame to frame."""
    rng = np.random.default_rng(0)
    return lambda clip: _robot_joints(clip, lambda q: q + rng.normal(scale=radians, size=q.shape))


def leap(metres: float) -> Callable[[Clip], Clip]:
    """Person and robot are elsewhere from the middle of the clip on."""

    def change(clip: Clip) -> Clip:
        def offset(shares: np.ndarray) -> np.ndarray:
            return metres * (shares > 0.5) * SIDEWAYS

        return changed(clip, **_moved_people(clip, offset), **_moved_robots(clip, offset))

    return change


def raised_robot(metres: float) -> Callable[[Clip], Clip]:
    """The robot floats, or sinks."""
    return lambda clip: changed(
        clip, **_moved_robots(clip, lambda s: 0 * s + np.array([0.0, 0.0, metres]))
    )


def arm_through_trunk(clip: Clip) -> Clip:
    """An arm is where the trunk is, for half of the clip."""
    names = load_g1().joint_names

    def turn(joints: np.ndarray) -> np.ndarray:
        turned = joints.copy()
        turned[len(joints) // 2 :, names.index("left_shoulder_roll_joint")] = -1.2
        return turned

    return _robot_joints(clip, turn)


def beyond_limits(clip: Clip) -> Clip:
    """A knee bends the wrong way by ten degrees for some frames."""
    robot = load_g1()
    knee = robot.joint_names.index("left_knee_joint")

    def turn(joints: np.ndarray) -> np.ndarray:
        turned = joints.copy()
        turned[: len(joints) // 5, knee] = robot.lower[knee] - np.radians(10)
        return turned

    return _robot_joints(clip, turn)


def growing(factor: float) -> Callable[[Clip], Clip]:
    """Bones grow over the clip."""

    def change(clip: Clip) -> Clip:
        joints = {}
        for who, each in clip.joints.items():
            scale = 1 + (factor - 1) * _shares(len(each))[..., None]
            joints[who] = each[:, :1] + scale * (each - each[:, :1])
        return changed(clip, joints=joints)

    return change


ERRORS: dict[str, dict[str, Change]] = {
    "swapped limb": {
        "legs, half a second": swapped_limbs(LEGS, 0.4, 0.55),
        "legs, all of it": swapped_limbs(LEGS, 0, 1),
        "arms, half of it": swapped_limbs(ARMS, 0.5, 1),
    },
    "slid foot": {
        "person and robot, 0.5 m": slid(0.5),
        "robot, 0.3 m": slid_robot(0.3),
    },
    "wrong scale": {
        "place x 0.75": wrong_world_scale(0.75),
        "place x 1.3": wrong_world_scale(1.3),
        "all x 1.3": wrong_person_scale(1.3),
        "all x 0.75": wrong_person_scale(0.75),
    },
    "lost track": {
        "a second of it": lost_track(0.4, 0.7),
        "the end of it": lost_track(0.6, 1),
        "somebody else": other_person(0.6),
    },
    "frozen joint": {
        "moves most": frozen_joint(0),
        "second": frozen_joint(1),
        "third": frozen_joint(2),
        "all": frozen,
    },
    "wrong ground": {
        "lintel, 0.4 m up": ground_at(0.4),
        "0.25 m up": ground_at(0.25),
        "0.3 m down": ground_at(-0.3),
        "12 degrees tilted": tilted(12),
    },
    "mirrored": {"clip": mirrored, "robot": mirrored_robot},
    "unsteady": {
        "person trembles, 3 cm": shaking(0.03),
        "robot trembles, 3 degrees": shaking_robot(0.05),
        "leap, 0.5 m": leap(0.5),
        "bones grow by 15 %": growing(1.15),
    },
    "impossible robot": {
        "floats, 10 cm": raised_robot(0.1),
        "sinks, 10 cm": raised_robot(-0.1),
        "arm through trunk": arm_through_trunk,
        "knee the wrong way": beyond_limits,
    },
}
"""By kind."""
