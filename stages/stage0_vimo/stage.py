"""stage0-vimo: SMPL rotations and shape of the people that stage0-sam2 found."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from stages.artifacts import layout
from stages.artifacts.bodies import PersonBody, write_bodies
from stages.artifacts.images import ImageFile, list_images, read_image
from stages.artifacts.masks import choose_people, read_labels, read_summary, summary_path
from stages.body import BodyModel, load_body
from stages.running import Input, Stage, VideoError
from stages.stage0_vimo.checkpoint import load_network
from stages.stage0_vimo.crops import crop, crop_geometry
from stages.stage0_vimo.drawing import draw, project_joints
from stages.stage0_vimo.estimator import BodyEstimator, RunBodies
from stages.stage0_vimo.network.config import WINDOW
from stages.stage0_vimo.tracks import Run, runs_of
from stages.weights.manifest import is_demo


@dataclass
class VimoStage(Stage):
    """Estimates bodies."""

    video_base_dir: Path
    bodies_base_dir: Path
    bbox_base_dir: Path
    checkpoint: Path
    body_model: Path
    """Only for the pictures of `vis`."""
    multihuman: bool
    top_k: int
    batch_size: int
    vis: bool

    name = "stage0-vimo"

    @property
    def output_base_dir(self) -> Path:
        return self.bodies_base_dir

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
        return [self._folder(self.bodies_base_dir, video)]

    def parameters(self) -> dict[str, Any]:
        # The size of a batch does not change the result.
        return {"multihuman": self.multihuman, "top_k": self.top_k, "vis": self.vis}

    def weights(self) -> dict[str, Path]:
        return {"vimo": self.checkpoint}

    def notice(self) -> str:
        known = "; these demo weights know only the demo's rendered people"
        return f"VIMO, weights {self.checkpoint}" + (known if is_demo(self.checkpoint) else "")

    def load(self) -> None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
        self.estimate = BodyEstimator(load_network(self.checkpoint), self.batch_size, device)
        self.body = load_body(self.body_model) if self.vis else None

    def process(self, video: str) -> str:
        images = list_images(self._folder(self.video_base_dir, video))
        masks = self._folder(self.bbox_base_dir, video)
        people = choose_people(read_summary(masks), self.multihuman, self.top_k)
        labels = [read_labels(masks, image.name) for image in images]
        bodies: list[dict[int, PersonBody]] = [{} for _ in images]
        skeletons: list[dict[int, np.ndarray]] = [{} for _ in images]
        stretched = 0
        for person in people:
            boxes = {at: seen[person].box for at, seen in enumerate(labels) if person in seen}
            for run in runs_of(boxes):
                stretched += len(run.frames) < WINDOW
                found, size = self._estimate_run(images, run)
                for place, at in enumerate(run.frames):
                    bodies[at][person] = _record(found, place)
                    if self.body is not None:
                        skeletons[at][person] = _skeleton(self.body, found, place, size)
        if not any(bodies):
            raise VideoError(
                f"{video} has no people; if some are to be seen, run stage0-sam2 with another "
                "--text or other weights"
            )
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
        folder = self._folder(self.bodies_base_dir, video)
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
