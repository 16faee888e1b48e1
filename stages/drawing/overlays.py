"""Bodies and other shapes of the world over the frames of the video."""

import cv2
import numpy as np
from jaxtyping import UInt8

from stages.artifacts.people_and_world import PersonMotion
from stages.artifacts.world import WorldFrameView
from stages.body.model import BodyModel
from stages.drawing.camera import Camera
from stages.drawing.colours import of_person
from stages.drawing.shading import Shape, shaded_over
from stages.drawing.shapes import person

Picture = UInt8[np.ndarray, "H W 3"]


def camera_of(frame: WorldFrameView) -> Camera:
    """The camera that took a frame of a world."""
    return Camera(frame.intrinsic, frame.T_world_camera, *frame.size)


def bodies_over(
    frame: WorldFrameView, people: dict[int, PersonMotion], body: BodyModel, width: int = 0
) -> Picture:
    """The frame with the bodies of all who are in it, as the frame's camera sees them.

    Args:
        width: of the picture; 0 for the frame's.
    """
    shapes = [
        Shape(*person(body, motion, motion.frames.index(frame.name)), of_person(number))
        for number, motion in people.items()
        if frame.name in motion.frames
    ]
    return shapes_over(frame, shapes, width)


def shapes_over(
    frame: WorldFrameView, shapes: list[Shape], width: int = 0, opacity: float = 0.7
) -> Picture:
    """The frame with shapes of its world, as the frame's camera sees them."""
    camera, rgb = camera_of(frame), frame.rgb
    if width:
        camera = camera.resized(width)
        size = (camera.width, camera.height)
        rgb = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    return shaded_over(rgb, shapes, camera, opacity)
