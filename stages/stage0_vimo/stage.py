"""stage0-vimo: SMPL rotations and shape of the people that stage0-sam2 found."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float

from stages.artifacts.bodies import PersonBody, write_bodies
from stages.artifacts.images import ImageFile, list_images, read_image
from stages.body.model import BodyModel, load_body
from stages.running import VideoError
from stages.running.people_stage import PeopleStage
from stages.stage0_vimo.checkpoint import load_network
from stages.stage0_vimo.crops import crop, crop_geometry
from stages.stage0_vimo.drawing import draw, project_joints
from stages.stage0_vimo.estimator import BodyEstimator, RunBodies
from stages.stage0_vimo.network.config import WINDOW
from stages.stage0_vimo.tracks import Run, runs_of


@dataclass
class VimoStage(PeopleStage):
    """Estimates bodies."""

    body_model: Path
    """Only for the pictures of `vis`."""

    name = "stage0-vimo"
    network = "VIMO"

    def weights(self) -> dict[str, Path]:
        return {"vimo": self.checkpoint}

    def load(self) -> None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
        self.estimate = BodyEstimator(load_network(self.checkpoint), self.batch_size, device)
        self.body = load_body(self.body_model) if self.vis else None

    def process(self, video: str) -> str:
        images = list_images(self.pictures_folder(video))
        people = self.people(video)
        seen = [boxes for _, boxes in self.frames(video, images, people)]
        bodies: list[dict[int, PersonBody]] = [{} for _ in images]
        skeletons: list[dict[int, np.ndarray]] = [{} for _ in images]
        stretched = 0
        for person in people:
            boxes = {at: boxes[person] for at, boxes in enumerate(seen) if person in boxes}
            for run in runs_of(boxes):
                stretched += len(run.frames) < WINDOW
                found, size = self._estimate_run(images, run)
                for place, at in enumerate(run.frames):
                    bodies[at][person] = _record(found, place)
                    if self.body is not None:
                        skeletons[at][person] = _skeleton(self.body, found, place, size)
        self._write(video, images, bodies, skeletons)
        note = f"{sum(map(len, bodies))} bodies of {len(people)} people in {len(images)} frames"
        if stretched:
            note += f"; {stretched} stretches under {WINDOW} frames were padded"
        return note

    def _estimate_run(self, images: list[ImageFile], run: Run) -> tuple[RunBodies, tuple[int, int]]:
        where = crop_geometry(run.boxes_xyxy)
        crops, sizes = [], []
        for place, at in enumerate(run.frames):
            picture = read_image(images[at].path)
            sizes.append((picture.shape[0], picture.shape[1]))
            crops.append(crop(picture, where.center_px[place], where.size_px[place]))
        if len(set(sizes)) > 1:
            raise VideoError(
                f"{images[0].path.parent} mixes frames of {len(set(sizes))} sizes; extract again"
            )
        return self.estimate(np.stack(crops), where, sizes[0]), sizes[0]

    def _write(
        self,
        video: str,
        images: list[ImageFile],
        bodies: list[dict[int, PersonBody]],
        skeletons: list[dict[int, np.ndarray]],
    ) -> None:
        folder = self.result_folder(video)
        for old in folder.glob("smpl_params_*.pkl"):
            old.unlink()
        for image, people, bones in zip(images, bodies, skeletons, strict=True):
            if people:
                write_bodies(folder, image.number, people)
            if self.body is not None:
                picture = folder / "vis" / f"smpl_params_{image.number:05d}.jpg"
                draw(picture, read_image(image.path), bones, self.body)


def _record(found: RunBodies, place: int) -> PersonBody:
    rotmat = found.rotmat[place]
    return PersonBody(rotmat[:1], rotmat[1:], found.betas[place])


def _skeleton(
    body: BodyModel, found: RunBodies, place: int, size: tuple[int, int]
) -> Float[np.ndarray, "24 2"]:
    return project_joints(
        body, found.rotmat[place], found.betas[place], found.translation_m[place], size
    )
