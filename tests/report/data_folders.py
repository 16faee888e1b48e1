"""Small data folders for the report, written by the project's own writers."""

from pathlib import Path
from typing import Any

import numpy as np

from stages.artifacts.images import FrameTimes, write_image, write_times
from stages.artifacts.keypoints import PersonKeypoints, write_keypoints
from stages.artifacts.layout import DataFolder
from stages.artifacts.masks import write_frame
from stages.running import ledger

FRAMES, HEIGHT, WIDTH = 4, 90, 160


def noted(
    root: Path, video: str, stage: str, outcome: str = "done", reason: str = "", **details: Any
) -> None:
    """Adds a line to the ledger."""
    entry = ledger.Entry(
        stage=stage,
        video=video,
        outcome=outcome,
        reason=reason,
        seconds=1.5,
        peak_memory_mb=100.0,
        started=ledger.now(),
        command=f"{stage} --pattern {video}",
        device="cpu",
        versions={"python": "3.11"},
        weights_sha256={"model_checkpoint": "0" * 64},
        details=details,
    )
    ledger.append(root, entry)


def with_people(root: Path, video: str, coverage: float) -> DataFolder:
    """Frames, masks and keypoints of a clip, and what stage 1 noted."""
    data = DataFolder(root)
    ids = np.zeros((HEIGHT, WIDTH), np.uint16)
    ids[20:80, 60:90] = 1
    keypoints = np.full((133, 3), 50.0, np.float32)
    for frame in range(1, FRAMES + 1):
        stem = f"{frame:05d}"
        write_image(data.images(video) / f"{stem}.jpg", np.full((HEIGHT, WIDTH, 3), 90, np.uint8))
        write_frame(data.masks(video), stem, ids, {1: 0.9})
        box = np.array([60, 20, 90, 80, 1], np.float32)
        write_keypoints(data.keypoints(video), frame, {1: PersonKeypoints(box, keypoints)})
    times_s = np.arange(FRAMES) / 25
    write_times(data.images(video), FrameTimes(25.0, times_s, f"{video}.mp4"))
    noted(root, video, "stage0-frames")
    noted(root, video, "stage1-sfm", depth_coverage=coverage, residuals={"reprojection": 0.3})
    return data
