"""The viewer as a person uses it: the command, a browser, the picture and the file of decisions."""

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.made_clip import write_clip

WIDTH, HEIGHT = 900, 600


def start(data: Path) -> tuple[subprocess.Popen, str]:
    """The viewer's command and the address that it prints."""
    process = subprocess.Popen(
        [sys.executable, "-m", "stages.viewer.command", "--port", "8611"],
        env={**os.environ, "MIMICMILL_DATA": str(data)},
        stdout=subprocess.PIPE,
        text=True,
    )
    for line in process.stdout:
        if " results at http" in line:
            return process, line.split()[3]
    raise AssertionError("the viewer did not start")


def stop(process: subprocess.Popen) -> None:
    process.send_signal(signal.SIGINT)
    process.wait(20)


class Seen:
    """A page on the viewer, with what it said and asked for."""

    def __init__(self, browser, address: str) -> None:
        self.page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        self.page.set_default_timeout(20_000)
        self.errors, self.elsewhere = [], []
        self.page.on("console", lambda m: m.type == "error" and self.errors.append(m.text))
        self.page.on("request", self._requested)
        self.page.goto(address)
        self.page.get_by_label("Verdict").wait_for()
        self.page.wait_for_timeout(4000)

    def _requested(self, request) -> None:
        if not request.url.startswith(("http://localhost", "ws://localhost", "data:", "blob:")):
            self.elsewhere.append(request.url)

    def picture(self) -> np.ndarray:
        """The scene left of the panel."""
        self.page.wait_for_timeout(1500)
        shot = self.page.screenshot(clip={"x": 0, "y": 160, "width": 540, "height": 440})
        return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB")).astype(int)

    def toggle(self, label: str) -> None:
        self.page.get_by_label(label, exact=True).evaluate("box => box.click()")


def differ(a: np.ndarray, b: np.ndarray) -> int:
    """Pixels that are clearly of another colour."""
    return int((np.abs(a - b).max(axis=-1) > 25).sum())


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for video in ("first", "second"):
        write_clip(folder, video, frames=6, height=72, width=128)
    return folder


def test_the_viewer_shows_toggles_thresholds_switches_and_remembers(browser, data):
    process, address = start(data)
    try:
        seen = Seen(browser, address)
        picture = seen.picture()
        for label in ("People", "Background points", "Background mesh", "Joints"):
            seen.toggle(label)
            changed = seen.picture()
            assert differ(picture, changed) > 20, label
            picture = changed
        seen.toggle("Background points")
        seen.toggle("Background mesh")
        picture = seen.picture()
        for label, value in (("Confidence threshold", "0.9"), ("Gradient threshold", "0.001")):
            row = seen.page.get_by_text(label, exact=True)
            box = row.locator("xpath=ancestor::div[.//input][1]//input[not(@type='hidden')]")
            box.last.fill(value)
            box.last.press("Enter")
            changed = seen.picture()
            assert differ(picture, changed) > 50, label
            picture = changed
        seen.page.get_by_role("button", name="Next").first.click()
        seen.page.wait_for_function(
            "() => [...document.querySelectorAll('input')].some(i => i.value.startsWith('second'))"
        )
        seen.page.mouse.click(20, 300)
        seen.page.keyboard.press("r")
        seen.page.get_by_text("Saved").wait_for()
        assert seen.errors == []
        assert seen.elsewhere == []
    finally:
        stop(process)
    (line,) = (data / "curation.jsonl").read_text().splitlines()
    assert (json.loads(line)["video"], json.loads(line)["verdict"]) == ("second", "reject")
    process, address = start(data)
    try:
        again = Seen(browser, address)
        assert again.page.get_by_label("Verdict").input_value() == "undecided"
        again.page.get_by_role("button", name="Next").first.click()
        again.page.wait_for_function(
            "() => [...document.querySelectorAll('input')].some(i => i.value === 'reject')"
        )
    finally:
        stop(process)
