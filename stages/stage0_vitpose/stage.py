"""stage0-vitpose: keypoints of the people that stage0-sam2 found."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stages.artifacts import layout
from stages.artifacts.images import ImageFile, list_images, read_image
from stages.artifacts.keypoints import PersonKeypoints, write_keypoints
from stages.artifacts.masks import Box, choose_people, read_labels, read_summary, summary_path
from stages.running import Input, Stage, VideoError
from stages.stage0_vitpose.drawing import draw
from stages.stage0_vitpose.estimator import KeypointEstimator
from stages.weights import load_vitpose
from stages.weights.manifest import is_demo


@dataclass
class VitposeStage(Stage):
    """Estimates keypoints."""

    video_base_dir: Path
    keypoints_base_dir: Path
    bbox_base_dir: Path
    checkpoint: Path
    multihuman: bool
    top_k: int
    batch_size: int
    vis: bool

    name = "stage0-vitpose"

    @property
    def output_base_dir(self) -> Path:
        return self.keypoints_base_dir

    def _folder(self, base: Path, video: str) -> Path:
        return base / video / layout.CAMERA

    def inputs(self, video: str) -> list[Input]:
        masks = self._folder(self.bbox_base_dir, video)
        return [
            Input(self._folder(self.video_base_dir, video), "stage0-frames"),
            Input(summary_path(masks), "stage0-sam2"),
            Input(masks / "json_data", "stage0-sam2"),
        ]

    def outputs(self, video: str) -> list[Path]:
        return [self._folder(self.keypoints_base_dir, video)]

    def parameters(self) -> dict[str, Any]:
        # The size of a batch does not change the result.
        return {"multihuman": self.multihuman, "top_k": self.top_k, "vis": self.vis}

    def weights(self) -> dict[str, Path]:
        return {"vitpose": self.checkpoint}

    def notice(self) -> str:
        known = "; these demo weights know only the demo's rendered people"
        return f"ViTPose, weights {self.checkpoint}" + (known if is_demo(self.checkpoint) else "")

    def load(self) -> None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
        self.estimator = KeypointEstimator(load_vitpose(self.checkpoint, device), self.batch_size)

    def process(self, video: str) -> str:
        images = list_images(self._folder(self.video_base_dir, video))
        masks = self._folder(self.bbox_base_dir, video)
        people = choose_people(read_summary(masks), self.multihuman, self.top_k)
        if not people:
            raise VideoError(
                f"{video} has no people; if some are to be seen, run stage0-sam2 with another "
                "--text or other weights"
            )
        folder = self._folder(self.keypoints_base_dir, video)
        for old in folder.glob("pose_*.json"):
            old.unlink()
        frames, detections = 0, 0
        for batch in _batches(images, masks, people, self.batch_size):
            self._write(folder, batch)
            frames += len(batch)
            detections += sum(len(boxes) for _, boxes in batch)
        return f"{detections} detections of {len(people)} people in {frames} frames"

    def _write(self, folder: Path, batch: list[tuple[ImageFile, dict[int, Box]]]) -> None:
        pictures = {image.number: read_image(image.path) for image, _ in batch}
        wanted = [(image.number, box) for image, boxes in batch for box in boxes.values()]
        found = iter(
            self.estimator([pictures[number] for number, _ in wanted], [box for _, box in wanted])
        )
        for image, boxes in batch:
            people = {
                person: PersonKeypoints(np.array([*box, 1.0], np.float32), next(found))
                for person, box in boxes.items()
            }
            write_keypoints(folder, image.number, people)
            if self.vis:
                draw(
                    folder / "vis" / f"pose_{image.number:05d}.jpg", pictures[image.number], people
                )


def _batches(
    images: list[ImageFile], masks: Path, people: list[int], size: int
) -> list[list[tuple[ImageFile, dict[int, Box]]]]:
    """Frames with the boxes of the followed people, grouped so that a group fills a batch."""
    groups: list[list[tuple[ImageFile, dict[int, Box]]]] = [[]]
    for image in images:
        labels = read_labels(masks, image.name)
        boxes = {person: labels[person].box for person in people if person in labels}
        if not boxes:
            continue
        if sum(len(entry) for _, entry in groups[-1]) + len(boxes) > max(size, 1) and groups[-1]:
            groups.append([])
        groups[-1].append((image, boxes))
    return [group for group in groups if group]
