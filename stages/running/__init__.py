"""The sequential run that all stages share."""

from stages.running.options import (
    body_option,
    data_folder,
    folder_option,
    people_options,
    shared_options,
)
from stages.running.run import run
from stages.running.selection import Selection, frame_count, padded_length, videos_in
from stages.running.stage import Input, Stage, VideoError

__all__ = [
    "Input",
    "Selection",
    "Stage",
    "VideoError",
    "body_option",
    "data_folder",
    "folder_option",
    "frame_count",
    "padded_length",
    "people_options",
    "run",
    "shared_options",
    "videos_in",
]
