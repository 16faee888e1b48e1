"""The viewer as a person uses it: the command, a browser, the picture and the file of decisions."""

import io
import json
import os
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser

from bench.made_clip import write_clip
from stages.artifacts.layout import CALIBRATED
from stages.artifacts.people_and_world import MEGAHUNTER_FILE, opened_people_and_world
from stages.running.stamps import Stamp, stamp_path, write_stamp
from tests.browser.seen import Seen, Viewer, differing
from tests.pipeline.finished import FRAMES, VIDEO

MADE_FRAMES = 6
PORT = 8611


@pytest.fixture(scope="module")
def data(chain, tmp_path_factory) -> Path:
    """The cut of the demo, made by all stages; two people; and results that are none yet."""
    folder = chain.copied_to(tmp_path_factory.mktemp("looked at"))
    write_clip(folder, "both", frames=MADE_FRAMES, height=144, width=256, people=2)
    broken = write_clip(folder, "broken", frames=1, height=36, width=64) / MEGAHUNTER_FILE
    broken.write_bytes(broken.read_bytes()[:1000])
    write_clip(folder, "half", frames=2, height=36, width=64)
    write_stamp(
        stamp_path(folder, "stage4-retarget", "half", "sfm"), Stamp(False, {}, {}, {}, {}, [], {})
    )
    return folder


@pytest.fixture(scope="module")
def viewer(data: Path, browser: Browser):
    viewer = Viewer(data, PORT)
    yield viewer
    viewer.stop()


@pytest.fixture(scope="module")
def one_page(viewer: Viewer, browser: Browser):
    seen = Seen(browser, viewer.address)
    yield seen
    seen.page.close()


@pytest.fixture
def seen(one_page: Seen):
    """The page, on which nothing has gone wrong, whatever the test did."""
    yield one_page
    assert one_page.errors == []
    assert one_page.elsewhere == []


def folder_of(data: Path, video: str) -> Path:
    (found,) = (data / CALIBRATED).glob(f"*_results_{video}_cam01_*")
    return found


def test_the_demo_s_result_is_shown(seen, screenshots):
    seen.open(VIDEO)
    seen.still()
    assert seen.number("Last frame").input_value() == str(FRAMES - 1)
    seen.page.screenshot(path=screenshots / "viewer.png")


@pytest.mark.parametrize(
    ("video", "element"),
    [
        (VIDEO, "People"),
        (VIDEO, "Contacts"),
        (VIDEO, "Joints"),
        (VIDEO, "Robot"),
        (VIDEO, "Cameras"),
        (VIDEO, "Background points"),
        (VIDEO, "Background mesh"),
        (VIDEO, "Height field"),
        ("both", "Human points"),
    ],
)
def test_every_element_can_be_taken_away_and_put_back(seen, video, element):
    seen.open(video)
    if element == "Cameras":  # They are behind whoever looks at people first.
        seen.page.mouse.move(300, 400)
        seen.page.mouse.wheel(0, 1500)
    before = seen.still()
    seen.changes_by(lambda: seen.toggle(element))
    seen.toggle(element)
    seen.wait_for(lambda: differing(before, seen.picture()) < 20, "same picture")


@pytest.mark.parametrize(
    ("video", "label", "value", "usual"),
    [
        ("both", "Confidence threshold", "0.9", "0"),
        (VIDEO, "Gradient threshold", "0.01", "0.05"),
    ],
)
def test_thresholds_change_the_points(seen, video, label, value, usual):
    seen.open(video)
    seen.changes_by(lambda: seen.enter(label, value), pixels=50)
    seen.changes_by(lambda: seen.enter(label, usual), pixels=50)


def test_frames_are_stepped_through_and_played(seen):
    seen.open(VIDEO)
    assert seen.frame == 0
    seen.changes_by(lambda: seen.click("Forward"))
    assert seen.frame == 1
    seen.changes_by(lambda: seen.press(","))
    assert seen.frame == 0
    seen.click("10")
    seen.press("l")
    seen.wait_for(lambda: seen.frame > 5, "later frame")
    seen.press("l")
    seen.wait_for(lambda: seen.frame == (seen.page.wait_for_timeout(500), seen.frame)[1], "rest")
    assert seen.page.get_by_label("Playing", exact=True).is_checked() is False


