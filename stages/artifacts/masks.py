"""`input_masks/<video>/cam01/`: people's masks, boxes and ids of every frame, and of the clip."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt16

from stages import catalogue
from stages.artifacts import checks, layout
from stages.artifacts.atomic import replacing, write_text
from stages.artifacts.errors import ArtifactError, remedy
from stages.artifacts.json_files import read_json
from stages.artifacts.npz_files import read_npz
from stages.artifacts.opening import reading

MASKS, LABELS = "mask_data", "json_data"
MADE_BY = catalogue.makers(layout.MASKS)
LARGEST_ID = 65535
"""Of people: masks store ids in 16 bits."""
_LARGEST_BYTES = 256 * 1024**2
_LARGEST_PLACE_PX = 100_000
_LARGEST_AREA_PX = 1e10
_MOST_FRAMES = 10_000_000
Box = tuple[int, int, int, int]
"""x1, y1, x2, y2 in pixels of the original image: first and last pixel, both inside."""


@dataclass(frozen=True)
class PersonLabel:
    """One person in one frame."""

    person: int
    box: Box
    score: float

    @property
    def area_px(self) -> int:
        return box_area_px(self.box)


@dataclass(frozen=True)
class TrackSummary:
    """`meta_data.json`: the people of a whole clip."""

    all_instance_ids: tuple[int, ...]
    sorted_by_avg_area: tuple[int, ...]
    """Ids, largest average box first (average over the frames where the person is seen)."""
    avg_areas: dict[int, float]
    frame_counts: dict[int, int]
    total_areas: dict[int, float]
    most_persistent_id: int | None = None
    largest_area_id: int | None = None
    """Largest total box area over the clip: the person that single-person runs follow."""
    highest_confidence_id: int | None = None


def mask_path(folder: Path, stem: str) -> Path:
    return folder / MASKS / f"mask_{stem}.npz"


def label_path(folder: Path, stem: str) -> Path:
    return folder / LABELS / f"mask_{stem}.json"


def summary_path(folder: Path) -> Path:
    return folder / "meta_data.json"


def box_area_px(box: Box) -> int:
    """Area of a box, as the original counts it."""
    x1, y1, x2, y2 = box
    return (x2 - x1) * (y2 - y1)


def box_of(mask: np.ndarray) -> Box:
    """Tight box of a non-empty boolean (H, W) mask; all 0 for an empty one."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if rows.size == 0:
        return (0, 0, 0, 0)
    return (int(columns[0]), int(rows[0]), int(columns[-1]), int(rows[-1]))


def write_frame(
    folder: Path, stem: str, ids: UInt16[np.ndarray, "H W"], scores: dict[int, float]
) -> dict[int, PersonLabel]:
    """Writes mask and label file of one frame.

    Args:
        folder: `input_masks/<video>/cam01`.
        stem: the image's stem.
        ids: person id of every pixel, 0 for background.
        scores: score of every tracked person, seen in this frame or not.

    Returns:
        The labels, as `read_labels` gives them.
    """
    height, width = ids.shape
    labels = {
        person: PersonLabel(person, box_of(ids == person), float(score))
        for person, score in scores.items()
    }
    record: dict = {
        "mask_name": f"mask_{stem}.npy",
        "mask_height": height,
        "mask_width": width,
        "promote_type": "mask",
        "labels": {
            str(label.person): {
                "instance_id": label.person,
                "class_name": "person",
                **dict(zip(("x1", "y1", "x2", "y2"), label.box, strict=True)),
                "logit": 0.0,
                "score": label.score,
            }
            for label in labels.values()
        },
    }
    if labels:
        by_area = sorted(labels.values(), key=lambda label: -label.area_px)
        record["area_ranking"] = [label.person for label in by_area]
        record["areas"] = {str(label.person): label.area_px for label in by_area}
    with replacing(mask_path(folder, stem)) as temporary:
        np.savez_compressed(temporary, mask=ids.astype(np.uint16))
    write_text(label_path(folder, stem), json.dumps(record))
    return labels


def read_labels(folder: Path, stem: str) -> dict[int, PersonLabel]:
    """The people seen in one frame, largest box first; people with an empty box are left out."""
    path = label_path(folder, stem)
    record = read_json(path, remedy(MADE_BY))
    with reading(path, "a label file", remedy(MADE_BY)):
        labels = [_label(entry) for entry in record["labels"].values()]
        if len({label.person for label in labels}) < len(labels):
            raise ValueError("two people of one id")
    seen = [
        label for label in labels if label.box[2] > label.box[0] and label.box[3] > label.box[1]
    ]
    return {label.person: label for label in sorted(seen, key=lambda label: -label.area_px)}


