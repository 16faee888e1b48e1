"""stage0-bstro: what of the people that stage0-sam2 found touches the world."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stages.artifacts import layout
from stages.artifacts.contacts import PersonContact, write_contacts
from stages.artifacts.images import ImageFile, list_images, read_image
from stages.artifacts.masks import (
    Box,
    TrackSummary,
    choose_people,
    read_labels,
    read_summary,
    summary_path,
)
from stages.body import load_body
from stages.running import Input, Stage, VideoError
from stages.stage0_bstro.checkpoint import load_demo_network, load_official_network
from stages.stage0_bstro.crops import crop
from stages.stage0_bstro.drawing import draw
from stages.stage0_bstro.estimator import ContactEstimator
from stages.stage0_bstro.feet import foot_rule
from stages.stage0_bstro.flags import feet_in_contact
from stages.stage0_bstro.official_data import REGRESSOR, SAMPLER, official_template
from stages.weights.manifest import is_demo

Frame = tuple[ImageFile, dict[int, Box]]


@dataclass
class BstroStage(Stage):
    """Estimates contact."""

    video_base_dir: Path
    contacts_base_dir: Path
    bbox_base_dir: Path
    checkpoint: Path
    body_model: Path
    """Feet, and the template of the official network."""
    foot_segmentation: Path | None
    multihuman: bool
    top_k: int
    batch_size: int
    feet_contact_ratio_thr: float
    contact_thr: float
    vis: bool

    name = "stage0-bstro"

    @property
    def output_base_dir(self) -> Path:
        return self.contacts_base_dir

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
        return [self._folder(self.contacts_base_dir, video)]

    def parameters(self) -> dict[str, Any]:
        # The size of a batch does not change the result.
        return {
            "multihuman": self.multihuman,
            "top_k": self.top_k,
            "feet_contact_ratio_thr": self.feet_contact_ratio_thr,
            "contact_thr": self.contact_thr,
            "foot_segmentation": str(self.foot_segmentation or ""),
            "vis": self.vis,
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

    def notice(self) -> str:
        known = "; these demo weights know only the demo's rendered people"
        return f"BSTRO, weights {self.checkpoint}" + (known if is_demo(self.checkpoint) else "")

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
        images = list_images(self._folder(self.video_base_dir, video))
        masks = self._folder(self.bbox_base_dir, video)
        people = self._people(read_summary(masks))
        if not people:
            raise VideoError(
                f"{video} has no people; if some are to be seen, run stage0-sam2 with another "
                "--text or other weights"
            )
        folder = self._folder(self.contacts_base_dir, video)
        for old in folder.glob("*.pkl"):
            old.unlink()
        standing = np.zeros(2, int)
        detections = 0
        for group in _groups(images, masks, people, max(self.batch_size, 1)):
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

    def _people(self, summary: TrackSummary) -> list[int]:
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


def _groups(
    images: list[ImageFile], masks: Path, people: list[int], size: int
) -> Iterator[list[Frame]]:
    """All frames with the boxes of the people in them, grouped so that a group fills a batch."""
    group: list[Frame] = []
    for image in images:
        labels = read_labels(masks, image.name)
        boxes = {person: labels[person].box for person in people if person in labels}
        if group and sum(len(b) for _, b in group) + len(boxes) > size:
            yield group
            group = []
        group.append((image, boxes))
    if group:
        yield group
