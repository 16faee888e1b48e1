"""The installed commands, run in this process on a data folder, and a cut of a demo video."""

from dataclasses import dataclass
from fractions import Fraction
from importlib.metadata import entry_points
from pathlib import Path

import av
from click.testing import CliRunner

from stages import catalogue
from stages.running import ledger
from tests.pipeline.opened_files import listening

REPOSITORY = Path(__file__).parents[2]
DEMO_VIDEOS = sorted((REPOSITORY / "data" / "demo" / "videos").glob("*.mp4"))
DEMO_VIDEO = DEMO_VIDEOS[0]

CHAIN = [entry.name for entry in catalogue.chain(catalogue.OFFICIAL, "sfm")]
STAGE0 = [name for name in CHAIN if name.startswith("stage0-")]


@dataclass(frozen=True)
class Ran:
    """What a command said and which lines it added to the ledger, by video."""

    exit_code: int
    output: str
    entries: dict[str, dict]
    opened: frozenset[Path] = frozenset()
    """Files that it opened for reading."""

    def reason(self, video: str) -> str:
        return self.entries[video]["reason"]

    def outcome(self, video: str) -> str:
        return self.entries[video]["outcome"]

    def failed_clearly(self, video: str) -> bool:
        """Whether the video failed with one line, on the screen as in the ledger, that says more
        than that something broke."""
        lines = [line for line in self.output.splitlines() if f"] {video}: failed in" in line]
        reason = self.reason(video)
        return (
            self.outcome(video) == "failed"
            and len(lines) == 1
            and lines[0].endswith(reason)
            and "traceback" not in reason
        )


def command(stage: str, data: Path, *flags: str) -> Ran:
    """Runs the console script of a stage with `MIMICMILL_DATA` set to `data`."""
    (script,) = entry_points(group="console_scripts", name=stage)
    before = len(ledger.read(data))
    entry = script.load()
    with listening() as opened:
        result = CliRunner().invoke(entry, list(flags), env={"MIMICMILL_DATA": str(data)})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert "Traceback" not in result.output
    added = ledger.read(data)[before:]
    by_video = {entry["video"]: entry for entry in added}
    return Ran(result.exit_code, result.output, by_video, frozenset(opened))


def write_video(path: Path, pictures, rate: int = 30) -> None:
    """H.264 of RGB pictures."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"crf": "18"})
        stream.pix_fmt = "yuv420p"
        for index, picture in enumerate(pictures):
            if index == 0:
                stream.height, stream.width = picture.shape[:2]
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def demo_pictures(frames: range, video: Path = DEMO_VIDEO):
    """Some pictures of a demo video."""
    with av.open(str(video)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index in frames:
                yield frame.to_ndarray(format="rgb24")
            if index >= frames[-1]:
                return
