"""The animated glTF in a browser: three.js draws the place, the robot and the person."""

import io
import time

import numpy as np
import pytest
import viser
from click.testing import CliRunner
from PIL import Image
from playwright.sync_api import Browser

from bench.made_clip import write_clip
from stages.export.command import main
from tests.browser.seen import differing

PORT = 8641
PATIENCE_S = 40
UNDER_THE_PANEL = np.s_[250:, 320:]
SKIN_PX = 500
"""Of 640x480, at least; the place takes much more."""


@pytest.fixture(scope="module")
def glb(tmp_path_factory) -> bytes:
    folder = tmp_path_factory.mktemp("glb")
    write_clip(folder, "alone", frames=12, height=36, width=64, people=1)
    result = CliRunner().invoke(main, ["--data-dir", str(folder), "--format", "glb"])
    assert result.exit_code == 0, result.output
    return (folder / "export" / "glb" / "alone.glb").read_bytes()


def test_a_browser_draws_it(glb, browser: Browser, screenshots):
    server = viser.ViserServer("127.0.0.1", PORT, verbose=False)
    try:
        server.scene.set_up_direction("+y")
        server.initial_camera.position, server.initial_camera.look_at = (0, 1, 0), (0, 0.9, -3)
        page = browser.new_page(viewport={"width": 640, "height": 480})
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"http://127.0.0.1:{PORT}")
        page.wait_for_selector("canvas")
        handle = server.scene.add_glb("/clip", glb)
        deadline = time.monotonic() + PATIENCE_S
        while True:
            handle.visible = True
            page.wait_for_timeout(1000)
            shown = Image.open(io.BytesIO(page.screenshot(path=screenshots / "glb.png")))
            handle.visible = False
            page.wait_for_timeout(1000)
            hidden = Image.open(io.BytesIO(page.screenshot()))
            drawn_px = differing(np.asarray(shown, int), np.asarray(hidden, int))
            red, _, blue, *_ = np.moveaxis(np.asarray(shown, int)[UNDER_THE_PANEL], -1, 0)
            skin_px = np.sum(red > blue + 30)
            if min(drawn_px / 10, skin_px) > SKIN_PX or time.monotonic() > deadline:
                break
        page.close()
        assert drawn_px > 10 * SKIN_PX and skin_px > SKIN_PX and not errors
    finally:
        server.stop()
