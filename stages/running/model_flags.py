"""The flags of models that several stages use: checkpoints of networks, the body."""

from typing import Any

from stages.body.model import DEMO_BODY
from stages.robot.model import ROBOT_DIR_VARIABLE, g1_file
from stages.running.flags import model_file
from stages.weights.locate import FOLDER_VARIABLE, checkpoint, fetched

BODY_VARIABLE = "MIMICMILL_BODY"


def checkpoint_flag(network: str, text: str, name: str = "--model-checkpoint") -> Any:
    """A field for a network's checkpoint."""
    return model_file(
        lambda: checkpoint(network),
        text,
        shown_default="what $MIMICMILL_WEIGHTS or data/weights has, else the demo's",
        name=name,
        set_by=FOLDER_VARIABLE,
    )


def fetched_flag(key: str, text: str, name: str = "--model-checkpoint") -> Any:
    """A field for the folder of a checkpoint that `stages.weights.fetch` brings."""
    return model_file(
        lambda: fetched(key),
        text,
        shown_default=f"{key}/ of $MIMICMILL_WEIGHTS if it is there, else of data/weights",
        name=name,
        set_by=FOLDER_VARIABLE,
    )


def robot_flag() -> Any:
    """A field for the robot."""
    return model_file(
        g1_file,
        "The robot's URDF.",
        shown_default="the G1 in $MIMICMILL_ROBOTS, else this project's",
        name="--robot",
        set_by=ROBOT_DIR_VARIABLE,
    )


def body_flag() -> Any:
    """A field for the body model."""
    return model_file(
        lambda: DEMO_BODY,
        "A body in SMPL's file layout: SMPL_MALE.pkl under your own licence, or an .npz.",
        shown_default="the demo's CC0 body",
        variable=BODY_VARIABLE,
    )
