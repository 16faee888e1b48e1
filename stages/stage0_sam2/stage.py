"""stage0-sam2: masks, boxes and ids of the people in every frame."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import UInt16

from stages.artifacts import layout
from stages.artifacts.atomic import clear
from stages.artifacts.clock import read_clock
from stages.artifacts.images import ImageFile, list_images, read_image
from stages.artifacts.masks import (
    LABELS,
    MASKS,
    PersonLabel,
    label_path,
    mask_path,
    read_mask,
    summarise,
    summary_path,
    write_frame,
    write_summary,
)
from stages.artifacts.soundness import lacking
from stages.running import (
    Input,
    InputPaths,
    Processed,
    Stage,
    flag,
    folder,
    folders_with_frames,
    stage_command,
    torch_device,
)
from stages.running.inputs import clock, frames
from stages.running.model_flags import checkpoint_flag
from stages.running.overlap import CALLS_WAITING, ahead
from stages.stage0_sam2.detector import PersonDetector
from stages.stage0_sam2.drawing import draw, write_video
from stages.stage0_sam2.looks import look_at, look_step, looks
from stages.stage0_sam2.network import Sam2
from stages.stage0_sam2.pictures import Pictures
from stages.stage0_sam2.tracker import Tracker
from stages.weights.grounding_dino import load_grounding_dino
from stages.weights.locate import is_demo
from stages.weights.precision import half_of
from stages.weights.sam2 import load_sam2

Frame = tuple[ImageFile, UInt16[np.ndarray, "H W"]]


@dataclass(kw_only=True)
class Sam2Stage(Stage):
    """Find people and follow them: a mask, a box and an id for everybody in every frame.

    Writes mask_data/, json_data/ and meta_data.json to <output-base-dir>/<video>/cam01. Memory does
    not grow with the length of the video.
    """

    video_base_dir: Path = folder(layout.IMAGES, "Folder of frames.")
    masks_base_dir: Path = folder(
        layout.MASKS,
        "Folder for masks, boxes and ids.",
        name="--output-base-dir",
        is_output=True,
    )
    text: str = flag("person.", "What to look for.")
    dino_checkpoint: Path = checkpoint_flag(
        "grounding_dino",
        "A Grounding DINO folder in the transformers layout.",
        "--dino-checkpoint",
    )
    sam2_checkpoint: Path = checkpoint_flag(
        "sam2", "An official sam2.1_hiera_*.pt.", "--sam2-checkpoint"
    )
    half: bool = flag(True, "Half precision on GPUs, where the results bear it.")

    name = "stage0-sam2"

    @property
    def source_folder(self) -> Path:
        return self.video_base_dir

    def videos_with_input(self) -> list[str]:
        return folders_with_frames(self.video_base_dir)

    def inputs(self, video: str) -> list[Input]:
        return [frames(self.video_base_dir, video), clock(self.video_base_dir, video)]

    def result_folder(self, video: str) -> Path:
        return self.masks_base_dir / video / layout.CAMERA

    def outputs(self, video: str) -> list[Path]:
        result = self.result_folder(video)
        return [summary_path(result), result / MASKS, result / LABELS]

    def lacks(self, video: str) -> str:
        images = list_images(self.video_base_dir / video / layout.CAMERA)
        result = self.result_folder(video)
        whole = [
            image
            for image in images
            if mask_path(result, image.name).exists() and label_path(result, image.name).exists()
        ]
        return lacking(len(whole), len(images), "frames")

    def notice(self) -> str:
        line = f"Grounding DINO {self.dino_checkpoint}, SAM 2 {self.sam2_checkpoint}"
        if is_demo(self.dino_checkpoint) or is_demo(self.sam2_checkpoint):
            line += "; these demo weights know only the demo's rendered people"
        return line

    def load(self) -> None:
        device = torch_device()
        self.detector = PersonDetector(load_grounding_dino(self.dino_checkpoint, device), self.text)
        self.sam2 = Sam2(load_sam2(self.sam2_checkpoint, device), self.half_precision)

    @property
    def half_precision(self) -> torch.dtype | None:
        """In which SAM 2 multiplies; None for float32."""
        return half_of("sam2", torch_device()) if self.half else None

    def process(self, video: str, inputs: InputPaths) -> Processed:
        images, result = list_images(inputs["frames"]), self.result_folder(video)
        for part in (MASKS, LABELS, "result"):
            clear(result / part)
        pictures = Pictures(self.sam2, images)
        numbers = np.array([image.number for image in images])
        step = look_step(read_clock(inputs.get("clock")).times_s(numbers))
        tracker = Tracker(
            pictures,
            looks(self.detector, images, step),
            step,
            lambda frame: look_at(self.detector, images[frame]),
        )

        def frames() -> Iterator[Frame]:
            for segment in tracker.run():
                yield from zip(images[segment.start :], segment.ids)  # noqa: B905 # all its frames

        def write(frame: Frame) -> dict[int, PersonLabel]:
            image, ids = frame
            scores = {person: tracker.scores[person] for person in people_in(ids)}
            return write_frame(result, image.name, ids, scores)

        labels = list(ahead(write, frames(), CALLS_WAITING))
        summary = summarise(labels)
        write_summary(result, summary)
        seen = sum(bool(frame) for frame in labels)
        people = len(summary.all_instance_ids)
        return Processed(f"{people} people, somebody in {seen} of {len(images)} frames")

    def draw(self, video: str, inputs: InputPaths) -> None:
        images, result = list_images(inputs["frames"]), self.result_folder(video)
        pictures = [result / "result" / f"{image.name}.jpg" for image in images]
        for image, picture in zip(images, pictures, strict=True):
            draw(picture, read_image(image.path), read_mask(result, image.name))
        write_video(result / "sam2_output.mp4", pictures)


def people_in(ids: UInt16[np.ndarray, "H W"]) -> list[int]:
    """Who is to be seen in a map of ids."""
    counts = cv2.calcHist([ids], [0], None, [ids.max() + 1], [0, float(ids.max()) + 1])
    return [int(person) for person in np.flatnonzero(counts) if person]


main = stage_command(Sam2Stage)
