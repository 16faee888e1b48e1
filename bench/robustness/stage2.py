"""Stage 2's cases, and how far their answers are from the truth."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass

from bench.robustness import disturbances as disturbed
from bench.robustness.scenes import PICKER, Scene
from stages.people.tracks import Track
from stages.stage2_megahunter.optimisation import solve_scene

SCENES = (
    ("flat", 101),
    ("flat", 109),
    ("stairs", 103),
    ("stairs", 112),
    ("jump_box", 105),
    ("jump_box", 120),
)
"""Kinds and seeds of the table; 100 frames each, with `scenes.Noise`."""


@dataclass(frozen=True)
class Answer:
    """Errors of the first person as `Scene.errors` gives them, and whether the solver says so."""

    scale: float
    path_m: float
    mpjpe_m: float
    converged: bool


def answer(
    scene: Scene, *others: Track, misplaced_m: tuple[float, float, float] | None = None
) -> Answer:
    """What stage 2 makes of a scene, with more people in it or a start that is off."""
    tracks = [scene.track, *others]
    with disturbed.misplaced(misplaced_m) if misplaced_m else nullcontext():
        found = solve_scene(scene.cameras, tracks, [scene.around] * len(tracks), PICKER)
    return Answer(**scene.errors(found), converged=found.converged)


CASES: dict[str, Callable[[Scene], Answer]] = {
    "undisturbed": answer,
    "first orientation 90° off": lambda s: answer(disturbed.turned(s, 90.0)),
    "first orientation 105° off": lambda s: answer(disturbed.turned(s, -105.0)),
    "first orientation 180° off": lambda s: answer(disturbed.turned(s, 180.0)),
    "start 2 m to the side": lambda s: answer(s, misplaced_m=(2.0, 0.0, 0.0)),
    "start 2 m further away": lambda s: answer(s, misplaced_m=(0.0, 0.0, 2.0)),
    "start 2 m too high": lambda s: answer(s, misplaced_m=(0.0, -2.0, 0.0)),
    "40 % of keypoints wrong": lambda s: answer(disturbed.with_outliers(s)),
    "30 frames in a row missing": lambda s: answer(disturbed.with_gap(s)),
    "a second person, first half only": lambda s: answer(s, disturbed.second_person(s)),
    "units of 10 m": lambda s: answer(disturbed.in_units(s, 0.1)),
    "units of 0.1 m": lambda s: answer(disturbed.in_units(s, 10.0)),
}