def read_mask(
    folder: Path, stem: str, size: tuple[int, int] | None = None
) -> UInt16[np.ndarray, "H W"]:
    """The person id of every pixel of one frame, 0 for background.

    Args:
        size: the (height, width) that the mask must have: its image's.

    Raises:
        ArtifactError: missing, damaged, or of another size than its image.
    """
    path = mask_path(folder, stem)
    ids = read_npz(path, f"delete it and {remedy(MADE_BY)}", ["mask"], _LARGEST_BYTES)["mask"]
    with reading(path, "a mask", remedy(MADE_BY)):
        if ids.dtype.kind not in "biu":
            raise TypeError(f"of {ids.dtype}, expected ids of people")
        if ids.dtype != np.uint16:
            checks.within("an id", ids, 0, LARGEST_ID)
    if ids.ndim != 2 or (size is not None and ids.shape != size):
        raise ArtifactError(
            path,
            f"mask is {' x '.join(map(str, ids.shape))} but its image is {size}",
            f"frames and masks do not belong together: {remedy(MADE_BY)} with --no-skip-existing",
        )
    return ids.astype(np.uint16, copy=False)


def summarise(frames: Iterable[dict[int, PersonLabel]]) -> TrackSummary:
    """Adds up the labels of all frames of a clip."""
    counts: dict[int, int] = {}
    areas: dict[int, float] = {}
    scores: dict[int, float] = {}
    for labels in frames:
        for person, label in labels.items():
            if label.area_px > 0:
                counts[person] = counts.get(person, 0) + 1
                areas[person] = areas.get(person, 0.0) + label.area_px
                scores[person] = scores.get(person, 0.0) + label.score
    average = {person: areas[person] / counts[person] for person in counts}

    def largest(values: dict) -> int | None:
        return max(sorted(values), key=lambda person: values[person]) if values else None

    return TrackSummary(
        all_instance_ids=tuple(sorted(counts)),
        sorted_by_avg_area=tuple(sorted(sorted(average), key=lambda person: -average[person])),
        avg_areas=average,
        frame_counts=counts,
        total_areas=areas,
        most_persistent_id=largest(counts),
        largest_area_id=largest(areas),
        highest_confidence_id=largest(scores),
    )


_SINGLE_IDS = ("most_persistent_id", "largest_area_id", "highest_confidence_id")


def write_summary(folder: Path, summary: TrackSummary) -> None:
    """Writes `meta_data.json`; the three single ids are absent if nobody was seen."""
    record: dict = {
        name: getattr(summary, name) for name in _SINGLE_IDS if getattr(summary, name) is not None
    }
    record["all_instance_ids"] = list(summary.all_instance_ids)
    record["sorted_by_avg_area"] = list(summary.sorted_by_avg_area)
    for name in ("avg_areas", "frame_counts", "total_areas"):
        record[name] = {str(person): value for person, value in getattr(summary, name).items()}
    write_text(summary_path(folder), json.dumps(record, indent=1))


def read_summary(folder: Path) -> TrackSummary:
    """Reads `meta_data.json`."""
    path = summary_path(folder)
    record = read_json(path, remedy(MADE_BY))
    with reading(path, "a track summary", remedy(MADE_BY)):
        summary = TrackSummary(
            all_instance_ids=tuple(_id(person) for person in record["all_instance_ids"]),
            sorted_by_avg_area=tuple(_id(person) for person in record["sorted_by_avg_area"]),
            avg_areas=_by_person(record["avg_areas"], _area),
            frame_counts=_by_person(record["frame_counts"], _count),
            total_areas=_by_person(record["total_areas"], _area),
            **{
                name: None if record.get(name) is None else _id(record[name])
                for name in _SINGLE_IDS
            },
        )
        known = set(summary.all_instance_ids)
        singles = {getattr(summary, name) for name in _SINGLE_IDS} - {None}
        if unknown := (singles | set(summary.sorted_by_avg_area)) - known:
            raise ValueError(f"ranks person {min(unknown)}, expected one of all_instance_ids")
        if len(set(summary.sorted_by_avg_area)) < len(summary.sorted_by_avg_area):
            raise ValueError("ranks a person twice")
        return summary


def _id(value: Any) -> int:
    return checks.whole("the id of a person", value, 1, LARGEST_ID)


def _area(value: Any) -> float:
    return checks.finite("an area", value, 0, _LARGEST_AREA_PX)


def _count(value: Any) -> int:
    return checks.whole("a number of frames", value, 0, _MOST_FRAMES)


def _by_person(values: dict[str, Any], checked: Callable[[Any], Any]) -> dict[int, Any]:
    return {_id(person): checked(value) for person, value in values.items()}


def _label(entry: dict[str, Any]) -> PersonLabel:
    x1, y1, x2, y2 = (
        checks.whole(f"{name} of a box", int(entry[name]), -_LARGEST_PLACE_PX, _LARGEST_PLACE_PX)
        for name in ("x1", "y1", "x2", "y2")
    )
    score = checks.finite("a score", entry.get("score", 0.0), -1e6, 1e6)
    return PersonLabel(_id(entry["instance_id"]), (x1, y1, x2, y2), score)


def choose_people(
    summary: TrackSummary, multihuman: bool, top_k: int, first: int | None = None
) -> list[int]:
    """The people that a run follows, the most important first.

    Args:
        multihuman: False follows one alone: `first`, else `largest_area_id`.
        top_k: with `multihuman`, the number of people by average area; 0 for all.
        first: comes before all others.
    """
    if not multihuman:
        one = summary.largest_area_id if first is None else first
        return [] if one is None else [one]
    ranked = list(summary.sorted_by_avg_area)
    if first is not None:
        ranked = [first, *(person for person in ranked if person != first)]
    return ranked[:top_k] if top_k > 0 else ranked
