"""mjlab 1.6: a table for its converter, the arrays that its motion command loads, and the place."""

from pathlib import Path

import mujoco

from stages.artifacts.atomic import write_text
from stages.export.files import copy, root_xyzw_and_joints, save_csv, save_npz, tracking_arrays
from stages.export.motion import Motion
from stages.export.scene import add_place


def write(motion: Motion, folder: Path) -> None:
    """`<name>.csv` and `<name>.npz`, joints and bodies in MuJoCo's order; `<name>_place.xml` and
    `<name>.obj`, which a scene's `spec_fn` attaches.
    """
    save_csv(folder / f"{motion.name}.csv", root_xyzw_and_joints(motion))
    everything = range(len(motion.joint_names)), range(len(motion.body_names))
    save_npz(folder / f"{motion.name}.npz", tracking_arrays(motion, *everything))
    mesh = copy(motion.place, folder / f"{motion.name}.obj")
    spec = mujoco.MjSpec()
    spec.modelfiledir = str(folder)
    add_place(spec, mesh, mesh.name)
    spec.compile()
    write_text(folder / f"{motion.name}_place.xml", spec.to_xml())
