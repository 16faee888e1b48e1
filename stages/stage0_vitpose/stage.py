"""stage0-vitpose: keypoints of the people that stage 0 found."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8

from stages.artifacts import layout
from stages.artifacts.images import ImageFile, list_images, read_image
from stages.artifacts.keypoints import PersonKeypoints, read_keypoints, write_keypoints
from stages.artifacts.masks import Box, box_area_px
from stages.running import InputPaths, Processed, folder, stage_command, torch_device
from stages.running.device import fetching
from stages.running.model_flags import checkpoint_flag
from stages.running.overlap import ahead, behind, started_early
from stages.running.people_stage import PeopleStage, boxes_in, in_batches
from stages.stage0_vitpose.crops import Crop, crop_of_box, cut
from stages.stage0_vitpose.drawing import draw
from stages.stage0_vitpose.estimator import KeypointEstimator, in_image
from stages.weights.vitpose import load_vitpose


@dataclass(frozen=True)
class PersonPicture:
    """What the network sees of somebody."""

    box: Box
    crop: Crop
    pixels: UInt8[np.ndarray, "256 192 3"]


CutOut = tuple[ImageFile, dict[int, PersonPicture]]


def _cut_out(labels: Path, people: list[int], most: int, image: ImageFile) -> CutOut:
    """Of a frame the `most` people whom it shows largest, perhaps others in every frame; 0: all."""
    boxes = boxes_in(labels, image, people)
    if not boxes:
        return image, {}
    if most:
        by_area = sorted(boxes, key=lambda person: -box_area_px(boxes[person]))
        boxes = {person: boxes[person] for person in by_area[:most]}
    picture = read_image(image.path)
    crops = {person: crop_of_box(box) for person, box in boxes.items()}
    return image, {
        person: PersonPicture(boxes[person], crop, cut(picture, crop))
        for person, crop in crops.items()
    }


@dataclass(kw_only=True)
class VitposeStage(PeopleStage):
    """Find 133 keypoints (body, feet, face, hands) of the people in every frame.

    Writes <output-base-dir>/<video>/cam01/pose_00001.json ...; a frame without the person has no
    file. Without --multihuman, only the person with the largest total box area is followed; --top-k
    takes the k largest people of each frame.
    """

    keypoints_base_dir: Path = folder(
        layout.KEYPOINTS, "Folder for the keypoints.", name="--output-base-dir", is_output=True
    )
    model_checkpoint: Path = checkpoint_flag(  # type: ignore[misc]  # a field here
        "vitpose", "A whole-body ViTPose checkpoint: vitpose_huge_wholebody.pth or a smaller one."
    )

    name = "stage0-vitpose"
    network = "ViTPose"

    def load(self) -> None:
        network = load_vitpose(self.model_checkpoint, torch_device())
        self.estimator = KeypointEstimator(network, self.people_at_once, self.half_precision)

    def process(self, video: str, inputs: InputPaths) -> Processed:
        images, people = list_images(inputs["frames"]), self.people(video, inputs)
        result = self.result_folder(video)
        for old in result.glob("pose_*.json"):
            old.unlink()
        frames, detections, seen = 0, 0, set[int]()
        cut_out = partial(_cut_out, inputs["labels"], people, self.top_k)
        every = ahead(cut_out, images, self.read_ahead)
        batches = in_batches((frame for frame in every if frame[1]), self.people_at_once)
        with behind(write_keypoints) as write:
            for batch, started in started_early(self._start, batches):
                crops = [each.crop for _, those in batch for each in those.values()]
                found = iter(self.checked(in_image(started()[0], crops)))
                for image, those in batch:
                    keypoints = {
                        person: PersonKeypoints(np.array([*each.box, 1.0], np.float32), next(found))
                        for person, each in those.items()
                    }
                    write(result, image.number, keypoints)
                    seen.update(those)
                frames += len(batch)
                detections += len(crops)
        return Processed(f"{detections} detections of {len(seen)} people in {frames} frames")

    @property
    def most_people(self) -> int:
        """All: of each frame the largest are taken, as in the original."""
        return 0

    def _start(self, batch: list[CutOut]) -> Callable[[], list[Float[torch.Tensor, "N 133 3"]]]:
        pixels = [each.pixels for _, people in batch for each in people.values()]
        return fetching([self.estimator.start(np.stack(pixels))])

    def draw(self, video: str, inputs: InputPaths) -> None:
        result = self.result_folder(video)
        for image in list_images(inputs["frames"]):
            picture = result / "vis" / f"pose_{image.number:05d}.jpg"
            draw(picture, read_image(image.path), read_keypoints(result, image.number))


main = stage_command(VitposeStage)
