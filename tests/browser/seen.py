"""The viewer's command, and a page on it as a person uses it."""

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Locator, Request

WIDTH, HEIGHT = 900, 600
DOTS_A_PIXEL = 0.5
PATIENCE_S = 15.0
"""Software draws a frame in a tenth of a second, or in some seconds on a machine that is busy."""
APART_MS = 100
"""viser's page sends one change of its widgets in 50 ms, the last: of more that a program makes at
once those between are lost. People are slower."""
NOTICED = 25
"""Steps of 255 by which a pixel is clearly of another colour."""


class Viewer:
    """The command in a process of its own, on a data folder."""

    def __init__(self, data: Path, port: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "stages.viewer.command", "--port", str(port)],
            env={**os.environ, "MIMICMILL_DATA": str(data)},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        lines = iter(self.process.stdout.readline, "")
        said = next((line for line in lines if " results at " in line), "")
        assert said, "the viewer did not start"
        self.address = said.split()[3]

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(20)


class Seen:
    """A page on the viewer, with what it complained of and what it asked others for."""

    def __init__(self, browser: Browser, address: str) -> None:
        self.page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        self.page.set_default_timeout(1000 * PATIENCE_S)
        self.errors: list[str] = []
        self.elsewhere: list[str] = []
        self.page.on("console", lambda m: m.type == "error" and self.errors.append(m.text))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", self._requested)
        # Else the client draws more coarsely after it was slow.
        self.page.goto(f"{address}?fixedDpr={DOTS_A_PIXEL}")
        self.page.get_by_label("Verdict").wait_for()

    def _requested(self, request: Request) -> None:
        here = ("http://localhost", "ws://localhost", "data:", "blob:", "file:")
        if not request.url.startswith(here):
            self.elsewhere.append(request.url)

    # --- the picture

    def picture(self) -> np.ndarray:
        """The scene left of the panel and below what the browser has to say of its software."""
        clip = {"x": 0, "y": 190, "width": 560, "height": HEIGHT - 190}
        shot = self.page.screenshot(clip=clip)
        return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB")).astype(int)

    def still(self) -> np.ndarray:
        """The picture, once all is loaded and it stays as it is and shows something."""
        self.wait_for(lambda: self.page.get_by_text("Loading").count() == 0, "end of loading")
        last = self.picture()

        def stays() -> bool:
            nonlocal last
            self.page.wait_for_timeout(300)
            before, last = last, self.picture()
            return differing(before, last) == 0 and np.ptp(last) > 100

        self.wait_for(stays, "a picture that stays")
        return last

    def changes_by(self, action: Callable[[], object], pixels: int = 20) -> int:
        """How many pixels an action changes; waits until so many have."""
        before = self.still()
        action()
        self.wait_for(lambda: differing(before, self.picture()) >= pixels, "another picture")
        return differing(before, self.picture())

    def wait_for(self, condition: Callable[[], bool], what: str) -> None:
        ends = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < ends, f"no {what} after {PATIENCE_S:.0f} s"
            self.page.wait_for_timeout(100)

    # --- the panel

    def toggle(self, label: str) -> None:
        self.page.get_by_label(label, exact=True).evaluate("box => box.click()")
        self.page.wait_for_timeout(APART_MS)

    def click(self, button: str) -> None:
        self.page.get_by_role("button", name=button, exact=True).first.click()
        self.page.wait_for_timeout(APART_MS)

    def choose(self, label: str, option: str) -> None:
        self.page.get_by_label(label, exact=True).first.click()
        self.page.get_by_role("option", name=option, exact=True).click()
        self.page.wait_for_timeout(APART_MS)

    def unfold(self, folder: str) -> None:
        self.page.get_by_text(folder, exact=True).first.click()

    def number(self, label: str) -> Locator:
        """The input of a slider."""
        row = self.page.get_by_text(label, exact=True)
        return row.locator("xpath=ancestor::div[.//input][1]//input[not(@type='hidden')]").last

    def enter(self, label: str, value: str) -> None:
        box = self.number(label)
        box.fill(value)
        box.press("Enter")
        self.page.wait_for_timeout(APART_MS)

    def says(self, text: str) -> None:
        """Waits until the panel says something."""
        self.page.get_by_text(text).first.wait_for()

    def press(self, key: str) -> None:
        self.page.mouse.click(20, HEIGHT - 20)  # Out of any field.
        self.page.keyboard.press(key)

    @property
    def result(self) -> str:
        return self.page.get_by_label("Result", exact=True).first.input_value()

    @property
    def frame(self) -> int:
        return int(self.number("Frame").input_value())

    def open(self, video: str) -> None:
        """Goes on to a result, once around if it is open already, until it is seen as at first."""
        for _ in range(5):
            before = self.result
            self.press("n")
            self.wait_for(lambda before=before: self.result != before, "other result")
            if self.result.startswith(video):
                return
        raise AssertionError(f"no result {video}")


def differing(a: np.ndarray, b: np.ndarray) -> int:
    """Pixels that are clearly of another colour."""
    return int((np.abs(a - b).max(axis=-1) > NOTICED).sum())
