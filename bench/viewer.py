"""Speeds of looking at results: the viewer's and the report's, on the demo and on a long clip made
here.

python -m bench.viewer [DATA ...]: for each data folder, what `make dataset` left there and 300
frames of 512x288, the medians over switches between results (or of opening the only one again) of
the time until what is shown at once is on its way to the browser, and until everything is, the
place included; then the times and sizes of the report's pages, made and left as they were.
"""

import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import viser
from websockets.sync.client import connect

from bench.made_clip import write_clip
from bench.report import report_speeds
from stages.artifacts.layout import CALIBRATED
from stages.body.model import DEMO_BODY, load_body
from stages.robot.model import load_g1
from stages.viewer.command import LOOPBACK, free_port
from stages.viewer.player import Player
from stages.viewer.results import find_results
from stages.viewer.settings import Settings

FIRST_PORT = 8700
FRAMES, HEIGHT, WIDTH = 300, 288, 512


@dataclass(frozen=True)
class Switching:
    """Medians of seconds after a click."""

    shown_s: float
    """Until people, robots and camera are on their way."""
    everything_s: float
    frame_s: float
    """Until another frame of the same clip is."""
    sent_mb: float
    """To each browser, for everything of a clip."""


class Browser:
    """What a browser would receive."""

    def __init__(self, port: int) -> None:
        protocol = f"viser-v{viser.__version__}"
        self.connection = connect(
            f"ws://{LOOPBACK}:{port}",
            subprotocols=[protocol],  # type: ignore[list-item] # A name for a string.
            max_size=None,
        )
        self.received = 0
        threading.Thread(target=self._receive, daemon=True).start()

    def _receive(self) -> None:
        for message in self.connection:
            self.received += len(message)

    def wait_until_quiet(self) -> None:
        before = -1
        while self.received != before:
            before = self.received
            time.sleep(0.3)


@contextmanager
def opened_player() -> Iterator[tuple[Player, Browser]]:
    """A player with the viewer's defaults, and a browser that looks."""
    port = free_port(LOOPBACK, FIRST_PORT)
    server = viser.ViserServer(host=LOOPBACK, port=port, verbose=False)
    player = Player(server, load_body(DEMO_BODY), load_g1(), Settings(), _say)
    try:
        yield player, Browser(port)
    finally:
        player.close()
        server.stop()


def _say(text: str) -> None:
    if text:
        print(text, flush=True)


def switching(data: Path, switches: int = 9) -> Switching:
    """Goes from result to result, or opens the only one again and again."""
    results = find_results(data / CALIBRATED)
    shown, everything, frame, sent = [], [], [], []
    with opened_player() as (player, browser):
        for turn in range(switches + 1):
            browser.wait_until_quiet()
            before, begun = browser.received, time.perf_counter()
            player.open(results[turn % len(results)])
            player.server.flush()
            shown.append(time.perf_counter() - begun)
            player.loaded.wait()
            player.server.flush()
            everything.append(time.perf_counter() - begun)
            browser.wait_until_quiet()
            sent.append((browser.received - before) / 1e6)
            begun = time.perf_counter()
            player.show(turn + 1)
            player.server.flush()
            frame.append(time.perf_counter() - begun)
    medians = (statistics.median(each[1:]) for each in (shown, everything, frame, sent))
    return Switching(*medians)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_clip(Path(folder), "long", FRAMES, HEIGHT, WIDTH)
        for data in (*map(Path, sys.argv[1:] or ["data/demo"]), Path(folder)):
            label = f"{FRAMES} frames of {WIDTH}x{HEIGHT}" if str(data) == folder else str(data)
            if not find_results(data / CALIBRATED):
                print(f"{label}: no results; run make dataset first")
                continue
            times = switching(data)
            print(
                f"{label}: viewer: shown after {times.shown_s:.2f} s, all after"
                f" {times.everything_s:.2f} s, {times.sent_mb:.1f} MB; the next frame after"
                f" {times.frame_s:.3f} s",
                flush=True,
            )
            speeds = report_speeds(data)
            print(
                f"{label}: report: {speeds.made_s:.1f} s a clip, {speeds.largest_mb:.1f} MB the"
                f" largest; one of {speeds.clips} clips changed: {speeds.one_changed_s:.1f} s;"
                f" nothing changed: {speeds.unchanged_s:.1f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
