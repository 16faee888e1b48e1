"""A capture as results of stage 3, so that stage 4 goes on from them."""

from pathlib import Path

import numpy as np

from stages.artifacts.calibrated_keypoints import FILE as KEYPOINTS_FILE
from stages.artifacts.calibrated_keypoints import CalibratedKeypoints, write_calibrated_keypoints
from stages.artifacts.images import FrameTimes, write_times
from stages.artifacts.layout import CALIBRATED, DataFolder, WorldName
from stages.artifacts.meshes import MESH_FILE, write_mesh
from stages.artifacts.people_and_world import (
    BODY_UNKNOWN,
    MEGAHUNTER_FILE,
    PersonMotion,
    write_people_and_world,
)
from stages.body.joint_names import SMPL45_NAMES
from stages.motions_in.capture import Capture
from stages.motions_in.smpl45 import smpl45

METHOD = "motion"
"""In the place of a world method, in names."""
PERSON = 1


def write_clip(
    data: Path, video: str, capture: Capture, mesh: tuple[np.ndarray, np.ndarray], source: Path
) -> Path:
    """Writes what stage 4 reads of a video.

    Returns:
        the folder of the result.

    Raises:
        ValueError: joints are missing that stage 4 needs.
    """
    person, count = smpl45(capture), len(capture)
    names = [f"{number:05d}" for number in range(1, count + 1)]
    folder = data / CALIBRATED / WorldName(METHOD, video, 0, count, 1).megahunter_stem
    record = CalibratedKeypoints(
        {PERSON: person}, np.eye(3, dtype=np.float32), list(SMPL45_NAMES), {"source": source.name}
    )
    # No body is known: the pose is the rest pose, and nobody but stage 4 goes on from here.
    still = np.tile(np.eye(3, dtype=np.float32), (count, 23, 1, 1))
    motion = PersonMotion(
        names, still, person.R_world_root, person.joints[:, 0], np.zeros((count, 10), np.float32)
    )
    write_people_and_world(
        folder / MEGAHUNTER_FILE,
        (),
        {PERSON: motion},
        np.asarray,
        np.asarray,
        frames_as_dataset=True,
        **{BODY_UNKNOWN: True},
    )
    write_mesh(folder / MESH_FILE, *mesh)
    times = np.arange(count) / capture.fps
    write_times(DataFolder(data).images(video), FrameTimes(capture.fps, times, source.name))
    # Last: with it the result is there.
    write_calibrated_keypoints(folder / KEYPOINTS_FILE, record)
    return folder
