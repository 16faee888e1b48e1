"""stage0-vimo: SMPL rotations and shape of the people that stage 0 found."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import UInt8

from stages.artifacts import layout
from stages.artifacts.bodies import PersonBody, read_bodies, write_bodies
from stages.artifacts.images import ImageFile, list_images, read_image
from stages.artifacts.masks import read_labels
from stages.body.model import load_body
from stages.running import (
    InputPaths,
    Processed,
    VideoError,
    folder,
    stage_command,
    torch_device,
)
from stages.running.model_flags import body_flag, checkpoint_flag
from stages.running.overlap import ahead, behind
from stages.running.people_stage import PeopleStage, boxes_in
from stages.stage0_vimo.checkpoint import load_network
from stages.stage0_vimo.crops import crop, crop_geometry
from stages.stage0_vimo.drawing import draw
from stages.stage0_vimo.estimator import BodyEstimator
from stages.stage0_vimo.network.config import WINDOW
from stages.stage0_vimo.tracks import Run, runs_of


@dataclass(kw_only=True)
class VimoStage(PeopleStage):
    """Find SMPL rotations and shape of the people in every frame.

    Writes <output-base-dir>/<video>/cam01/smpl_params_00001.pkl ...; a frame without the person has
    no file. Without --multihuman, only the person with the largest total box area is followed. The
    body model is used for the pictures of --vis alone.
    """

    bodies_base_dir: Path = folder(
        layout.BODIES, "Folder for the bodies.", name="--output-base-dir", is_output=True
    )
    model_checkpoint: Path = checkpoint_flag(  # type: ignore[misc]  # a field here
        "vimo", "A VIMO checkpoint: vimo_checkpoint.pth.tar, or one of this project's own."
    )
    body_model: Path = body_flag()

    name = "stage0-vimo"
    network = "VIMO"

    def models(self) -> dict[str, Path]:
        return {"model_checkpoint": self.model_checkpoint}

    def load(self) -> None:
        network = load_network(self.model_checkpoint)
        self.estimate = BodyEstimator(
            network, self.people_at_once, torch_device(), self.half_precision
        )

    def process(self, video: str, inputs: InputPaths) -> Processed:
        images, people = list_images(inputs["frames"]), self.people(video, inputs)
        seen = list(
            ahead(lambda image: boxes_in(inputs["labels"], image, people), images, len(images))
        )
        bodies: list[dict[int, PersonBody]] = [{} for _ in images]
        result = self.result_folder(video)
        for old in result.glob("smpl_params_*.pkl"):
            old.unlink()
        stretched = 0
        with behind(write_bodies) as write:
            for person in people:
                boxes = {at: boxes[person] for at, boxes in enumerate(seen) if person in boxes}
                for run in runs_of(boxes):
                    stretched += len(run.frames) < WINDOW
                    for at, body in self._estimate_run(images, run):
                        bodies[at][person] = body
                        if len(bodies[at]) == len(seen[at]):
                            write(result, images[at].number, bodies[at])
        note = f"{sum(map(len, bodies))} bodies of {len(people)} people in {len(images)} frames"
        if stretched:
            note += f"; {stretched} stretches under {WINDOW} frames were padded"
        return Processed(note)

    def _estimate_run(self, images: list[ImageFile], run: Run) -> Iterator[tuple[int, PersonBody]]:
        """Places in the frame list, and the body there."""
        where = crop_geometry(run.boxes_xyxy)
        height, width = read_image(images[0].path).shape[:2]

        def cut_out(place: int) -> UInt8[torch.Tensor, "256 256 3"]:
            path = images[run.frames[place]].path
            picture = read_image(path)
            if picture.shape[:2] != (height, width):
                raise VideoError(
                    f"{path} is {picture.shape[1]}x{picture.shape[0]} but the first frame is "
                    f"{width}x{height}; extract the frames again by stage0-frames"
                )
            return crop(picture, where.center_px[place], where.size_px[place], self.estimate.device)

        crops = ahead(cut_out, range(len(run.frames)), self.read_ahead)
        coming = iter(run.frames.tolist())
        for found in self.estimate(crops, where, (height, width)):
            self.checked(found.rotmat)
            for rotmat, betas in zip(found.rotmat, found.betas, strict=True):
                yield next(coming), PersonBody(rotmat[:1], rotmat[1:], betas)

    def draw(self, video: str, inputs: InputPaths) -> None:
        body, result = load_body(self.body_model), self.result_folder(video)
        for image in list_images(inputs["frames"]):
            boxes = {p: label.box for p, label in _labels(inputs, image).items()}
            picture = result / "vis" / f"smpl_params_{image.number:05d}.jpg"
            draw(picture, read_image(image.path), body, read_bodies(result, image.number), boxes)


def _labels(inputs: InputPaths, image: ImageFile) -> dict:
    return read_labels(inputs["labels"].parent, image.name)


main = stage_command(VimoStage)
