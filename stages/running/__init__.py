"""The sequential run that all stages share."""

from stages.running.command import stage_command
from stages.running.device import torch_device
from stages.running.flags import flag, folder, model_file
from stages.running.options import RunOptions
from stages.running.people_flags import ChosenPeople, PeopleFlags
from stages.running.run import run
from stages.running.selection import folders_with_frames
from stages.running.stage import DeclinedError, Input, InputPaths, Processed, Stage, VideoError

__all__ = [
    "ChosenPeople",
    "DeclinedError",
    "Input",
    "InputPaths",
    "PeopleFlags",
    "Processed",
    "RunOptions",
    "Stage",
    "VideoError",
    "flag",
    "folder",
    "folders_with_frames",
    "model_file",
    "run",
    "stage_command",
    "torch_device",
]
