"""What every stage's command takes: which videos, and how they are run."""

from dataclasses import dataclass
from pathlib import Path

import click

from stages.running.flags import flag


@dataclass(kw_only=True, frozen=True)
class RunOptions:
    """The flags that all stages share."""

    pattern: str = flag(
        "", "Only videos whose name contains this, in any case.", shown_default=False
    )
    start_idx: int = flag(0, "Begin at this place in the sorted list of matching videos.")
    end_idx: int = flag(-1, "Stop before this place in the sorted list; -1 for all.")
    names: Path | None = flag(
        None,
        "Only videos named in this file, one a line; - reads them from standard input.",
        kind=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    )
    list_only: bool = flag(
        False,
        "Process nothing; a line a video: name, length, done or missing, and why.",
        name="--list",
    )
    skip_existing: bool = flag(True, "Skip videos done by the same parameters, inputs and weights.")
    workers: int = flag(
        0,
        "At most so many videos side by side, each with models of its own; 0 for as many as GPUs, "
        "or cores and memory, allow.",
        kind=click.IntRange(min=0),
        variable="MIMICMILL_WORKERS",
    )
    gpus: str = flag(
        "all",
        "GPUs to use, each for a video of its own: all, or how many.",
        variable="MIMICMILL_GPUS",
    )