def test_the_follow_camera_sees_people_where_the_video_does(seen, data):
    """Of everything only one person is left: their legs are where the video has them."""
    seen.open("both")
    others = ("Contacts", "Robot", "Cameras", "Background points", "Human points")
    for label in others:
        seen.toggle(label)
    seen.choose("Person", "2")
    for _ in range(3):
        seen.click("Forward")
    seen.wait_for(lambda: seen.frame == 3, "third frame")
    seen.changes_by(lambda: seen.toggle("Follow the video's camera"))
    canvas = seen.page.locator("canvas").first.bounding_box()
    with opened_people_and_world(folder_of(data, "both") / MEGAHUNTER_FILE) as file:
        frame, root = file.world["00004"], file.people[2].root_transl[3]
        T, K, (height, _) = frame.T_world_camera, frame.intrinsic, frame.size
    right, _, ahead = (root - T[:3, 3]) @ T[:3, :3]
    pixels = canvas["height"] / height * K[0, 0] * right / ahead
    expected = canvas["x"] + canvas["width"] / 2 + pixels

    def legs_are_there() -> bool:
        _, columns = np.nonzero((seen.still()[-120:] < 200).any(axis=-1))
        print("MEAN", columns.mean(), expected, seen.frame, flush=True)
        seen.page.screenshot(path="/tmp/follow.png")
        return abs(columns.mean() - expected) < 8

    seen.wait_for(legs_are_there, "legs where the video has them")
    seen.toggle("Follow the video's camera")
    for label in others:
        seen.toggle(label)


def test_the_ego_view_changes_with_frames_and_is_saved(seen, data):
    seen.open(VIDEO)
    seen.unfold("Ego view")
    seen.toggle("Show what the person sees")
    images = seen.page.locator("img[src^='blob:']")
    seen.wait_for(lambda: images.count() == 2, "ego view")
    colour = images.first.get_attribute("src")
    for _ in range(5):
        seen.click("Forward")
    seen.wait_for(lambda: images.first.get_attribute("src") != colour, "other ego view")
    seen.click("Save the ego view of all frames")
    seen.says(f"{FRAMES} frames in")
    saved = folder_of(data, VIDEO) / "ego_view"
    assert len(list(saved.glob("rgbimg_*.png"))) == FRAMES
    seen.toggle("Show what the person sees")


def test_the_distance_tool_measures(seen):
    seen.open(VIDEO)
    seen.unfold("Distance")
    seen.changes_by(lambda: seen.toggle("Show the distance tool"))
    seen.page.wait_for_function(
        "() => [...document.querySelectorAll('input')].some(one => one.value === '1.000 m')"
    )
    seen.changes_by(lambda: seen.toggle("Show the distance tool"))


def test_results_that_are_broken_or_half_made_say_so_and_others_open(seen):
    seen.open("broken")
    seen.says("broken or still being written")
    seen.open("half")
    seen.says("stage4-retarget has begun on it and not finished")
    seen.open("both")
    assert seen.page.get_by_text("broken or still").count() == 0


def test_a_result_that_changes_meanwhile_says_so(seen, data):
    seen.open("both")
    os.utime(folder_of(data, "both") / MEGAHUNTER_FILE, (time.time() + 5,) * 2)
    seen.says("has changed on disk")
    seen.press("o")
    seen.wait_for(lambda: seen.page.get_by_text("has changed on disk").count() == 0, "silence")


def test_a_saved_page_plays_without_a_server(seen, browser, data, screenshots):
    seen.open("both")
    seen.unfold("Export")
    seen.click("Save as a page that plays by itself")
    seen.says("viewer.html")
    page = browser.new_page(viewport={"width": 600, "height": 400})
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url))
    page.goto((folder_of(data, "both") / "viewer.html").as_uri())
    page.locator("canvas").first.wait_for()
    seen.wait_for(lambda: colours_of(page) > 50, "scene in the page")
    page.screenshot(path=screenshots / "page.png")
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    page.close()


def test_a_rejected_clip_is_rejected_after_a_restart(seen, viewer, browser, data):
    seen.open("both")
    seen.press("r")
    seen.says("Saved")
    lines = [json.loads(line) for line in (data / "curation.jsonl").read_text().splitlines()]
    assert [(line["video"], line["verdict"]) for line in lines] == [("both", "reject")]
    another = Viewer(data, PORT)
    again = Seen(browser, another.address)
    again.open("both")
    again.wait_for(
        lambda: again.page.get_by_label("Verdict").input_value() == "reject", "rejection"
    )
    assert another.address != viewer.address
    again.page.close()
    another.stop()


def colours_of(page) -> int:
    shot = page.screenshot()
    picture = np.asarray(Image.open(io.BytesIO(shot)).convert("RGB"))
    return len(np.unique(picture.reshape(-1, 3), axis=0))
