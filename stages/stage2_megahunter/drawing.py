"""The picture of stage 2 for `--vis`: bodies over some frames, and everything from above."""

import cv2
import numpy as np
from jaxtyping import Float, Int, UInt8

from stages.artifacts.people_and_world import PersonMotion
from stages.artifacts.world import FrameGroup
from stages.body.model import BodyModel
from stages.drawing.colours import CAMERA, INK, PAPER, Colour, darker, in_bytes, of_person
from stages.drawing.overlays import bodies_over
from stages.drawing.panels import evenly_spread, fitted, grid, titled

MOMENTS, COLUMNS = 6, 2
PLAN_PX = 800
MARGIN_M = 1.5
"""Of the place around camera and people, in the plan."""
PLAN_FRAMES, PIXEL_STEP = 12, 2
"""The plan's points come from so many frames, of every second row and column."""
CEILING_M = 1.5
"""Points this far above the highest pelvis would hide what is below."""


def picture(
    world: FrameGroup, people: dict[int, PersonMotion], body: BodyModel
) -> UInt8[np.ndarray, "H W 3"]:
    """Draws the solved bodies over frames that they are in, and a plan with everybody's paths.

    Args:
        world: the people's own, as in a file of this stage, in metres.
    """
    names = sorted({name for motion in people.values() for name in motion.frames})
    picked = [names[index] for index in evenly_spread(len(names), MOMENTS)]
    frames = grid([bodies_over(world[name], people, body) for name in picked], COLUMNS, picked)
    plan = titled(_plan(world, people), "from above; the bar is a metre, blue is the camera")
    return np.hstack([frames, fitted(plan, len(frames), len(frames))])


def _plan(world: FrameGroup, people: dict[int, PersonMotion]) -> UInt8[np.ndarray, "P P 3"]:
    """Points of the place and paths of camera and people, seen along the bodies' mean up."""
    people = {number: motion for number, motion in people.items() if motion.frames}
    up = np.concatenate([motion.R_world_root for motion in people.values()])[..., 1].mean(0)
    cameras = world.Ts_world_camera
    R = _R_plan_world(up, cameras[0, :3, 2])
    lines = [(motion.root_transl @ R.T, of_person(number)) for number, motion in people.items()]
    highest_m = max(path[:, 2].max() for path, _ in lines) + CEILING_M
    eyes = cameras[:, :3, 3] @ R.T
    lines.append((eyes, CAMERA))
    # Where the camera looks, at a few moments.
    for index in evenly_spread(len(eyes), PLAN_FRAMES):
        lines.append((eyes[index] + [[0], [0.4]] * (R @ cameras[index, :3, 2]), CAMERA))
    places = np.concatenate([path for path, _ in lines])
    low, high = places.min(0)[:2] - MARGIN_M, places.max(0)[:2] + MARGIN_M
    pixels_a_m = PLAN_PX / float((high - low).max())
    corner = (low + high - PLAN_PX / pixels_a_m) / 2
    points, colours = _points(world, R)
    order = np.argsort(points[:, 2])
    order = order[points[order, 2] < highest_m]
    plan = _dotted(_pixels(points[order], corner, pixels_a_m), colours[order])
    _draw_lines(plan, [(_pixels(path, corner, pixels_a_m), colour) for path, colour in lines])
    end = round(20 + pixels_a_m)
    cv2.line(plan, (20, PLAN_PX - 20), (end, PLAN_PX - 20), in_bytes(INK), 3)
    return plan


def _R_plan_world(
    up: Float[np.ndarray, "3"], forward: Float[np.ndarray, "3"]
) -> Float[np.ndarray, "3 3"]:
    """Axes of the plan: right, ahead of the first camera, and up."""
    z = up / np.linalg.norm(up)
    x = np.cross(forward, z)
    x /= np.linalg.norm(x)
    return np.stack([x, np.cross(z, x), z])


def _points(
    world: FrameGroup, R_plan_world: Float[np.ndarray, "3 3"]
) -> tuple[Float[np.ndarray, "N 3"], UInt8[np.ndarray, "N 3"]]:
    """Static points of some frames, in the plan's axes, and their colours."""
    points, colours = [], []
    for index in evenly_spread(len(world), PLAN_FRAMES):
        frame = world[world.names[index]]
        static = (frame.confidence > 0) & ~frame.dynamic
        some = static[::PIXEL_STEP, ::PIXEL_STEP]
        points.append(frame.points[::PIXEL_STEP, ::PIXEL_STEP][some] @ R_plan_world.T)
        colours.append(frame.rgb[::PIXEL_STEP, ::PIXEL_STEP][some])
    return np.concatenate(points), np.concatenate(colours)


def _pixels(
    places: Float[np.ndarray, "N 3"], corner: Float[np.ndarray, "2"], pixels_a_m: float
) -> Int[np.ndarray, "N 2"]:
    """Columns and rows; the plan's second axis points upwards."""
    x, y = ((places[:, :2] - corner) * pixels_a_m).T
    return np.column_stack([x, PLAN_PX - 1 - y]).round().astype(np.int32)


def _dotted(
    pixels: Int[np.ndarray, "N 2"], colours: UInt8[np.ndarray, "N 3"]
) -> UInt8[np.ndarray, "P P 3"]:
    """Dots of three by three pixels, later ones over earlier ones."""
    plan = np.full((PLAN_PX, PLAN_PX, 3), in_bytes(PAPER), np.uint8)
    inside = ((pixels >= 0) & (pixels < PLAN_PX - 2)).all(1)
    x, y = pixels[inside].T
    for down, right in np.ndindex(3, 3):
        plan[y + down, x + right] = colours[inside]
    return plan


def _draw_lines(
    plan: UInt8[np.ndarray, "P P 3"], lines: list[tuple[Int[np.ndarray, "_ 2"], Colour]]
) -> None:
    """Lines on white, so that they are seen on any ground, with a dot where they start."""
    for width in (5, 2):
        for pixels, colour in lines:
            ink = (255, 255, 255) if width > 2 else in_bytes(darker(colour))
            cv2.polylines(plan, [pixels[:, None]], False, ink, width, cv2.LINE_AA)
            cv2.circle(plan, pixels[0].tolist(), width, ink, -1, cv2.LINE_AA)
