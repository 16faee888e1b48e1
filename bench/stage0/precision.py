"""What half precision does to the results of the networks' stages, with the demo's weights.

python -m bench.stage0.precision DATA: over the videos of a data folder that stage0-sam2 has
finished, the differences to float32 on this machine's GPU.
"""

import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from stages.artifacts import layout
from stages.artifacts.bodies import read_bodies
from stages.artifacts.contacts import read_contacts
from stages.artifacts.images import list_images
from stages.artifacts.keypoints import read_keypoints
from stages.artifacts.masks import read_mask
from stages.evaluation.clip import iou
from stages.running import Stage
from stages.running.people_stage import PeopleStage
from stages.stage0_bstro.stage import BstroStage
from stages.stage0_sam2.stage import Sam2Stage
from stages.stage0_vimo.stage import VimoStage
from stages.stage0_vitpose.stage import VitposeStage
from stages.weights import precision

SEEN = 0.3
"""Score of a keypoint that counts."""

Results = dict[tuple, np.ndarray]


def keypoints(folder: Path, images: Path) -> Results:
    return {
        (image.name, person): found.keypoints
        for image in list_images(images)
        for person, found in read_keypoints(folder, image.number).items()
    }


def bodies(folder: Path, images: Path) -> Results:
    return {
        (image.name, person): np.concatenate([found.R_camera_root, found.body_pose])
        for image in list_images(images)
        for person, found in read_bodies(folder, image.number).items()
    }


def contacts(folder: Path, images: Path) -> Results:
    return {
        (image.name, person): found.vertices[:, 0]
        for image in list_images(images)
        for person, found in (read_contacts(folder, image.name) or {}).items()
    }


def pixels_apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.linalg.norm((a - b)[:, :2], axis=-1)[a[:, 2] > SEEN]


def degrees_apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    trace = np.einsum("jab,jab->j", a, b)
    return np.degrees(np.arccos(np.clip((trace - 1) / 2, -1, 1)))


def probability_apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.abs(a - b)


def masks(folder: Path, images: Path) -> Results:
    return {(image.name,): read_mask(folder, image.name) for image in list_images(images)}


def masks_apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Of everybody's mask the share that is not in both."""
    people = [person for person in np.union1d(a, b) if person]
    return np.array([100 * (1 - iou(a == person, b == person)) for person in people])


CASES: dict[str, tuple[type[Stage], str, Callable, Callable, str]] = {
    "sam2": (Sam2Stage, "masks_base_dir", masks, masks_apart, "% of a mask"),
    "vitpose": (VitposeStage, "keypoints_base_dir", keypoints, pixels_apart, "px"),
    "vimo": (VimoStage, "bodies_base_dir", bodies, degrees_apart, "degrees"),
    "bstro": (BstroStage, "contacts_base_dir", contacts, probability_apart, "probability"),
}


def results_of(name: str, data: Path, half: torch.dtype | None) -> Results:
    """What a stage finds in all videos of a data folder."""
    declaration, output, read, _, _ = CASES[name]
    precision.HALF_ON_GPU[name] = half
    work = Path(tempfile.mkdtemp(prefix="mimicmill-precision-"))
    folders: dict[str, Any] = {
        "video_base_dir": data / layout.IMAGES,
        output: work,
    }
    if issubclass(declaration, PeopleStage):
        folders["bbox_base_dir"] = data / layout.MASKS
    stage: Any = declaration(**folders)
    stage.load()
    found: Results = {}
    for video in stage.videos_with_input():
        inputs = {each.name: each.path for each in stage.inputs(video)}
        stage.process(video, inputs)
        these = read(stage.result_folder(video), inputs["frames"])
        found |= {(video, *key): value for key, value in these.items()}
    shutil.rmtree(work)
    return found


def main(data: Path) -> None:
    table = Table(title=f"Difference to float32 on {torch.cuda.get_device_name()}")
    for header in ("stage0-", "numbers", "unit", "median", "99 %", "largest"):
        table.add_column(header, justify="left" if header == "stage0-" else "right")
    for name, (*_, apart, unit) in CASES.items():
        exact = results_of(name, data, None)
        for half in (torch.float16, torch.bfloat16):
            found = results_of(name, data, half)
            difference = np.concatenate([apart(exact[key], found[key]) for key in exact])
            figures = np.percentile(difference, [50, 99, 100])
            table.add_row(name, str(half)[6:], unit, *(f"{value:.4f}" for value in figures))
    Console(width=100).print(table)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
