"""Folders as stages 0 and 3 leave them behind."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import h5py
import numpy as np

from bench.robustness.clips import place
from stages.artifacts.calibrated_keypoints import (
    CalibratedKeypoints,
    PersonJoints,
    write_calibrated_keypoints,
)
from stages.artifacts.contacts import PersonContact, write_contacts
from stages.artifacts.images import FrameTimes, write_times
from stages.artifacts.layout import DataFolder, WorldName
from stages.artifacts.meshes import MESH_FILE, write_mesh
from stages.body.joint_names import SMPL45_NAMES
from stages.running.stage import check_inputs
from stages.stage4_retarget.retarget import Person
from stages.stage4_retarget.sources import Clip, read_clip
from stages.stage4_retarget.stage import RetargetStage
from tools.footage.terrain_mesh import exposed_surface


def write_clip(
    root: Path,
    people: dict[int, Person],
    video: str = "walk",
    fps: float = 30.0,
    skip: Mapping[int, Iterable[int]] | None = None,
    by_area: list[int] | None = None,
    mesh_of: str | None = "flat",
    stride: int = 1,
) -> Path:
    """What stages 0 and 3 leave behind for a video; returns the calibrated folder.

    `skip` lists, by person, rows in which that person was not seen; row r is frame r + 1, and the
    world has only every `stride`-th frame.
    """
    data = DataFolder(root)
    count = max(len(someone.joints) for someone in people.values())
    stem = WorldName("sfm", video, 0, count, stride).megahunter_stem
    folder = root / "output_calib_mesh" / stem
    seen = {
        number: [
            row
            for row in range(0, len(someone.joints), stride)
            if row not in (skip or {}).get(number, [])
        ]
        for number, someone in people.items()
    }
    write_calibrated_keypoints(
        folder / "gravity_calibrated_keypoints.h5",
        CalibratedKeypoints(
            {
                number: PersonJoints(
                    someone.joints[seen[number]], someone.R_world_root[seen[number]]
                )
                for number, someone in people.items()
            },
            np.eye(3, dtype=np.float32),
            list(SMPL45_NAMES),
            {} if by_area is None else {"people_by_area": by_area},
        ),
    )
    _write_frame_names(folder / "gravity_calibrated_megahunter.h5", seen)
    if mesh_of is not None:
        write_mesh(folder / MESH_FILE, *exposed_surface(place(mesh_of)))
    write_times(data.images(video), FrameTimes(fps, np.arange(count) / fps, f"{video}.mp4"))
    none = np.zeros((6890, 1), np.float32)
    for row in range(count):
        there = {
            number: PersonContact(none, *someone.flags.touching[row])
            for number, someone in people.items()
            if row in seen[number]
        }
        write_contacts(data.contacts(video), f"{row + 1:05d}", there)
    return folder


def clip_of(root: Path, video: str = "walk") -> Clip:
    """What stage 4 reads of it."""
    stage = RetargetStage(
        postprocessed_base_dir=root / "output_calib_mesh", contact_base_dir=root / "input_contacts"
    )
    return read_clip(check_inputs(stage.inputs(video)))


def _write_frame_names(path: Path, seen: dict[int, list[int]]) -> None:
    with h5py.File(path, "w") as file:
        file.create_group("our_pred_world_cameras_and_structure")
        for number, rows in seen.items():
            entry = file.create_group(f"our_pred_humans_smplx_params/{number}")
            entry["body_pose"] = np.zeros((len(rows), 23, 3, 3), np.float32)
            entry["global_orient"] = np.zeros((len(rows), 1, 3, 3), np.float32)
            entry["root_transl"] = np.zeros((len(rows), 1, 3), np.float32)
            entry["betas"] = np.zeros((len(rows), 10), np.float32)
            names = np.array([f"{row + 1:05d}" for row in rows], dtype=object).reshape(-1, 1)
            file.create_dataset(
                f"person_frame_info_list/{number}", data=names, dtype=h5py.string_dtype()
            )
