"""What is done to a good input, each disturbance defined once for tests and for the tables."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from unittest import mock

import numpy as np

from stages.geometry.rotations import matrix_from_rotvec
from stages.stage2_megahunter import first_guess
from stages.stage2_megahunter.tracks import Track
from tools.robustness.scenes import Scene, cut


def turned(scene: Scene, degrees: float = 90.0) -> Scene:
    """The first orientation of the person is wrong in all frames, about the body's own axis."""
    rotmats = scene.track.rotmats.copy()
    rotmats[:, 0] = rotmats[:, 0] @ matrix_from_rotvec(np.array([0.0, np.deg2rad(degrees), 0.0]))
    return cut(scene, rotmats=rotmats)


@contextmanager
def misplaced(offset_m: tuple[float, float, float]) -> Iterator[None]:
    """Whoever is solved meanwhile is first placed so far off, in the axes of the cameras."""
    place = first_guess.place_before_camera
    with mock.patch.object(
        first_guess, "place_before_camera", lambda *given: place(*given) + np.array(offset_m)
    ):
        yield


def with_outliers(scene: Scene, share: float = 0.4, seed: int = 0) -> Scene:
    """That share of the keypoints lies elsewhere, by half the height of the person's box."""
    rng = np.random.default_rng(seed)
    pixels = scene.track.pixels.copy()
    height = scene.track.boxes[:, 3] - scene.track.boxes[:, 1]
    wrong = rng.random(pixels.shape[:2]) < share
    pixels[wrong] += (0.5 * height[:, None, None] * rng.normal(size=pixels.shape))[wrong]
    return cut(scene, pixels=pixels)


def with_gap(scene: Scene, frames: int = 30) -> Scene:
    """The person is not seen in so many frames in a row, in the middle."""
    seen = scene.track.detected.copy()
    first = (len(seen) - frames) // 2
    seen[first : first + frames] = False
    return cut(scene, detected=seen, valid=seen)


def second_person(scene: Scene, share: float = 0.5) -> Track:
    """The same person again under the id 2, seen in the first share of the frames only."""
    seen = np.arange(len(scene.track.valid)) < share * len(scene.track.valid)
    return replace(scene.track, person=2, detected=seen, valid=seen)


def in_units(scene: Scene, factor: float) -> Scene:
    """The reconstruction has lengths that many times as large."""
    Ts = scene.cameras.Ts_world_camera.copy()
    Ts[:, :3, 3] *= factor
    around = replace(
        scene.around,
        depths=scene.around.depths * factor,
        ground_points=scene.around.ground_points * factor,
    )
    cameras = replace(scene.cameras, Ts_world_camera=Ts)
    return replace(scene, cameras=cameras, around=around, scale=scene.scale / factor)
