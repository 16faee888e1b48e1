"""The robot of stage 4 against the person that it follows: place, pose and how joints move."""

import numpy as np
from jaxtyping import Float

from stages.artifacts.clock import frame_number
from stages.artifacts.robot_motion import RobotMotion
from stages.artifacts.verdicts import LARGE, SMALL, Measure, Values
from stages.body.joint_names import COCO_WHOLEBODY_NAMES, smpl45_row
from stages.evaluation.plausibility.body import limb_errors
from stages.evaluation.plausibility.clip import Clip
from stages.evaluation.plausibility.limbs import LIMBS as COCO_LIMBS
from stages.evaluation.plausibility.measured import worst
from stages.evaluation.plausibility.robot import poses
from stages.robot.correspondence import SMPL_TO_G1
from stages.robot.limbs import limb_lengths_m
from stages.robot.model import Robot, load_g1

REPROJECTION = Measure(
    "robot_reprojection", "Robot misses keypoints", "heights", SMALL,
    "mean distance of the robot's limb joints from the person's keypoints, over the box's height",
)  # fmt: skip
DIRECTIONS = Measure(
    "limb_direction_deg", "Limbs point elsewhere", "deg", SMALL,
    "angle between a limb of the robot and the person's, mean over frames, worst limb",
)  # fmt: skip
ARTICULATION = Measure(
    "articulation", "Robot moves as much", "share", LARGE,
    "motion of the robot's joint over the person's, of the joint that follows least; of those"
    " that move in the person",
)  # fmt: skip
CORRELATION = Measure(
    "articulation_correlation", "Robot moves alike", "correlation", LARGE,
    "of the robot's joint angle with the person's over time, of the worst joint that moves",
)  # fmt: skip
HIPS = Measure(
    "hips_height_misfit", "Hips height misfit", "share", SMALL,
    "how far the robot's hips over the ground are from the person's, scaled by the legs; median",
)  # fmt: skip
ROOT = Measure(
    "root_distance_m", "Robot beside person", "m", SMALL,
    "horizontal distance of the robot's pelvis from the person's, 90th percentile",
)  # fmt: skip
MEASURES = (REPROJECTION, DIRECTIONS, ARTICULATION, CORRELATION, HIPS, ROOT)

POINTS = tuple(name for name, _ in SMPL_TO_G1)
SIDES = ("left", "right")
LIMBS = tuple(
    (f"{side}_{a}", f"{side}_{b}")
    for a, b in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))
    for side in SIDES
)
MOVES_DEG = 10.0
"""A joint that varies less in the person, root mean square, says nothing of the robot's."""
Points = Float[np.ndarray, "T N 3"]


def compute(clip: Clip) -> Values:
    """Of the worst part of the worst of the robots."""
    robot = load_g1()
    found = [
        _of_part(clip, robot, person, part)
        for person, parts in clip.robots.items()
        for part in parts
        if person in clip.joints
    ]
    return worst(found, MEASURES)


def _of_part(clip: Clip, robot: Robot, person: int, motion: RobotMotion) -> dict[str, float]:
    frames = clip.motions[person].frames
    row_of = {frame_number(name): row for row, name in enumerate(frames)}
    shared = [
        (row, row_of[number])
        for row, number in enumerate(motion.frame_numbers.tolist())
        if number in row_of and motion.present[row]
    ]
    if len(shared) < 2:
        return {}
    of_robot, of_person = np.array(shared).T
    _, places = poses(robot, motion)
    links = [robot.link(link) for _, link in SMPL_TO_G1]
    ours = places[of_robot][:, links]
    theirs = clip.joints[person][of_person][:, [smpl45_row(name) for name in POINTS]]
    found = {
        **articulation(bends(ours), bends(theirs)),
        DIRECTIONS.name: max(_angle_deg(ours, theirs, limb).mean() for limb in LIMBS),
        ROOT.name: float(np.percentile(np.linalg.norm((ours - theirs)[:, 0, :2], axis=1), 90)),
    }
    limbs = [POINTS.index(COCO_WHOLEBODY_NAMES[row]) for row in COCO_LIMBS]
    errors = limb_errors(clip, person, [frames[row] for row in of_person], ours[:, limbs])
    if np.isfinite(errors).any():
        found[REPROJECTION.name] = float(np.nanmean(errors))
    ratio = _hips_ratio(clip, ours, theirs)
    if ratio is not None:
        legs = limb_lengths_m(robot)
        of_g1 = sum(legs[pair] for pair in (("left_hip", "left_knee"), ("left_knee", "left_ankle")))
        of_them = sum(np.linalg.norm(_limb(theirs, limb), axis=1).mean() for limb in LIMBS[:4:2])
        found[HIPS.name] = abs(ratio / (of_g1 / of_them) - 1)
    return found


