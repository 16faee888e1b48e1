"""Errors of the place and of who is where in it: scale, ground, gravity, sliding."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from bench.verdicts.clips import SIDEWAYS, changed, moved_people, moved_robots
from stages.evaluation.plausibility.clip import Clip
from stages.geometry.rotations import matrix_from_rotvec, matrix_from_wxyz, wxyz_from_matrix
from stages.robot.terrain import Terrain


def slid(metres: float) -> Callable[[Clip], Clip]:
    """Person and robot drift sideways over the clip."""

    def change(clip: Clip) -> Clip:
        def offset(shares: np.ndarray) -> np.ndarray:
            return metres * shares * SIDEWAYS

        return changed(clip, **moved_people(clip, offset), **moved_robots(clip, offset))

    return change


def leap(metres: float) -> Callable[[Clip], Clip]:
    """Person and robot are elsewhere from the middle of the clip on."""

    def change(clip: Clip) -> Clip:
        def offset(shares: np.ndarray) -> np.ndarray:
            return metres * (shares > 0.5) * SIDEWAYS

        return changed(clip, **moved_people(clip, offset), **moved_robots(clip, offset))

    return change


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

        people = moved_people(clip, offset)
        vertices = first + factor * (clip.terrain.vertices - first)
        terrain = Terrain(vertices, clip.terrain.faces)
        return changed(clip, views=views, **people, **moved_robots(clip, offset), terrain=terrain)

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
        return changed(clip, views=views, joints=joints, terrain=terrain)

    return change


def ground_at(metres: float) -> Callable[[Clip], Clip]:
    """The ground is what is no ground: a lintel, or what shows below a glass floor. The robot
    stands on it."""

    def change(clip: Clip) -> Clip:
        up = np.array([0.0, 0.0, metres])
        terrain = Terrain(clip.terrain.vertices + up, clip.terrain.faces)
        return changed(clip, terrain=terrain, **moved_robots(clip, lambda s: 0 * s + up))

    return change


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
        return changed(
            clip, views=views, motions=motions, joints=joints, robots=robots, terrain=terrain
        )

    return change
