"""A mesh from three sides, with a person and their path."""

import numpy as np
from jaxtyping import Float, Int, UInt8

from stages.artifacts.people_and_world import PersonMotion
from stages.body.model import BodyModel
from stages.drawing.camera import framing, from_side
from stages.drawing.colours import PLACE, darker, of_person
from stages.drawing.panels import grid
from stages.drawing.shading import Shape, shaded
from stages.drawing.shapes import path, person

SIZE_PX = (540, 720)
SIDES = {
    "from behind on the left": (-125, 25),
    "from behind on the right": (-55, 25),
    "above": (-90, 75),
}
"""Azimuth and height in degrees; the first camera of the video looks along y."""


def picture(
    vertices: Float[np.ndarray, "V 3"],
    faces: Int[np.ndarray, "F 3"],
    people: dict[int, PersonMotion],
    body: BodyModel,
    size_px: tuple[int, int] = SIZE_PX,
) -> UInt8[np.ndarray, "H W 3"]:
    """Draws the mesh in its z-up world, everybody in the middle of their time, and their paths."""
    shapes = [Shape(vertices, faces, PLACE)]
    for number, motion in people.items():
        if motion.frames:
            colour = of_person(number)
            shapes.append(Shape(*person(body, motion, len(motion.frames) // 2), colour))
            shapes.append(Shape(*path(motion.root_transl), darker(colour)))
    seen = np.concatenate([shape.vertices for shape in shapes])
    pictures = [shaded(shapes, framing(seen, from_side(*side), size_px)) for side in SIDES.values()]
    return grid(pictures, len(SIDES), list(SIDES))
