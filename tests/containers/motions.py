"""Robots' motions of data folders, and whether two are alike."""

from pathlib import Path

import h5py
import numpy as np

from tests.containers.conftest import CLIPS


def assert_robots_move_alike(ours: Path, theirs: Path) -> None:
    """Same clips, roots within 5 mm, links within 2 cm (meshes differ a little from run to run)."""
    found, wanted = motions(ours), motions(theirs)
    assert len(found) == len(CLIPS) and found.keys() == wanted.keys()
    for name, motion in found.items():
        np.testing.assert_allclose(motion["root_pos"], wanted[name]["root_pos"], atol=0.005)
        np.testing.assert_allclose(motion["link_pos"], wanted[name]["link_pos"], atol=0.02)


def motions(data: Path) -> dict[str, dict[str, np.ndarray]]:
    """Positions of the robots' roots and links, by folder."""
    found = {}
    for path in sorted(data.glob("output_calib_mesh/*/retarget_poses_g1.h5")):
        with h5py.File(path) as file:
            found[path.parent.name] = {name: file[name][()] for name in ("root_pos", "link_pos")}
    return found
