"""Gravity by GeoCalib, where its package is installed: several frames vote."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8

from stages.running import VideoError
from stages.stage3_postprocess.packages import fault
from stages.weights.manifest import read_manifest
from stages.weights.remedy import require_whole

CHECKPOINT = "geocalib"
FILE = "geocalib-pinhole.tar"
FRAMES = 8
SEED = 0


def is_installed() -> bool:
    """Whether the package `geocalib` can be imported."""
    return find_spec("geocalib") is not None


class GeoCalibGravity:
    """The network, loaded once, from the folder of its checkpoint.

    Raises:
        VideoError: the package cannot be imported.
        WeightsError: the checkpoint is missing or damaged.
    """

    def __init__(self, folder: Path) -> None:
        import torch

        if said := fault("geocalib"):
            raise VideoError(said)
        from geocalib import GeoCalib

        require_whole(read_manifest()[CHECKPOINT], folder)
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        with as_if_downloaded(folder / FILE):
            self.model = GeoCalib(weights="pinhole").to(self.device)

    def up(
        self,
        images: list[UInt8[np.ndarray, "H W 3"]],
        Rs_world_camera: Float[np.ndarray, "N 3 3"],
    ) -> tuple[Float[np.ndarray, "3"], float]:
        """The robust mean of the frames' up directions in the world, and their spread.

        Returns:
            The unit direction and the median angle to it in degrees.
        """
        import torch

        ups = []
        for image, R_world_camera in zip(images, Rs_world_camera, strict=True):
            # Its decoder starts from random bases at every call.
            torch.manual_seed(SEED)
            tensor = torch.from_numpy(image.astype(np.float32) / 255.0).permute(2, 0, 1)
            with torch.no_grad():
                gravity = self.model.calibrate(tensor.to(self.device))["gravity"]
            roll, pitch = gravity.rp.reshape(2).tolist()
            ups.append(R_world_camera @ up_from_roll_pitch(roll, pitch))
        return robust_mean_direction(np.asarray(ups))


@contextmanager
def as_if_downloaded(checkpoint: Path) -> Iterator[None]:
    """Lets the package find a file where it would download it to, so that it asks no network."""
    import torch

    before = torch.hub.get_dir()
    with tempfile.TemporaryDirectory(prefix="mimicmill-geocalib-") as folder:
        place = Path(folder) / "geocalib" / "pinhole.tar"
        place.parent.mkdir()
        place.symlink_to(checkpoint.resolve())
        torch.hub.set_dir(folder)
        try:
            yield
        finally:
            torch.hub.set_dir(before)


def up_from_roll_pitch(roll: float, pitch: float) -> Float[np.ndarray, "3"]:
    """The direction against gravity in the camera frame (x right, y down, z forward).

    A level camera has roll 0 and pitch 0; angles in radians, as GeoCalib defines them.
    """
    return np.array([-np.sin(roll) * np.cos(pitch), -np.cos(roll) * np.cos(pitch), np.sin(pitch)])


def robust_mean_direction(
    directions: Float[np.ndarray, "N 3"],
) -> tuple[Float[np.ndarray, "3"], float]:
    """Geometric median of unit vectors, renormalised, and the median angle to it in degrees."""
    mean = np.median(directions, axis=0)
    for _ in range(20):
        weight = 1.0 / np.maximum(np.linalg.norm(directions - mean, axis=1), 1e-6)
        mean = (weight[:, None] * directions).sum(0) / weight.sum()
    mean /= np.linalg.norm(mean)
    angles = np.degrees(np.arccos(np.clip(directions @ mean, -1, 1)))
    return mean, float(np.median(angles))
