"""Where each kind of file lies in a data folder, and how world files are named."""

# A login node's Python 3.9 reads this module, for cluster/.
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stages.artifacts.errors import ArtifactError

CAMERA = "cam01"

IMAGES = "input_images"
MASKS = "input_masks"
KEYPOINTS = "input_2d_poses"
BODIES = "input_3d_meshes"
CONTACTS = "input_contacts"
PEOPLE_AND_WORLD = "output_smpl_and_points"
CALIBRATED = "output_calib_mesh"
ROBOT_MOTION = "retarget_poses_g1"

TRUTH = "truth"
"""Ground truth of rendered videos, a folder each."""

LEDGER = "runs.jsonl"
STAMPS = ".done"
"""What each stage noted about each video, and the locks of runs."""


def world_folder(method: str) -> str:
    """Where a world method puts its reconstructions: `input_sfm`."""
    return f"input_{method}"


@dataclass(frozen=True)
class WorldName:
    """The name of a reconstruction: what was reconstructed, from which frames, and how."""

    method: str
    video: str
    start: int
    end: int
    stride: int

    @property
    def stem(self) -> str:
        return (
            f"{self.method}_reconstruction_results_{self.video}_{CAMERA}"
            f"_frame_{self.start}_{self.end}_subsample_{self.stride}"
        )

    @property
    def megahunter_stem(self) -> str:
        return f"megahunter_{self.stem}"


def parse_world_name(path: Path) -> WorldName:
    """Reads the name of a world file, a megahunter file or a calibrated folder.

    Markers are looked up from the right, so a video may itself contain `_cam` or `_frame_`.

    Raises:
        ArtifactError: the name does not follow the pattern.
    """
    name = path.name
    for suffix in (".h5", ".pkl"):
        name = name.removesuffix(suffix)
    name = name.removeprefix("megahunter_")
    try:
        method, rest = name.split("_reconstruction_results_", 1)
        rest, stride = rest.rsplit("_subsample_", 1)
        rest, frames = rest.rsplit("_frame_", 1)
        start, end = frames.rsplit("_", 1)
        video, _camera = rest.rsplit("_cam", 1)
        return WorldName(method, video, int(start), int(end), int(stride.split("_")[0]))
    except ValueError:
        raise ArtifactError(
            path,
            "not the name of a reconstruction",
            "expected <method>_reconstruction_results_<video>_cam01_frame_<start>_<end>"
            "_subsample_<stride>",
        ) from None


def video_of(name: str) -> str:
    """The video that a name stands for: itself, or that of a reconstruction's name."""
    try:
        return parse_world_name(Path(name)).video
    except ArtifactError:
        return name


@dataclass(frozen=True)
class DataFolder:
    """Paths inside one data folder, a video at a time."""

    root: Path

    @property
    def videos(self) -> Path:
        return self.root / "videos"

    def images(self, video: str) -> Path:
        return self.root / IMAGES / video / CAMERA

    def masks(self, video: str) -> Path:
        return self.root / MASKS / video / CAMERA

    def keypoints(self, video: str) -> Path:
        return self.root / KEYPOINTS / video / CAMERA

    def bodies(self, video: str) -> Path:
        return self.root / BODIES / video / CAMERA

    def contacts(self, video: str) -> Path:
        return self.root / CONTACTS / video / CAMERA

    def truth(self, video: str) -> Path:
        return self.root / TRUTH / video
