"""The real networks, and frames of the demo with their truth."""

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import pytest

from stages.artifacts.truth import Truth, read_truth
from stages.blazepose.landmarks import FILE as LANDMARKS
from stages.blazepose.networks import Network
from stages.blazepose.sightings import Estimator
from stages.stage0_blazepose.detector import PersonDetector
from stages.stage0_blazepose.stage import DETECTOR
from stages.weights.errors import WeightsError
from stages.weights.locate import fetched
from stages.weights.manifest import read_manifest
from stages.weights.remedy import require_whole

DEMO = Path(__file__).parents[2] / "data" / "demo"


@pytest.fixture(scope="session")
def weights() -> Path:
    folder = fetched("blazepose")
    try:
        require_whole(read_manifest()["blazepose"], folder)
    except WeightsError as error:
        pytest.skip(str(error))
    return folder


@pytest.fixture(scope="session")
def detector(weights: Path) -> PersonDetector:
    return PersonDetector(Network(weights / DETECTOR, 1))


@pytest.fixture(scope="session")
def estimator(weights: Path) -> Estimator:
    return Estimator(Network(weights / LANDMARKS, 2))


@dataclass(frozen=True)
class Clip:
    """Some frames of a demo video."""

    pictures: list[np.ndarray]
    numbers: list[int]
    truth: Truth

    @property
    def masks(self) -> np.ndarray:
        """Where the person is, by frame."""
        return self.truth.person_ids[self.numbers] == 1

    def height_px(self, frame: int) -> int:
        rows = np.flatnonzero(self.masks[frame].any(1))
        return int(rows[-1] - rows[0] + 1)


def read_clip(name: str, numbers: list[int]) -> Clip:
    with av.open(str(DEMO / "videos" / f"{name}.mp4")) as container:
        frames = [
            frame.to_ndarray(format="rgb24")
            for index, frame in enumerate(container.decode(video=0))
            if index in numbers
        ]
    return Clip(frames, numbers, read_truth(DEMO / "truth" / name))


@pytest.fixture(scope="session")
def stairs() -> Clip:
    return read_clip("walk_stairs_01", list(range(0, 100, 3)))
