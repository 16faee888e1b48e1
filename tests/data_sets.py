"""What data folders hold, and whether two hold the same."""

import json
import re
from pathlib import Path

import h5py
import numpy as np

from tests.engines import CLIPS

# Files about the run itself, not results of it.
ABOUT_THE_RUN = re.compile(r"\.done/|logs/|runs\.jsonl|slurm/|verdicts\.json")


def results(data: Path) -> set[str]:
    """Names of all files but those about the run itself."""
    files = (str(path.relative_to(data)) for path in data.rglob("*") if path.is_file())
    return {file for file in files if not ABOUT_THE_RUN.match(file)}


def assert_people_are_alike(ours: Path, theirs: Path) -> None:
    """Same keypoints, within a hundredth of a pixel, in every frame of every clip."""
    paths = sorted(ours.glob("input_2d_poses/*/cam01/*.json"))
    assert len(paths) == sum(map(len, CLIPS.values()))
    for path in paths:
        found, wanted = (
            json.loads((data / path.relative_to(ours)).read_text())["1"]["keypoints"]
            for data in (ours, theirs)
        )
        np.testing.assert_allclose(found, wanted, atol=0.01)


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
