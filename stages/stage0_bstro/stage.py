"""stage0-bstro: what of the people that stage 0 found touches the world."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32

from stages.artifacts import layout
from stages.artifacts.contacts import PersonContact, read_contacts, write_contacts
from stages.artifacts.images import ImageFile, list_images, read_image
from stages.artifacts.masks import TrackSummary, read_labels
from stages.body.model import load_body
from stages.running import (
    InputPaths,
    Processed,
    flag,
    folder,
    model_file,
    stage_command,
    torch_device,
)
from stages.running.device import fetching
from stages.running.model_flags import body_flag, checkpoint_flag
from stages.running.overlap import ahead, behind, started_early
from stages.running.people_stage import PeopleStage, boxes_in, in_batches
from stages.stage0_bstro.checkpoint import load_demo_network, load_official_network
from stages.stage0_bstro.crops import crop
from stages.stage0_bstro.drawing import draw
from stages.stage0_bstro.estimator import ContactEstimator
from stages.stage0_bstro.feet import foot_rule
from stages.stage0_bstro.flags import feet_in_contact
from stages.stage0_bstro.official_data import REGRESSOR, SAMPLER, official_template

CutOut = tuple[ImageFile, dict[int, Float32[np.ndarray, "224 224 3"]]]
Started = Callable[[], list[Float32[torch.Tensor, "n 6890"]]]


def _cut_out(labels: Path, people: list[int], image: ImageFile) -> CutOut:
    boxes = boxes_in(labels, image, people)
    if not boxes:
        return image, {}
    picture = read_image(image.path)
    return image, {person: crop(picture, np.array(box)) for person, box in boxes.items()}


@dataclass(kw_only=True)
class BstroStage(PeopleStage):
    """Find which body vertices touch something and which feet are in contact, in every frame.

    Writes <output-base-dir>/<video>/cam01/00001.pkl ... for everybody in the frame, with or without
    --multihuman; --multihuman --top-k leaves out all but the k largest people.
    """

    contacts_base_dir: Path = folder(
        layout.CONTACTS, "Folder for the contacts.", name="--output-base-dir", is_output=True
    )
    model_checkpoint: Path = checkpoint_flag(  # type: ignore[misc]  # a field here
        "bstro",
        "A BSTRO checkpoint: hsi_hrnet_3dpw_b32_checkpoint_15.bin with mesh_downsampling.npz and "
        "J_regressor_h36m_correct.npy beside it, or one of this project's own.",
    )
    feet_contact_ratio_thr: float = flag(
        0.2, "A foot is in contact if more than this share of its vertices touch."
    )
    contact_thr: float = flag(0.95, "A vertex touches if its probability is above this.")
    foot_segmentation: Path | None = model_file(
        lambda: None,
        "SMPL's smpl_vert_segmentation.json.",
        shown_default="the feet that the body model names",
    )
    body_model: Path = body_flag()

    name = "stage0-bstro"
    network = "BSTRO"

    @property
    def _is_official(self) -> bool:
        return self.model_checkpoint.suffix != ".safetensors"

    def models(self) -> dict[str, Path]:
        files = super().models()
        if self._is_official:
            beside = self.model_checkpoint.parent
            files |= {"mesh_sampler": beside / SAMPLER, "joint_regressor": beside / REGRESSOR}
        return files

    def load(self) -> None:
        body = load_body(self.body_model)
        self.rule = foot_rule(
            body, self.foot_segmentation, self.contact_thr, self.feet_contact_ratio_thr
        )
        if self._is_official:
            template = torch.from_numpy(official_template(self.model_checkpoint.parent, body))
            network = load_official_network(self.model_checkpoint, template)
        else:
            network = load_demo_network(self.model_checkpoint)
        self.estimate = ContactEstimator(
            network, self.people_at_once, torch_device(), self.half_precision
        )

    def process(self, video: str, inputs: InputPaths) -> Processed:
        images, people = list_images(inputs["frames"]), self.people(video, inputs)
        result = self.result_folder(video)
        for old in result.glob("*.pkl"):
            old.unlink()
        in_contact = np.zeros(2, int)
        detections = 0
        every = ahead(partial(_cut_out, inputs["labels"], people), images, self.read_ahead)
        batches = in_batches(every, self.people_at_once)
        with behind(write_contacts) as write:
            for batch, started in started_early(self._start, batches):
                rows = iter(self._contacts(started))
                for image, crops in batch:
                    contacts = {person: next(rows) for person in crops}
                    write(result, image.name, contacts)
                    for contact in contacts.values():
                        in_contact += (contact.left_foot, contact.right_foot)
                    detections += len(contacts)
        share = 100 * in_contact / max(detections, 1)
        return Processed(
            f"{detections} detections of {len(people)} people in {len(images)} frames, "
            f"left foot in contact in {share[0]:.0f} %, right in {share[1]:.0f} %"
        )

    def draw(self, video: str, inputs: InputPaths) -> None:
        result = self.result_folder(video)
        for image in list_images(inputs["frames"]):
            boxes = read_labels(inputs["labels"].parent, image.name)
            contacts = read_contacts(result, image.name) or {}
            both = {p: (boxes[p].box, contacts[p]) for p in contacts if p in boxes}
            picture = result / "vis" / f"{image.name}.jpg"
            draw(picture, read_image(image.path), both, self.contact_thr)

    def followed(self, video: str, summary: TrackSummary, everybody: bool = True) -> list[int]:
        """Everybody, as the original has it; only an explicit top k leaves people out."""
        return super().followed(video, summary, everybody)

    def decided(self, video: str) -> dict[str, Any]:
        return super().decided(video) if self.top_k else {}

    def _start(self, batch: list[CutOut]) -> Started:
        crops = [crop for _, people in batch for crop in people.values()]
        return fetching([self.estimate.start(np.stack(crops))] if crops else [])

    def _contacts(self, started: Started) -> list[PersonContact]:
        found = started()
        if not found:
            return []
        probability = self.checked(found[0].numpy())
        flags = feet_in_contact(probability, self.rule)
        return [
            PersonContact(vertices[:, None], bool(left), bool(right))
            for vertices, (left, right) in zip(probability, flags, strict=True)
        ]


main = stage_command(BstroStage)
