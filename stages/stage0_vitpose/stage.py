"""stage0-vitpose: keypoints of the people that stage0-sam2 found."""

from pathlib import Path

import numpy as np
import torch

from stages.artifacts.images import list_images, read_image
from stages.artifacts.keypoints import PersonKeypoints, write_keypoints
from stages.running.people_stage import Frame, PeopleStage, in_batches
from stages.stage0_vitpose.drawing import draw
from stages.stage0_vitpose.estimator import KeypointEstimator
from stages.weights.vitpose import load_vitpose


class VitposeStage(PeopleStage):
    """Estimates keypoints."""

    name = "stage0-vitpose"
    network = "ViTPose"

    def weights(self) -> dict[str, Path]:
        return {"vitpose": self.checkpoint}

    def load(self) -> None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
        self.estimator = KeypointEstimator(load_vitpose(self.checkpoint, device), self.batch_size)

    def process(self, video: str) -> str:
        images = list_images(self.pictures_folder(video))
        people = self.people(video)
        folder = self.result_folder(video)
        for old in folder.glob("pose_*.json"):
            old.unlink()
        frames, detections = 0, 0
        seen = (frame for frame in self.frames(video, images, people) if frame[1])
        for batch in in_batches(seen, self.batch_size):
            self._write(folder, batch)
            frames += len(batch)
            detections += sum(len(boxes) for _, boxes in batch)
        return f"{detections} detections of {len(people)} people in {frames} frames"

    def _write(self, folder: Path, batch: list[Frame]) -> None:
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
