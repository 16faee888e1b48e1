"""GMR: its dictionary, as a pickle of plain arrays and as an npz, which holds no code at all."""

import pickle
from pathlib import Path

import numpy as np

from stages.artifacts.atomic import replacing
from stages.export.files import save_npz
from stages.export.motion import XYZW, Motion


def write(motion: Motion, folder: Path) -> None:
    """`<name>.pkl` and `<name>.npz`; the root's quaternion is x, y, z, w."""
    arrays = {
        "root_pos": motion.body_pos[:, 0],
        "root_rot": motion.body_wxyz[:, 0][:, XYZW],
        "dof_pos": motion.joint_pos,
    }
    unused = {"local_body_pos": None, "link_body_list": None}
    with replacing(folder / f"{motion.name}.pkl") as temporary:
        temporary.write_bytes(pickle.dumps({"fps": motion.fps, **arrays, **unused}, protocol=4))
    save_npz(folder / f"{motion.name}.npz", {"fps": np.array(motion.fps), **arrays})
