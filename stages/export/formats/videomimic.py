"""VideoMimic's simulator: a folder a clip with the motion and the mesh, and the list of clips.

It resamples by itself and finds links by their names, so that files go on as stage 4 wrote them.
"""

from collections.abc import Sequence
from pathlib import Path

from stages.artifacts.atomic import write_text
from stages.artifacts.meshes import MESH_FILE
from stages.artifacts.robot_motion import SINGLE_FILE, write_robot_motion
from stages.export.files import copy
from stages.export.motion import Motion

LIST = "human_motion_list.yaml"


def write(motion: Motion, folder: Path) -> None:
    """`<name>/retarget_poses_g1.h5` and `<name>/background_mesh.obj`."""
    write_robot_motion(folder / motion.name / SINGLE_FILE, motion.source)
    copy(motion.place, folder / motion.name / MESH_FILE)


def confused(names: Sequence[str]) -> list[str]:
    """Clips that the simulator may take another for: it looks for a part of a folder's name."""
    return [name for name in names if any(name in other and name != other for other in names)]


def write_list(names: Sequence[str], folder: Path) -> None:
    """The clips by their folders; see `confused`."""
    lines = [f'- folder_path: "{name}"' for name in names]
    write_text(folder / LIST, "\n".join(lines) + "\n")
