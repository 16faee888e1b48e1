"""Coloured points of frames, with what the thresholds look at."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from stages.artifacts.world import WorldFrameView
from stages.viewer.clip import Clip

GROWN_PX = 20
"""People are grown by this before what is left counts as background, as in the original."""
CLOUD_FRAMES = 20
"""Frames that the background is made of: more show the same places again."""


@dataclass(frozen=True)
class PixelPoints:
    """Points of pixels that have depth."""

    points: Float[np.ndarray, "N 3"]
    colours: UInt8[np.ndarray, "N 3"]
    confidence: Float[np.ndarray, " N"]
    gradient: Float[np.ndarray, " N"]
    """Change of depth to the neighbouring pixels, metres a pixel; large at edges of things."""

    def chosen(self, confidence: float, gradient: float) -> Bool[np.ndarray, " N"]:
        """Points that are at least so sure and at most so steep."""
        return (self.confidence >= confidence) & (self.gradient <= gradient)


def frame_points(frame: WorldFrameView, of_people: bool, step: int) -> PixelPoints:
    """Points of one frame, every `step`-th pixel: of people, or of what is well away from them."""
    dynamic, depth = frame.dynamic, frame.depth
    if of_people:
        keep = dynamic & frame.measured
    else:
        kernel = np.ones((GROWN_PX, GROWN_PX), np.uint8)
        keep = cv2.dilate(dynamic.astype(np.uint8), kernel) == 0
    keep &= depth > 0
    gradient = np.hypot(*np.gradient(depth))
    rows = np.zeros_like(keep)
    rows[::step, ::step] = True
    keep &= rows
    return PixelPoints(
        frame.points[keep].astype(np.float32),
        frame.rgb[keep],
        frame.confidence[keep],
        gradient[keep].astype(np.float32),
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
