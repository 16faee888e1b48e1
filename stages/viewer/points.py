"""Coloured points of frames, with what the thresholds look at."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from stages.artifacts.world import WorldFrameView
from stages.geometry.depth_maps import camera_depth, depth_gradient
from stages.viewer.clip import Clip

GROWN_PX = 20
"""People are grown by this before what is left counts as background, as in the original."""
CLOUD_FRAMES = 20
"""Frames that the background is made of: more show the same places again."""
CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
"""A pixel and those that its gradient is of."""


@dataclass(frozen=True)
class PixelPoints:
    """Points of pixels that have depth."""

    points: Float[np.ndarray, "N 3"]
    colours: UInt8[np.ndarray, "N 3"]
    confidence: Float[np.ndarray, " N"]
    """The lowest of the pixel's and of its four neighbours'."""
    gradient: Float[np.ndarray, " N"]
    """Change of depth to the neighbouring pixels, metres a pixel; infinite beside holes."""

    def chosen(self, confidence: float, gradient: float) -> Bool[np.ndarray, " N"]:
        """Points that are at least so sure and less steep: those that stage 3 takes with these
        thresholds, to which a neighbour that is less sure is a hole.
        """
        return (self.confidence >= confidence) & (self.gradient < gradient)


def frame_points(frame: WorldFrameView, of_people: bool, step: int) -> PixelPoints:
    """Points of one frame, every `step`-th pixel: of people, or of what is well away from them."""
    dynamic, points, confidence = frame.dynamic, frame.points, frame.confidence
    depth_m = camera_depth(points, frame.T_world_camera)
    known = (confidence > 0) & (depth_m > 0)
    if of_people:
        keep = dynamic & frame.measured & known
    else:
        kernel = np.ones((GROWN_PX, GROWN_PX), np.uint8)
        keep = (cv2.dilate(dynamic.astype(np.uint8), kernel) == 0) & known
    chosen = np.zeros_like(keep)
    chosen[::step, ::step] = keep[::step, ::step]
    return PixelPoints(
        points[chosen],
        frame.rgb[chosen],
        cv2.erode(np.where(known, confidence, 0), CROSS)[chosen],
        depth_gradient(depth_m, known)[chosen].astype(np.float32),
    )


def background(clip: Clip, step: int) -> PixelPoints:
    """Points of the place, of frames spread over the clip."""
    count = len(clip.names)
    frames = np.unique(np.linspace(0, count - 1, min(count, CLOUD_FRAMES)).astype(int))
    parts = [frame_points(clip.frame(int(index)), False, step) for index in frames]
    return PixelPoints(
        np.concatenate([part.points for part in parts]),
        np.concatenate([part.colours for part in parts]),
        np.concatenate([part.confidence for part in parts]),
        np.concatenate([part.gradient for part in parts]),
    )
