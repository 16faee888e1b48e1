"""Every format, declared once: who reads it, at which rate, of which robots."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.export.formats import (
    beyondmimic,
    glb,
    gmr,
    holomotion,
    holosoma,
    mjcf,
    mjlab,
    protomotions,
    sonic,
    videomimic,
)
from stages.export.motion import Motion
from stages.export.robots import ROBOTS


@dataclass(frozen=True)
class Format:
    """A trainer's files.

    write: writes a motion's files; what it finds out about the motion goes into its description.

    fps: rows a second where none is asked for; 0 for the motion's own. only_fps: whether it can be
    no other. robots: those that it can hold, the first where none is asked for. revision_1_0:
    whether bodies lie as Unitree's revision 1.0 has them. quaternions, order: as they are stored.
    """

    write: Callable[[Motion, Path], dict[str, Any] | None]
    help: str
    fps: float
    robots: tuple[str, ...]
    quaternions: str
    order: str
    only_fps: bool = False
    revision_1_0: bool = True


_ALL = tuple(ROBOTS)
_TABLES = "w x y z in the npz, x y z w in the csv"
MUJOCO, ISAACLAB = "MuJoCo: depth first", "IsaacLab: breadth first"

FORMATS = {
    "videomimic": Format(
        videomimic.write, "VideoMimic's simulator: motion, mesh and list of clips", 0, ("23",),
        "x y z w", "by name", only_fps=True, revision_1_0=False,
    ),
    "mjcf": Format(
        mjcf.write, "MuJoCo: robot, place and keyframes in one scene", 0, ("29", "23"),
        "w x y z", MUJOCO, revision_1_0=False,
    ),
    "holosoma": Format(
        holosoma.write, "holosoma: npz with names, and the place as OBJ", 50, _ALL,
        "w x y z", MUJOCO,
    ),
    "mjlab": Format(
        mjlab.write, "mjlab: csv, npz, and the place as a scene", 50, _ALL, _TABLES, MUJOCO,
    ),
    "beyondmimic": Format(
        beyondmimic.write, "BeyondMimic: csv and npz", 50, _ALL,
        _TABLES, f"{ISAACLAB} in the npz, {MUJOCO} in the csv",
    ),
    "gmr": Format(
        gmr.write, "GMR: its dictionary as pickle and as npz", 0, _ALL, "x y z w", MUJOCO,
    ),
    "protomotions": Format(
        protomotions.write, "ProtoMotions: .motion", 30, ("29",), "x y z w", MUJOCO,
    ),
    "holomotion": Format(
        holomotion.write, "HoloMotion: npz with metadata", 50, ("29",), "x y z w", MUJOCO,
    ),
    "sonic": Format(
        sonic.write, "SONIC: a folder of csv a motion", 50, ("29",), "w x y z", ISAACLAB,
        only_fps=True,
    ),
    "glb": Format(
        glb.write, "glTF for Blender and browsers: place, robot and person", 0, ("29", "23"),
        "x y z w", "by name", only_fps=True, revision_1_0=False,
    ),
}  # fmt: skip
"""By the name for `--format`."""
