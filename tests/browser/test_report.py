"""The report in a browser: table, plots, no errors, nothing from outside, and for everybody."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from click.testing import CliRunner
from playwright.sync_api import Browser, Page, expect

from stages.report.command import main
from tests.report.data_folders import noted, with_people

CLIPS = {"kitchen": 0.8, "stairs": 0.09, "garden": 0.6}


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> Path:
    """A report of three clips, one of which failed."""
    root = tmp_path_factory.mktemp("data")
    for video, coverage in CLIPS.items():
        with_people(root, video, coverage)
    noted(root, "stairs", "stage2-megahunter", "failed", "too dark")
    CliRunner().invoke(main, ["--data-dir", str(root)], catch_exceptions=False)
    return root / "report"


@pytest.fixture(params=["light", "dark"])
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page that must ask for files alone and must complain of nothing."""
    context = browser.new_context(
        color_scheme=request.param, viewport={"width": 390, "height": 800}
    )
    opened, asked, said = context.new_page(), [], []
    opened.on("request", lambda one: asked.append(one.url))
    opened.on("console", lambda one: said.append(one.text))
    opened.on("pageerror", lambda one: said.append(str(one)))
    yield opened
    assert [url for url in asked if not re.match("file:|data:", url)] == []
    assert said == []
    context.close()


def names(page: Page) -> list[str]:
    return page.locator("#clips tbody tr:visible td:nth-child(2)").all_inner_texts()


def test_the_table_sorts_numbers_and_words_both_ways(page, report):
    page.goto((report / "index.html").as_uri())
    depth = page.get_by_role("button", name="Depth known")
    depth.click()
    assert names(page) == ["stairs", "garden", "kitchen"]
    depth.click()
    assert names(page) == ["kitchen", "garden", "stairs"]
    expect(page.get_by_role("columnheader", name="Depth known")).to_have_attribute(
        "aria-sort", "descending"
    )
    page.get_by_role("button", name="Clip").click()
    assert names(page) == ["garden", "kitchen", "stairs"]


def test_the_table_filters_by_words_and_verdicts(page, report):
    page.goto((report / "index.html").as_uri())
    page.get_by_label("Search").fill("KITCH")
    assert names(page) == ["kitchen"]
    expect(page.get_by_role("status")).to_have_text("1 of 3 clips")
    page.get_by_label("Search").fill("")
    page.get_by_label("Verdict").select_option("failed")
    assert names(page) == ["stairs"]


def test_a_point_of_a_plot_opens_its_clip(page, report):
    page.goto((report / "index.html").as_uri())
    page.get_by_role("link", name="stairs: 9 %").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("stairs")
    page.get_by_role("link", name="All clips").click()
    expect(page).to_have_url(re.compile("index.html$"))


def test_every_picture_loads_and_nothing_is_wider_than_a_phone(page, report):
    for place in ("index.html", "clips/kitchen/index.html"):
        page.goto((report / place).as_uri())
        page.evaluate("document.querySelectorAll('img').forEach(one => one.loading = 'eager')")
        page.wait_for_function("[...document.images].every(one => one.complete)")
        assert page.evaluate("[...document.images].every(one => one.naturalWidth > 0)")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.evaluate("document.images.length") > 1


@pytest.mark.parametrize("place", ["index.html", "clips/stairs/index.html"])
def test_axe_finds_no_obstacle(page, report, place):
    page.goto((report / place).as_uri())
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
