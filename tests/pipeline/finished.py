"""The whole chain, once a session, on a short cut of a demo video."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.pipeline.commands import CHAIN, Ran, command, demo_pictures, write_video

VIDEO = "прыжок 1.5_cam02_frame_3"
"""Spaces, dots, `_cam`, `_frame_` and letters beyond ASCII: every stage has to carry it on."""
SOURCE_FRAMES, FPS, FRAMES = range(44), 15, 22


@dataclass(frozen=True)
class Chain:
    """A finished data folder and what the commands said."""

    data: Path
    ran: dict[str, Ran]
    video: str = VIDEO

    def copied_to(self, data: Path, video: str = VIDEO) -> Path:
        """Copies everything to another data folder, where the video may have another name.

        Records of runs stay behind, as if other tools had made the files.
        """
        for file in self.data.glob("*put_*/**/*"):
            copy = data / str(file.relative_to(self.data)).replace(VIDEO, video)
            if file.is_file():
                copy.parent.mkdir(parents=True, exist_ok=True)
                # Stages replace files and never write into them: large ones need no copy.
                (os.link if file.stat().st_size > 100_000 else shutil.copy)(file, copy)
        return data


@pytest.fixture(scope="session")
def chain(tmp_path_factory) -> Chain:
    """Every second frame of a demo video's first 1.5 seconds, through all stages."""
    data = tmp_path_factory.mktemp("chain")
    (data / "videos").mkdir()
    write_video(data / "videos" / f"{VIDEO}.mp4", demo_pictures(SOURCE_FRAMES))
    ran = {}
    for stage in CHAIN:
        flags = ["--fps", str(FPS)] if stage == "stage0-frames" else []
        ran[stage] = command(stage, data, *flags)
    return Chain(data, ran)
