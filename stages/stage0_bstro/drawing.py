"""Pictures of contact for `--vis`: which feet stand, and how much of the body touches."""

from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from stages.artifacts.contacts import PersonContact
from stages.artifacts.images import write_image
from stages.artifacts.masks import Box

_STANDS, _MOVES = (80, 255, 80), (255, 80, 80)


def draw(
    path: Path,
    image: UInt8[np.ndarray, "H W 3"],
    people: dict[int, tuple[Box, PersonContact]],
    contact_thr: float,
) -> None:
    """Writes the image with a bar under each side of a box: green where that foot stands.

    A person who faces the camera has the left foot on the picture's right; the letters tell.
    """
    picture = image.copy()
    for person, ((x1, y1, x2, y2), contact) in people.items():
        touching = int((contact.vertices > contact_thr).sum())
        cv2.rectangle(picture, (x1, y1), (x2, y2), (255, 160, 0), 1)
        for place, (letter, stands) in enumerate(
            (("L", contact.left_foot), ("R", contact.right_foot))
        ):
            at = (x1 + 16 * place, max(y1 - 4, 10))
            colour = _STANDS if stands else _MOVES
            cv2.putText(picture, letter, at, cv2.FONT_HERSHEY_SIMPLEX, 0.5, colour, 2)
        text = f"{person}: {touching} vertices"
        at = (x1 + 34, max(y1 - 4, 10))
        cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 160, 0))
    write_image(path, picture)
