"""A real browser with software WebGL; skipped where there is none, unless one is required."""

import os
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]


@pytest.fixture(scope="package")
def browser():
    """One for all tests here; it is gone before others run."""
    chromium = shutil.which("chromium")
    if chromium is None:
        text = "no chromium: run ci/install-browser.sh"
        if os.environ.get("MIMICMILL_BROWSER") == "required":
            pytest.fail(text)
        pytest.skip(text)
    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=chromium, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def screenshots(request: pytest.FixtureRequest) -> Path:
    """The folder of the last run's pictures, in pytest's cache."""
    return request.config.cache.mkdir("screenshots")