def _limb(points: Points, limb: tuple[str, str]) -> Float[np.ndarray, "T 3"]:
    return points[:, POINTS.index(limb[1])] - points[:, POINTS.index(limb[0])]


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def _angle_deg(a: Points, b: Points, limb: tuple[str, str]) -> Float[np.ndarray, " T"]:
    cosine = (_unit(_limb(a, limb)) * _unit(_limb(b, limb))).sum(-1)
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))


def bends(points: Points) -> dict[str, Float[np.ndarray, "T K"]]:
    """How each joint is bent: sines of the angles between the limbs that meet there, by joint.

    Knees and elbows have one angle; thighs and upper arms two, by their components in the frame of
    the hips or shoulders.
    """
    found = {}
    across = _unit(_limb(points, ("right_hip", "left_hip")))
    middle = {
        part: (points[:, POINTS.index(f"left_{part}")] + points[:, POINTS.index(f"right_{part}")])
        / 2
        for part in ("hip", "shoulder")
    }
    up = _unit(middle["shoulder"] - middle["hip"])
    forward = _unit(np.cross(across, up))
    for side in SIDES:
        for joint, upper, lower in (
            ("knee", "hip", "ankle"),
            ("elbow", "shoulder", "wrist"),
        ):
            a = _unit(_limb(points, (f"{side}_{upper}", f"{side}_{joint}")))
            b = _unit(_limb(points, (f"{side}_{joint}", f"{side}_{lower}")))
            angle = np.arccos(np.clip((a * b).sum(-1), -1, 1))
            found[f"{side} {joint}"] = angle[:, None]
        for joint, end in (("hip", "knee"), ("shoulder", "elbow")):
            limb = _unit(_limb(points, (f"{side}_{joint}", f"{side}_{end}")))
            swing = [(limb * axis).sum(-1) for axis in (forward, across)]
            found[f"{side} {joint}"] = np.stack(swing, axis=1)
    return found


def articulation(
    ours: dict[str, Float[np.ndarray, "T K"]], theirs: dict[str, Float[np.ndarray, "T K"]]
) -> dict[str, float]:
    """Least ratio and correlation of the joints that move in the person; none if none does."""
    ratios, correlations = [], []
    for joint, reference in theirs.items():
        a, b = ours[joint] - ours[joint].mean(0), reference - reference.mean(0)
        moves = float(np.sqrt((b**2).sum(1).mean()))
        if np.degrees(moves) < MOVES_DEG:
            continue
        own = float(np.sqrt((a**2).sum(1).mean()))
        ratios.append(own / moves)
        correlations.append(float((a * b).sum(1).mean()) / max(own * moves, 1e-9))
    if not ratios:
        return {}
    return {ARTICULATION.name: min(ratios), CORRELATION.name: min(correlations)}


def _hips_ratio(clip: Clip, ours: Points, theirs: Points) -> float | None:
    """Of the heights of both pelvises over the mesh below the person, less their ankles'."""
    if clip.terrain.empty:
        return None
    ground = clip.terrain.surface_below(theirs[:, 0])
    robot, person = ours[:, 0, 2] - ground, theirs[:, 0, 2] - ground
    known = np.isfinite(robot) & np.isfinite(person) & (person > 0.2)
    return float(np.median(robot[known] / person[known])) if known.any() else None
