"""stage4-retarget: people's motion on the terrain becomes the G1's."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stages.artifacts import layout, meshes
from stages.artifacts.calibrated_keypoints import FILE as KEYPOINTS_FILE
from stages.artifacts.robot_motion import (
    MULTI_FILE,
    SINGLE_FILE,
    RobotMotion,
    write_robot_motion,
    write_robot_motions,
)
from stages.robot.model import load_g1
from stages.running import Input, Stage, VideoError
from stages.solving import use_compilation_cache
from stages.stage4_retarget.quality import Quality, measure
from stages.stage4_retarget.record import robot_motion
from stages.stage4_retarget.retarget import Person, retarget
from stages.stage4_retarget.sources import MEGAHUNTER_FILE, Clip, read_clip
from stages.stage4_retarget.weights import CostWeights

SHORTEST_FRAMES = 2


@dataclass
class RetargetStage(Stage):
    """Retargets. A `video` here is the name of a calibrated folder of stage 3."""

    postprocessed_base_dir: Path
    contact_base_dir: Path
    multihuman: bool
    top_k: int
    cost_weights: CostWeights

    name = "stage4-retarget"

    @property
    def output_base_dir(self) -> Path:
        return self.postprocessed_base_dir

    def inputs(self, video: str) -> list[Input]:
        folder = self.postprocessed_base_dir / video
        contacts = self.contact_base_dir / layout.parse_world_name(folder).video / layout.CAMERA
        return [
            Input(folder / KEYPOINTS_FILE, "stage3-postprocess"),
            Input(folder / MEGAHUNTER_FILE, "stage3-postprocess"),
            Input(folder / meshes.MESH_FILE, "stage3-postprocess", required=False),
            Input(contacts, "stage0-bstro", required=False),
        ]

    def outputs(self, video: str) -> list[Path]:
        folder = self.postprocessed_base_dir / video
        return [folder / SINGLE_FILE, *([folder / MULTI_FILE] if self.multihuman else [])]

    def parameters(self) -> dict[str, Any]:
        people = {"multihuman": self.multihuman, "top_k": self.top_k if self.multihuman else 1}
        return {**asdict(self.cost_weights), **people}

    def notice(self) -> str:
        return f"robot {self.robot.name} with {len(self.robot.joint_names)} joints"

    def __post_init__(self) -> None:
        self.robot = load_g1()
        self.details: dict[str, Any] = {}

    def load(self) -> None:
        use_compilation_cache()

    def run_details(self) -> dict[str, Any]:
        return self.details

    def process(self, video: str) -> str:
        folder = self.postprocessed_base_dir / video
        clip = read_clip(folder, self.contact_base_dir)
        people = list(clip.people.items())
        wanted = people[: self.top_k or None] if self.multihuman else people[:1]
        if not wanted:
            raise VideoError(f"{folder / KEYPOINTS_FILE} holds nobody; look at stage 2's outcome")
        self.details = {}
        motions, notes = {}, list(clip.remarks)
        for person, motion in wanted:
            motions[person], note = self._one(clip, person, motion)
            notes.append(note)
        write_robot_motion(folder / SINGLE_FILE, next(iter(motions.values())))
        if self.multihuman:
            write_robot_motions(folder / MULTI_FILE, motions)
        elif (folder / MULTI_FILE).exists():
            # Viewers prefer it to the new file, whose motion it does not have.
            (folder / MULTI_FILE).unlink()
            notes.append(f"removed the older {MULTI_FILE}")
        return "; ".join(notes)

    def _one(self, clip: Clip, person: int, motion: Person) -> tuple[RobotMotion, str]:
        _check(person, motion)
        found = retarget(self.robot, motion, clip.terrain, self.cost_weights)
        quality = measure(
            self.robot,
            found.R_world_root,
            found.p_world_root,
            found.joints,
            found.contacts,
            motion.times_s,
            clip.terrain,
        )
        self.details[f"person {person}"] = {
            "residuals": found.term_costs,
            "iterations": found.iterations,
            "converged": found.converged,
            "clipped_rad": found.clipped_rad,
            "ignored": list(found.ignored),
            "quality": asdict(quality),
        }
        note = _note(person, len(motion.joints), clip.fps, quality, found.ignored)
        return robot_motion(self.robot, found, quality, clip.fps), note


def _check(person: int, motion: Person) -> None:
    if len(motion.joints) < SHORTEST_FRAMES:
        raise VideoError(
            f"person {person} is there in {len(motion.joints)} frame only; a motion needs"
            f" {SHORTEST_FRAMES}: use a longer video"
        )
    if not np.isfinite(motion.joints).all() or not np.isfinite(motion.R_world_root).all():
        raise VideoError(
            f"person {person} has joints that are no numbers; run stage2-megahunter and"
            " stage3-postprocess again"
        )


def _note(person: int, frames: int, fps: float, quality: Quality, ignored: tuple[str, ...]) -> str:
    text = (
        f"person {person}: {frames} frames at {fps:g} fps, feet in contact slide"
        f" {quality.foot_sliding_m_s * 100:.1f} cm/s, sink"
        f" {quality.below_ground_mean_m * 1000:.1f} mm on average"
    )
    return "; ".join([text, *ignored])


def calibrated_folders(base: Path) -> list[str]:
    """Names of the folders of stage 3 that hold people."""
    if not base.is_dir():
        return []
    return [path.parent.name for path in base.glob(f"*/{KEYPOINTS_FILE}")]
