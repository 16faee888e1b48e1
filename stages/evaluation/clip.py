"""One video of a data folder beside its ground truth: frames and people paired."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float
from scipy.optimize import linear_sum_assignment

from stages.artifacts.images import ImageFile, list_images, read_times
from stages.artifacts.layout import DataFolder
from stages.artifacts.masks import read_mask
from stages.artifacts.truth import Truth, read_truth
from stages.running.people_method import people_method


@dataclass(frozen=True)
class EvaluatedClip:
    """A video, its results and its truth."""

    data: DataFolder
    video: str
    truth: Truth

    @cached_property
    def images(self) -> list[ImageFile]:
        return list_images(self.data.images(self.video))

    @cached_property
    def truth_frame(self) -> dict[str, int]:
        """Index into the truth of every extracted frame, by frame name."""
        times = read_times(self.data.images(self.video))
        own = self.truth.times_s
        if times is None:
            return {image.name: min(i, len(own) - 1) for i, image in enumerate(self.images)}
        nearest = np.abs(times.times_s[:, None] - own[None]).argmin(1)
        return {image.name: int(i) for image, i in zip(self.images, nearest, strict=True)}

    @cached_property
    def masks(self) -> dict[str, np.ndarray]:
        """Person ids of every pixel, by frame name."""
        folder = self.data.masks(self.video)
        return {image.name: read_mask(folder, image.name) for image in self.images}

    @cached_property
    def people_method(self) -> str:
        """How the people were found, by the ledger; the official networks where it does not say."""
        return people_method(self.data.root, self.video)

    @cached_property
    def person_of_truth(self) -> dict[int, int]:
        """The id that follows each true person (0, 1, ...) best over the whole clip."""
        ids = sorted({int(i) for mask in self.masks.values() for i in np.unique(mask) if i})
        people = range(len(self.truth.betas))
        overlap = np.zeros((len(people), max(1, len(ids))))
        for name, mask in self.masks.items():
            true = self.truth.person_ids[self.truth_frame[name]]
            for row, person in enumerate(people):
                for column, person_id in enumerate(ids):
                    overlap[row, column] += iou(mask == person_id, true == person + 1)
        rows, columns = linear_sum_assignment(-overlap)
        pairs = zip(rows.tolist(), columns.tolist(), strict=True)
        return {row: ids[column] for row, column in pairs if ids and overlap[row, column] > 0}


def iou(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two masks; 1 if both are empty."""
    union = np.count_nonzero(a | b)
    return np.count_nonzero(a & b) / union if union else 1.0


def open_clip(data: DataFolder, video: str) -> EvaluatedClip:
    """Pairs a video with its truth.

    Raises:
        ArtifactError: the video has no ground truth.
    """
    return EvaluatedClip(data, video, read_truth(data.truth(video)))


def median_or_nan(values: Float[np.ndarray, " N"]) -> float:
    return float(np.median(values)) if len(values) else float("nan")
