"""BeyondMimic (whole_body_tracking): the same table, and arrays in the order of IsaacLab.

Its files have no names in them: the order is all that there is.
"""

from pathlib import Path

from stages.export.files import root_xyzw_and_joints, save_csv, save_npz, tracking_arrays
from stages.export.motion import Motion
from stages.export.robots import breadth_first


def write(motion: Motion, folder: Path) -> None:
    """`<name>.csv`, joints in MuJoCo's order, and `<name>.npz`, all in IsaacLab's."""
    save_csv(folder / f"{motion.name}.csv", root_xyzw_and_joints(motion))
    joints = breadth_first(motion.g1.robot)
    arrays = tracking_arrays(motion, joints.tolist(), [0, *(joints + 1).tolist()])
    save_npz(folder / f"{motion.name}.npz", arrays)
