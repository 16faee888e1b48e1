"""stage0-vitpose: keypoints of the people that stage 0 found."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stages.artifacts import layout
from stages.artifacts.images import list_images, read_image
from stages.artifacts.keypoints import PersonKeypoints, read_keypoints, write_keypoints
from stages.artifacts.masks import TrackSummary, box_area_px, choose_people
from stages.running import InputPaths, Processed, folder, stage_command, torch_device
from stages.running.model_flags import checkpoint_flag
from stages.running.people_stage import Frame, PeopleStage, frames_with_boxes, in_batches
from stages.stage0_vitpose.drawing import draw
from stages.stage0_vitpose.estimator import KeypointEstimator
from stages.weights.vitpose import load_vitpose


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
        self.estimator = KeypointEstimator(network, self.batch_size)

    def process(self, video: str, inputs: InputPaths) -> Processed:
        images, people = list_images(inputs["frames"]), self.people(video, inputs)
        result = self.result_folder(video)
        for old in result.glob("pose_*.json"):
            old.unlink()
        frames, detections, found = 0, 0, set[int]()
        every = map(self._largest, frames_with_boxes(inputs["labels"], images, people))
        for batch in in_batches((frame for frame in every if frame[1]), self.batch_size):
            self._write(result, batch)
            frames += len(batch)
            detections += sum(len(boxes) for _, boxes in batch)
            found.update(person for _, boxes in batch for person in boxes)
        return Processed(f"{detections} detections of {len(found)} people in {frames} frames")

    def choose(self, summary: TrackSummary) -> list[int]:
        """Everybody, or the person with the largest total box area."""
        return choose_people(summary, self.multihuman, top_k=0)

    def _largest(self, frame: Frame) -> Frame:
        """Of a frame the people whom it shows largest: as in the original, perhaps others in every
        frame."""
        image, boxes = frame
        if not self.top_k:
            return frame
        by_area = sorted(boxes, key=lambda person: -box_area_px(boxes[person]))
        return image, {person: boxes[person] for person in by_area[: self.top_k]}

    def _write(self, result: Path, batch: list[Frame]) -> None:
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
            write_keypoints(result, image.number, people)

    def draw(self, video: str, inputs: InputPaths) -> None:
        result = self.result_folder(video)
        for image in list_images(inputs["frames"]):
            picture = result / "vis" / f"pose_{image.number:05d}.jpg"
            draw(picture, read_image(image.path), read_keypoints(result, image.number))


main = stage_command(VitposeStage)
