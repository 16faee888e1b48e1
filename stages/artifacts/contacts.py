"""`input_contacts/<video>/cam01/<image stem>.pkl`: contact of every vertex and of the feet."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from stages import catalogue
from stages.artifacts import checks, layout
from stages.artifacts.atomic import replacing
from stages.artifacts.errors import remedy
from stages.artifacts.masks import LARGEST_ID
from stages.artifacts.opening import reading
from stages.artifacts.pickles import dumped, read_pickle

MADE_BY = catalogue.makers(layout.CONTACTS)


@dataclass(frozen=True)
class PersonContact:
    """One person in one frame."""

    vertices: Float32[np.ndarray, "6890 1"]
    """Probability that a vertex touches something."""
    left_foot: bool
    right_foot: bool


def contacts_path(folder: Path, stem: str) -> Path:
    return folder / f"{stem}.pkl"


def write_contacts(folder: Path, stem: str, people: dict[int, PersonContact]) -> None:
    """Writes the people of one frame."""
    record = {
        int(person): {
            "frame_contact_vertices": contact.vertices.astype(np.float32).reshape(-1, 1),
            "left_foot_contact": np.bool_(contact.left_foot),
            "right_foot_contact": np.bool_(contact.right_foot),
        }
        for person, contact in people.items()
    }
    with replacing(contacts_path(folder, stem)) as temporary:
        temporary.write_bytes(dumped(record))


def read_contacts(folder: Path, stem: str) -> dict[int, PersonContact] | None:
    """The people of one frame, or None if the frame has no file: its contacts are unknown.

    Raises:
        ArtifactError: damaged or unsafe.
    """
    path = contacts_path(folder, stem)
    if not path.exists():
        return None
    record = read_pickle(path)
    with reading(path, "a contact file", remedy(MADE_BY)):
        return {_person(name): _contact(entry) for name, entry in record.items()}


def _person(name: Any) -> int:
    return checks.whole("the id of a person", name, 1, LARGEST_ID)


def _contact(entry: dict[str, Any]) -> PersonContact:
    vertices = checks.numbers("frame_contact_vertices", entry["frame_contact_vertices"], np.float32)
    left, right = (
        checks.within(name, checks.numbers(name, entry[name], np.float64).reshape(1), 0, 1)[0] > 0.5
        for name in ("left_foot_contact", "right_foot_contact")
    )
    vertices = checks.within("frame_contact_vertices", vertices.reshape(6890, 1), -1e-3, 1.001)
    return PersonContact(vertices, bool(left), bool(right))
