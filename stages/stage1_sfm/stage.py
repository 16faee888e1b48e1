"""stage1-sfm: cameras and depth of a video by structure from motion and multi-view stereo."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from stages.artifacts import layout
from stages.artifacts.errors import ArtifactError
from stages.artifacts.masks import read_summary
from stages.artifacts.world import WorldFrame
from stages.body.model import load_body
from stages.cameras.world_stage import PicturesStage
from stages.people.sources import Folders, read_people, track_of
from stages.people.tracks import Cameras
from stages.running import (
    DeclinedError,
    Input,
    InputPaths,
    Processed,
    flag,
    folder,
    stage_command,
    torch_device,
)
from stages.running.inputs import bodies, contacts, keypoints, labels, track_summary
from stages.running.model_flags import body_flag
from stages.stage1_sfm.cameras import NoParallaxError
from stages.stage1_sfm.people import PlacedPerson, placed
from stages.stage1_sfm.reconstruction import Reconstruction, reconstruct, world_frames

METHOD = "sfm"
MAX_THREADS = 8


@dataclass(kw_only=True)
class SfmStage(PicturesStage):
    """Reconstruct cameras and the place, by structure from motion and multi-view stereo.

    Writes <outdir>/sfm_reconstruction_results_<video>_cam01_frame_<start>_<end>_subsample_<n>.h5,
    up to scale. Needs a camera that moves: a few steps around or along with the person. People have
    the depth of their bodies, where these are known; the rest goes without.
    """

    outdir: Path = folder(
        layout.world_folder(METHOD), "Folder for the reconstructions.", is_output=True
    )
    pose2d_base_dir: Path = folder(layout.KEYPOINTS, "Folder of people's keypoints.")
    smpl_base_dir: Path = folder(layout.BODIES, "Folder of people's bodies.")
    contact_base_dir: Path = folder(layout.CONTACTS, "Folder of people's contacts.")
    body_model: Path = body_flag()
    auto: bool = flag(
        False, "Leave videos whose camera stands to stage1-ground.", changes_results=False
    )

    name = "stage1-sfm"
    method = METHOD

    @property
    def may_decline(self) -> bool:
        return self.auto

    def inputs(self, video: str) -> list[Input]:
        needed = super().inputs(video)
        if not self.gsam2 or not self._shows_people(video):
            return needed
        of_people = [
            track_summary(self.mask_base_dir, video),
            labels(self.mask_base_dir, video),
            keypoints(self.pose2d_base_dir, video),
            bodies(self.smpl_base_dir, video),
            contacts(self.contact_base_dir, video),
        ]
        return [*needed, *(replace(each, required=False) for each in of_people)]

    def _shows_people(self, video: str) -> bool:
        """False where it is known that nobody is seen: what places them then never finishes."""
        try:
            summary = read_summary(self.mask_base_dir / video / layout.CAMERA)
        except ArtifactError:  # Missing or damaged: what needs it says so.
            return True
        return bool(summary.all_instance_ids)

    def load(self) -> None:
        self.body = load_body(self.body_model)

    def notice(self) -> str:
        people = "masked out" if self.gsam2 else "taken for scene"
        device = torch_device()
        return f"pycolmap and multi-view stereo, no networks; people are {people}; {device}"

    def process(self, video: str, inputs: InputPaths) -> Processed:
        chosen = self.frames_of(video, inputs)
        threads = min(MAX_THREADS, torch.get_num_threads())
        with tempfile.TemporaryDirectory(prefix="mimicmill-sfm-") as workspace:
            try:
                made = reconstruct(chosen, Path(workspace), threads)
            except NoParallaxError as error:
                if self.auto:
                    raise DeclinedError(f"left to stage1-ground: {error}") from None
                raise
        people = self._people(made, inputs)
        shares: list[float] = []
        self.write(
            video,
            inputs,
            _watched(world_frames(made, people), shares),
            focal_px_original=made.cameras.focal_px,
            registered_frames=int(made.cameras.registered.sum()),
        )
        return _processed(made, float(np.mean(shares)))

    def _people(self, made: Reconstruction, inputs: InputPaths) -> list[PlacedPerson]:
        """Everybody whose body, keypoints and boxes are known."""
        if not {"labels", "keypoints", "bodies"} <= inputs.keys():
            return []
        masks = inputs["labels"].parent
        folders = Folders(masks, inputs["keypoints"], inputs["bodies"], inputs.get("contacts"))
        names = [image.name for image in made.frames.images]
        found = read_people(names, folders)
        T = len(names)
        intrinsics = np.stack([made.intrinsic(frame) for frame in range(T)]).astype(np.float64)
        cameras = Cameras(
            intrinsics,
            np.linalg.inv(made.cameras.Ts_camera_world),
            made.resizing.affine_original_from_reconstruction,
            np.arange(T, dtype=np.float64),
        )
        ids = sorted({person for frame in found for person in frame.bodies})
        tracks = [track_of(person, found, cameras, None) for person in ids]
        return [placed(track, self.body, intrinsics) for track in tracks if track.detected.any()]


def _watched(frames: Iterator[WorldFrame], shares: list[float]) -> Iterator[WorldFrame]:
    """The same frames; collects the share of the place that has depth."""
    for frame in frames:
        if not frame.dynamic.all():
            shares.append(float((frame.depth[~frame.dynamic] > 0).mean()))
        yield frame


def _processed(made: Reconstruction, coverage: float) -> Processed:
    cameras, frames = made.cameras, made.frames
    guessed = [frames.images[place].name for place in np.flatnonzero(~cameras.registered)]
    share = cameras.focal_px / max(frames.width, frames.height)
    note = (
        f"{len(frames) - len(guessed)} of {len(frames)} frames registered, focal {share:.2f} "
        f"of the long side, depth on {coverage:.0%} of the place"
    )
    if cameras.lens is not None:
        zooms = cameras.lens.zooms
        note += f"; {' and '.join(cameras.kinds)}: not one pinhole, taken as it is"
        if np.ptp(zooms) > 0:
            note += f", focal {share * zooms.min():.2f} to {share * zooms.max():.2f}"
    if cameras.doubt:
        note += f"; doubt: {cameras.doubt}: the world's shape and size may be wrong"
    if guessed:
        note += f"; interpolated and without depth: {', '.join(guessed)}"
    details = {
        "frames": len(frames),
        "registered": len(frames) - len(guessed),
        "interpolated": guessed,
        "focal_share_of_long_side": round(share, 4),
        "reprojection_px": round(cameras.reprojection_px, 3),
        "camera": list(cameras.kinds),
        "doubt": cameras.doubt,
        "points": len(cameras.points),
        "depth_coverage": round(coverage, 3),
    }
    return Processed(note, details)


main = stage_command(SfmStage)
