"""The controls of time: frames, steps, playing and its rate."""

import threading
import time
from collections.abc import Callable

import viser

from stages.viewer.filling import Filling

RATES = ("10", "20", "30", "60")
RATE = 30.0
"""Of clips that say none."""


class PlaybackControls:
    """show: called with the frame to show. switching: held while a result is being opened, and
    while one frame after another is gone to."""

    def __init__(
        self,
        server: viser.ViserServer,
        filling: Filling,
        switching: threading.RLock,
        show: Callable[[int], None],
    ) -> None:
        self.filling, self.switching, self.show = filling, switching, show
        self.rate = RATE
        gui = server.gui
        with gui.add_folder("Playback"):
            self.frame = gui.add_slider("Frame", 0, 1, 1, 0)
            self.frame_step = gui.add_button_group("Frame step", ["Back", "Forward"])
            self.playing = gui.add_checkbox("Playing", False)
            self.rate_slider = gui.add_slider("Frames a second", 1, 60, 1, int(RATE))
            self.rates = gui.add_button_group("Rate", RATES)
        self.frame.on_update(lambda _: self._show())
        self.frame_step.on_click(lambda e: self.move(1 if e.target.value == "Forward" else -1))
        self.rate_slider.on_update(lambda _: setattr(self, "rate", float(self.rate_slider.value)))
        self.rates.on_click(lambda e: setattr(self.rate_slider, "value", int(e.target.value)))

    def fill(self, count: int, fps: float) -> None:
        """Goes to the first of so many frames."""
        self.frame.max = max(count - 1, 1)
        self.frame.value = 0
        self.rate = fps
        self.rate_slider.value = round(fps)

    def move(self, by: int) -> None:
        """Goes some frames on or back, round the ends."""
        # viser calls each click in a thread of its own: none of two quick ones must be lost.
        with self.switching:
            self.frame.value = (int(self.frame.value) + by) % (int(self.frame.max) + 1)

    def play_for_ever(self) -> None:
        """Shows frame after frame while "Playing" is set."""
        due = time.monotonic()
        while True:
            due = max(due + 1 / self.rate, time.monotonic())
            time.sleep(max(0.0, due - time.monotonic()))
            if self.playing.value:
                self.move(1)

    def _show(self) -> None:
        if self.filling:
            return
        # A frame that is chosen while a result is being opened is one of the new result.
        with self.switching:
            self.show(int(self.frame.value))
