"""stage0-sam2: masks, boxes and ids of the people in every frame."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stages.artifacts import layout
from stages.artifacts.images import list_images, read_image
from stages.artifacts.masks import (
    PersonLabel,
    summarise,
    summary_path,
    write_frame,
    write_summary,
)
from stages.running import Input, Stage
from stages.stage0_sam2.detector import PersonDetector
from stages.stage0_sam2.drawing import draw, write_video
from stages.stage0_sam2.tracker import Tracker
from stages.weights.demo import is_demo
from stages.weights.grounding_dino import load_grounding_dino
from stages.weights.sam2 import load_sam2


@dataclass
class Sam2Stage(Stage):
    """Segments people."""

    video_base_dir: Path
    masks_base_dir: Path
    text: str
    dino_checkpoint: Path
    sam2_checkpoint: Path
    vis: bool

    name = "stage0-sam2"

    @property
    def output_base_dir(self) -> Path:
        return self.masks_base_dir

    def inputs(self, video: str) -> list[Input]:
        return [Input(self.video_base_dir / video / layout.CAMERA, "stage0-frames")]

    def outputs(self, video: str) -> list[Path]:
        folder = self.masks_base_dir / video / layout.CAMERA
        return [summary_path(folder), folder / "mask_data", folder / "json_data"]

    def parameters(self) -> dict[str, Any]:
        return {"text": self.text, "vis": self.vis}

    def weights(self) -> dict[str, Path]:
        return {"grounding-dino": self.dino_checkpoint, "sam2": self.sam2_checkpoint}

    def notice(self) -> str:
        line = f"Grounding DINO {self.dino_checkpoint}, SAM 2 {self.sam2_checkpoint}"
        if is_demo(self.dino_checkpoint) or is_demo(self.sam2_checkpoint):
            line += "; these demo weights know only the demo's rendered people"
        return line

    def load(self) -> None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
        self.detector = PersonDetector(load_grounding_dino(self.dino_checkpoint, device), self.text)
        self.predictor = load_sam2(self.sam2_checkpoint, device)

    def process(self, video: str) -> str:
        images = list_images(self.video_base_dir / video / layout.CAMERA)
        folder = self.masks_base_dir / video / layout.CAMERA
        for part in ("mask_data", "json_data", "result"):
            shutil.rmtree(folder / part, ignore_errors=True)
        tracker = Tracker(self.predictor, self.detector, images)
        labels: list[dict[int, PersonLabel]] = []
        for segment in tracker.run():
            for offset, ids in enumerate(segment.ids):
                image = images[segment.start + offset]
                scores = {
                    person: tracker.scores[person] for person in np.unique(ids[ids > 0]).tolist()
                }
                labels.append(write_frame(folder, image.name, ids, scores))
                if self.vis:
                    draw(folder / "result" / f"{image.name}.jpg", read_image(image.path), ids)
        summary = summarise(labels)
        write_summary(folder, summary)
        if self.vis:
            pictures = [folder / "result" / f"{image.name}.jpg" for image in images]
            write_video(folder / "sam2_output.mp4", pictures)
        seen = sum(bool(frame) for frame in labels)
        people = len(summary.all_instance_ids)
        return f"{people} people, somebody in {seen} of {len(images)} frames"
