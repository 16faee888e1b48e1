"""What an export says of itself: a description beside each motion, and the card of the data set."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from stages.export.motion import Motion
from stages.export.registry import Format


def description(motion: Motion, form: Format, robot: str) -> dict[str, Any]:
    """All that a reader of a motion's file has to know, for `<name>.json`."""
    return {
        "name": motion.name,
        "fps": motion.fps,
        "rows": len(motion.joint_pos),
        "robot": f"Unitree G1, {robot} joints",
        "robot_revision": "1.0" if form.revision_1_0 else "before 1.0, as in this project's URDF",
        "joint_names": motion.joint_names,
        "body_names": motion.body_names,
        "order": form.order,
        "joint_names_and_body_names_are_in": "MuJoCo's order: depth first",
        "quaternions": form.quaternions,
        "axes": "z up, world of the mesh; x of the robot's root is ahead",
        "units": "m, rad, s",
        "joints_left_out": [
            name for name in motion.source.joint_names if name not in motion.joint_names
        ],
        "joints_held_at_zero": [
            name for name in motion.joint_names if name not in motion.source.joint_names
        ],
        "first_frame_of_video": int(motion.source.frame_numbers[0]),
        "seconds_not_seen": float(np.sum(~motion.source.seen) / motion.source.fps),
        **motion.about,
    }


def card(name: str, form: Format, described: Sequence[dict[str, Any]]) -> str:
    """The README of an export."""
    seconds = sum(each["rows"] / each["fps"] for each in described)
    used = {
        (weights["file"], weights["licence"]): weights["stage"]
        for each in described
        for weights in each["weights"]
    }
    clips = [
        f"| {each['name']} | {each['video']} | {each['rows'] / each['fps']:.1f} | {each['fps']:g} |"
        f" {each['people_method']} | {each['world_method']} | {each['verdict']} |"
        for each in described
    ]
    licences = [f"| {file} | {stage} | {licence} |" for (file, licence), stage in used.items()]
    robots = " and ".join(dict.fromkeys(each["robot"] for each in described))
    return "\n".join(
        [
            f"# {name}: {form.help}",
            "",
            f"{len(described)} motions, {seconds / 60:.2f} minutes, {robots}. Joints and bodies: "
            f"{form.order}. Quaternions: {form.quaternions}. Metres, radians, z up. Each motion's "
            "`.json` has the names in order, where it comes from and what was assumed.",
            "",
            "| motion | video | seconds | rows a second | people by | world by | verdict |",
            "|---|---|---|---|---|---|---|",
            *clips,
            "",
            "## Licences that the motions inherit",
            "",
            "| weights | of | licence |",
            "|---|---|---|",
            *licences,
            "",
        ]
    )
