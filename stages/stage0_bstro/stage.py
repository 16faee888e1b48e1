"""stage0-bstro: what of the people that stage0-sam2 found touches the world."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stages.artifacts.contacts import PersonContact, write_contacts
from stages.artifacts.images import list_images, read_image
from stages.artifacts.masks import TrackSummary, choose_people
from stages.body.model import load_body
from stages.running.people_stage import Frame, PeopleStage, in_batches
from stages.stage0_bstro.checkpoint import load_demo_network, load_official_network
from stages.stage0_bstro.crops import crop
from stages.stage0_bstro.drawing import draw
from stages.stage0_bstro.estimator import ContactEstimator
from stages.stage0_bstro.feet import foot_rule
from stages.stage0_bstro.flags import feet_in_contact
from stages.stage0_bstro.official_data import REGRESSOR, SAMPLER, official_template


@dataclass
class BstroStage(PeopleStage):
    """Estimates contact."""

    body_model: Path
    """Feet, and the template of the official network."""
    foot_segmentation: Path | None
    feet_contact_ratio_thr: float
    contact_thr: float

    name = "stage0-bstro"
    network = "BSTRO"

    def parameters(self) -> dict[str, Any]:
        return super().parameters() | {
            "feet_contact_ratio_thr": self.feet_contact_ratio_thr,
            "contact_thr": self.contact_thr,
            "foot_segmentation": str(self.foot_segmentation or ""),
        }

    @property
    def _is_official(self) -> bool:
        return self.checkpoint.suffix != ".safetensors"

    def weights(self) -> dict[str, Path]:
        files = {"bstro": self.checkpoint, "body": self.body_model}
        if self._is_official:
            beside = self.checkpoint.parent
            files |= {"mesh_sampler": beside / SAMPLER, "joint_regressor": beside / REGRESSOR}
        return files

    def load(self) -> None:
        body = load_body(self.body_model)
        self.rule = foot_rule(
            body, self.foot_segmentation, self.contact_thr, self.feet_contact_ratio_thr
        )
        if self._is_official:
            template = torch.from_numpy(official_template(self.checkpoint.parent, body))
            network = load_official_network(self.checkpoint, template)
        else:
            network = load_demo_network(self.checkpoint)
        device = "cuda" if torch.cuda.is_available() else "cpu"
        self.estimate = ContactEstimator(network, device)

    def process(self, video: str) -> str:
        images = list_images(self.pictures_folder(video))
        people = self.people(video)
        folder = self.result_folder(video)
        for old in folder.glob("*.pkl"):
            old.unlink()
        standing = np.zeros(2, int)
        detections = 0
        for group in in_batches(self.frames(video, images, people), self.batch_size):
            found = self._contacts(group)
            for (image, boxes), contacts in zip(group, found, strict=True):
                write_contacts(folder, image.name, contacts)
                if self.vis:
                    both = {person: (boxes[person], contacts[person]) for person in contacts}
                    picture = folder / "vis" / f"{image.name}.jpg"
                    draw(picture, read_image(image.path), both, self.contact_thr)
                for contact in contacts.values():
                    standing += (contact.left_foot, contact.right_foot)
                detections += len(contacts)
        share = 100 * standing / max(detections, 1)
        return (
            f"{detections} detections of {len(people)} people in {len(images)} frames, "
            f"left foot stands in {share[0]:.0f} %, right in {share[1]:.0f} %"
        )

    def choose(self, summary: TrackSummary) -> list[int]:
        """Everybody, as the original has it; only an explicit top k leaves people out."""
        return choose_people(summary, True, self.top_k if self.multihuman else 0)

    def _contacts(self, group: list[Frame]) -> list[dict[int, PersonContact]]:
        crops = []
        for image, boxes in group:
            if boxes:
                picture = read_image(image.path)
                crops += [crop(picture, np.array(box)) for box in boxes.values()]
        if not crops:
            return [{} for _ in group]
        probability = self.estimate(np.stack(crops))
        flags = feet_in_contact(probability, self.rule)
        rows = iter(zip(probability, flags, strict=True))
        return [
            {
                person: PersonContact(vertices[:, None], bool(left), bool(right))
                for person, (vertices, (left, right)) in zip(boxes, rows, strict=False)
            }
            for _, boxes in group
        ]
