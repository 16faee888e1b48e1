"""The whole chain, once a session, on a short cut of a demo video."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.pipeline.commands import CHAIN, Ran, command, demo_pictures, write_video

VIDEO = "прыжок 1.5_cam02_frame_3"
"""Spaces, dots, `_cam`, `_frame_` and letters beyond ASCII: every stage has to carry it on."""
SOURCE_FRAMES, FPS, FRAMES = 44, 15, 22


@dataclass(frozen=True)
class Chain:
    """A finished data folder and what the commands said."""

    data: Path
    ran: dict[str, Ran]
    video: str = VIDEO

    def copied_to(self, folder: Path) -> Path:
        """The same data folder elsewhere, to be spoiled."""
        shutil.copytree(self.data, folder, dirs_exist_ok=True)
        return folder


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
