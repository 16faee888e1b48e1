"""stage0-blazepose: everything about people, by BlazePose."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from stages.artifacts import layout
from stages.artifacts.atomic import clear
from stages.artifacts.bodies import read_bodies
from stages.artifacts.clock import read_clock
from stages.artifacts.contacts import read_contacts
from stages.artifacts.images import ImageFile, list_images, read_image, write_image
from stages.artifacts.keypoints import read_keypoints
from stages.artifacts.masks import (
    LABELS,
    MASKS,
    PersonLabel,
    read_mask,
    summarise,
    summary_path,
    write_frame,
    write_summary,
)
from stages.blazepose.landmarks import FILE, HEAVY_FILE
from stages.blazepose.networks import Network
from stages.blazepose.sightings import Estimator
from stages.body.model import load_body
from stages.body.shape_fitting import stature_m
from stages.running import (
    ChosenPeople,
    Input,
    InputPaths,
    Processed,
    VideoError,
    flag,
    folder,
    folders_with_frames,
    stage_command,
)
from stages.running.inputs import clock, frames
from stages.running.machine import cores
from stages.running.model_flags import body_flag, fetched_flag
from stages.solving import use_compilation_cache
from stages.stage0_blazepose.background import background_tracks
from stages.stage0_blazepose.detector import PersonDetector
from stages.stage0_blazepose.drawing import draw_body, draw_keypoints, with_masks
from stages.stage0_blazepose.following import Follower
from stages.stage0_blazepose.identities import Person, people_of
from stages.stage0_blazepose.masks import id_map
from stages.stage0_blazepose.results import (
    Track,
    track_of,
    write_all_bodies,
    write_all_contacts,
    write_all_keypoints,
)
from stages.weights.manifest import read_manifest
from stages.weights.remedy import require_whole

DETECTOR = "pose_detection.tflite"
FULL, HEAVY = "full", "heavy"


@dataclass(kw_only=True)
class BlazeposeStage(ChosenPeople):
    """Find real people and follow them: masks, keypoints, bodies and contacts.

    Writes the files of stage0-sam2, stage0-vitpose, stage0-vimo and stage0-bstro. Without
    --multihuman, only the person with the largest total box area gets keypoints, a body and
    contacts.
    """

    video_base_dir: Path = folder(layout.IMAGES, "Folder of frames.")
    bbox_base_dir: Path = folder(layout.MASKS, "Folder for masks, boxes and ids.", is_output=True)
    pose2d_base_dir: Path = folder(layout.KEYPOINTS, "Folder for keypoints.")
    smpl_base_dir: Path = folder(layout.BODIES, "Folder for bodies.")
    contact_base_dir: Path = folder(layout.CONTACTS, "Folder for contacts.")
    landmarks: str = flag(
        FULL,
        "The landmark network: full, or heavy, which is more exact and takes some five times as"
        " long (`make weights CHECKPOINTS=blazepose-heavy` brings it).",
        kind=click.Choice([FULL, HEAVY]),
    )
    model_checkpoint: Path = fetched_flag("blazepose", f"The folder with {DETECTOR} and {FILE}.")
    heavy_checkpoint: Path = fetched_flag(
        "blazepose-heavy", f"The folder with {HEAVY_FILE}.", "--heavy-checkpoint"
    )
    body_model: Path = body_flag()

    name = "stage0-blazepose"

    @property
    def source_folder(self) -> Path:
        return self.video_base_dir

    def videos_with_input(self) -> list[str]:
        return folders_with_frames(self.video_base_dir)

    def inputs(self, video: str) -> list[Input]:
        return [frames(self.video_base_dir, video), clock(self.video_base_dir, video)]

    def outputs(self, video: str) -> list[Path]:
        masks = self.bbox_base_dir / video / layout.CAMERA
        return [
            summary_path(masks),
            masks / MASKS,
            masks / LABELS,
            self.pose2d_base_dir / video / layout.CAMERA,
            self.smpl_base_dir / video / layout.CAMERA,
            self.contact_base_dir / video / layout.CAMERA,
        ]

    def models(self) -> dict[str, Path]:
        files = super().models()
        if self.landmarks != HEAVY:
            files.pop("heavy_checkpoint")
        return files

    def notice(self) -> str:
        folders = [self.model_checkpoint, *[self.heavy_checkpoint] * (self.landmarks == HEAVY)]
        weights = " and ".join(map(str, folders))
        return f"BlazePose, landmarks {self.landmarks}, weights {weights}"

    def load(self) -> None:
        require_whole(read_manifest()["blazepose"], self.model_checkpoint)
        landmarks = self.model_checkpoint / FILE
        if self.landmarks == HEAVY:
            require_whole(read_manifest()["blazepose-heavy"], self.heavy_checkpoint)
            landmarks = self.heavy_checkpoint / HEAVY_FILE
        use_compilation_cache()
        self.threads = int(os.environ.get("OMP_NUM_THREADS") or cores())
        self.detector = PersonDetector(Network(self.model_checkpoint / DETECTOR, self.threads))
        self.body = load_body(self.body_model)
        self.estimator = Estimator(Network(landmarks, self.threads))

    def process(self, video: str, inputs: InputPaths) -> Processed:
        images = list_images(inputs["frames"])
        times_s = read_clock(inputs.get("clock")).times_s(
            np.array([image.number for image in images])
        )
        found = people_of(Follower(self.detector, self.estimator, images, times_s).run(), times_s)
        if not found:
            raise VideoError(f"nobody is to be seen in {video}; take it out of the videos")
        people, size = dict(enumerate(found, 1)), read_image(images[0].path).shape[:2]
        labels = self._write_masks(video, images, people, size)
        summary = summarise(labels)
        followed = self.followed(video, summary)
        ahead = background_tracks(self._pictures_and_people(video, images))
        tracks = {
            person: track_of(people[person], times_s, size, self.body, ahead) for person in followed
        }
        keypoints, bodies, contacts = (
            base / video / layout.CAMERA
            for base in (self.pose2d_base_dir, self.smpl_base_dir, self.contact_base_dir)
        )
        write_all_keypoints(keypoints, images, tracks, labels)
        write_all_bodies(bodies, images, tracks)
        write_all_contacts(contacts, images, tracks, self.body)
        write_summary(self.bbox_base_dir / video / layout.CAMERA, summary)
        return Processed(self._note(len(people), labels, tracks))

    def _note(
        self, people: int, labels: list[dict[int, PersonLabel]], tracks: dict[int, Track]
    ) -> str:
        seen = sum(bool(frame) for frame in labels)
        heights = ", ".join(
            f"{stature_m(self.body, track.body.betas):.2f}" for track in tracks.values()
        )
        return (
            f"{people} people, somebody in {seen} of {len(labels)} frames; height taken for"
            f" {heights} m, a guess: say height_m in the video's notes if you know it"
        )

    def _pictures_and_people(
        self, video: str, images: list[ImageFile]
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        masks = self.bbox_base_dir / video / layout.CAMERA
        for image in images:
            yield read_image(image.path), read_mask(masks, image.name) > 0

    def _write_masks(
        self,
        video: str,
        images: list[ImageFile],
        people: dict[int, Person],
        size: tuple[int, int],
    ) -> list[dict[int, PersonLabel]]:
        result = self.bbox_base_dir / video / layout.CAMERA
        for part in (MASKS, LABELS, "result"):
            clear(result / part)

        def write(frame: int) -> dict[int, PersonLabel]:
            ids = id_map(_in_frame(people, frame), size)
            scores = {person: people[person].score for person in np.unique(ids[ids > 0]).tolist()}
            return write_frame(result, images[frame].name, ids, scores)

        with ThreadPoolExecutor(self.threads) as pool:
            return list(pool.map(write, range(len(images))))

    def draw(self, video: str, inputs: InputPaths) -> None:
        masks, poses, bodies, contacts = (
            base / video / layout.CAMERA
            for base in (
                self.bbox_base_dir,
                self.pose2d_base_dir,
                self.smpl_base_dir,
                self.contact_base_dir,
            )
        )
        body = load_body(self.body_model)
        for image in list_images(inputs["frames"]):
            picture = with_masks(read_image(image.path), read_mask(masks, image.name))
            keypoints = read_keypoints(poses, image.number)
            touching = read_contacts(contacts, image.name) or {}
            for person, found in read_bodies(bodies, image.number).items():
                if person in keypoints:
                    draw_body(picture, found, keypoints[person], body)
                    draw_keypoints(picture, keypoints[person], touching.get(person))
            write_image(masks / "result" / f"{image.name}.jpg", picture)


def _in_frame(people: dict[int, Person], frame: int) -> dict:
    return {
        person: each.sightings[frame] for person, each in people.items() if frame in each.sightings
    }


main = stage_command(BlazeposeStage)
