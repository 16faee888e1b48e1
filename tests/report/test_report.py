"""The report is made of whatever there is, says what is missing, and makes again what changed."""

import json
import shutil
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from bench.made_clip import write_clip
from stages.artifacts.comparison import Compared, write_comparison
from stages.artifacts.layout import DataFolder
from stages.artifacts.masks import mask_path
from stages.artifacts.meshes import MESH_FILE
from stages.artifacts.people_and_world import MEGAHUNTER_FILE
from stages.artifacts.robot_motion import SINGLE_FILE
from stages.artifacts.verdicts import (
    Judged,
    Measure,
    Threshold,
    Verdicts,
    read_verdicts,
    write_verdicts,
)
from stages.body.model import DEMO_BODY
from stages.report import charts
from stages.report.clip import Clip
from stages.report.command import main
from stages.report.pictures import PICTURES, bodies, robot_and_person
from stages.weights.licences import licence_of
from stages.weights.manifest import read_manifest
from tests.report.data_folders import noted, with_people


def report(root: Path, *flags: str) -> Result:
    return CliRunner().invoke(main, ["--data-dir", str(root), *flags], catch_exceptions=False)


def page(root: Path, video: str = "") -> str:
    folder = root / "report" / (f"clips/{video}" if video else "")
    return (folder / "index.html").read_text()


def test_a_clip_that_came_half_way_has_its_pictures_and_says_what_is_missing(tmp_path):
    with_people(tmp_path, "kitchen", 0.8)
    assert report(tmp_path).exit_code == 0
    html, folder = page(tmp_path, "kitchen"), tmp_path / "report" / "clips" / "kitchen"
    assert (folder / "people.webp").exists() and (folder / "terms.svg").exists()
    assert not (folder / "robot.webp").exists()
    assert "Not drawn" in html and "run stage3-postprocess" in html
    for picture in PICTURES:
        assert picture.title in html and (
            (folder / picture.name).exists() == (f'src="{picture.name}"' in html)
        )


def test_a_damaged_file_takes_one_picture_and_no_more(tmp_path):
    data = with_people(tmp_path, "kitchen", 0.8)
    mask_path(data.masks("kitchen"), "00001").write_bytes(b"broken")
    assert report(tmp_path).exit_code == 0
    assert "mask_00001.npz: damaged" in page(tmp_path, "kitchen")
    assert (tmp_path / "report/clips/kitchen/terms.svg").exists()


def test_failures_are_in_the_table_with_their_reasons_until_the_stage_ends_well(tmp_path):
    with_people(tmp_path, "kitchen", 0.8)
    noted(tmp_path, "kitchen", "stage2-megahunter", "failed", "nobody <is> seen")
    report(tmp_path)
    assert "nobody &lt;is&gt; seen" in page(tmp_path)
    assert "nobody &lt;is&gt; seen" in page(tmp_path, "kitchen")
    noted(tmp_path, "kitchen", "stage2-megahunter")
    report(tmp_path)
    assert "seen" not in page(tmp_path)


def test_only_what_changed_is_made_again(tmp_path):
    data = with_people(tmp_path, "kitchen", 0.8)
    with_people(tmp_path, "stairs", 0.6)
    assert report(tmp_path).output.count(": made") == 2
    assert report(tmp_path).output.count("as it was") == 2
    (data.images("kitchen") / "00002.jpg").write_bytes(
        (data.images("stairs") / "00001.jpg").read_bytes()[:-2]
    )
    said = report(tmp_path).output
    assert "kitchen: made" in said and "stairs: as it was" in said


def test_a_pattern_makes_one_page_and_keeps_the_others_in_the_index(tmp_path):
    with_people(tmp_path, "kitchen", 0.8)
    with_people(tmp_path, "stairs", 0.6)
    report(tmp_path, "--pattern", "kitch")
    assert "stairs" in page(tmp_path) and 'href="clips/stairs' not in page(tmp_path)
    report(tmp_path, "--pattern", "stairs")
    assert 'href="clips/kitchen/index.html"' in page(tmp_path)
    assert 'href="clips/stairs/index.html"' in page(tmp_path)


def test_a_clip_that_never_had_frames_is_in_the_table_too(tmp_path):
    noted(tmp_path, "broken", "stage0-frames", "failed", "not a video")
    assert report(tmp_path).exit_code == 0
    assert "not a video" in page(tmp_path)


def test_nothing_there_is_one_line(tmp_path):
    said = report(tmp_path)
    assert said.exit_code == 2 and "has no videos" in said.output
    with_people(tmp_path, "kitchen", 0.8)
    assert "no video matching 'garden'" in report(tmp_path, "--pattern", "garden").output


def test_a_name_with_signs_of_addresses_is_linked(tmp_path):
    with_people(tmp_path, "50% #1?", 0.8)
    report(tmp_path)
    assert 'href="clips/50%25%20%231%3F/index.html"' in page(tmp_path)


def clip_of(root: Path, video: str, **more: Path) -> Clip:
    return Clip(DataFolder(root), video, {}, **more)


def test_of_several_people_everybody_is_drawn(tmp_path):
    write_clip(tmp_path, "alone", frames=2, height=72, width=128)
    write_clip(tmp_path, "both", frames=2, height=72, width=128, people=2)
    bars, legends, robots = (
        {name: count(clip_of(tmp_path, name)) for name in ("alone", "both")}
        for count in (
            lambda clip: charts.contacts(clip).count(b'id="PolyCollection_'),
            lambda clip: charts.joints(clip).count(b'id="legend_'),
            lambda clip: places_of_robots(robot_and_person(clip)),
        )
    )
    assert bars == {"alone": 4, "both": 8}
    assert legends == {"alone": 0, "both": 1}
    assert robots == {"alone": 1, "both": 2}


def places_of_robots(loop: bytes) -> int:
    """Places in the first picture of a loop, from left to right, where something is blue."""
    red, _, blue = np.asarray(Image.open(BytesIO(loop)).convert("RGB")).astype(int).T
    columns = np.flatnonzero((blue > red + 50).sum(axis=1) > 5)
    return 1 + int((np.diff(columns) > 20).sum())


def test_bodies_are_those_of_the_body_model_that_is_given(tmp_path):
    write_clip(tmp_path, "kitchen", frames=2, height=48, width=64)
    half = dict(np.load(DEMO_BODY))
    half["v_template"] = half["v_template"] * 0.5
    np.savez(tmp_path / "half.npz", **half)
    usual, small = (
        bodies(clip_of(tmp_path, "kitchen", body_model=model))
        for model in (DEMO_BODY, tmp_path / "half.npz")
    )
    assert usual != small


def test_another_body_model_makes_pages_again_and_a_broken_one_is_one_line(tmp_path, monkeypatch):
    with_people(tmp_path, "kitchen", 0.8)
    report(tmp_path)
    shutil.copy(DEMO_BODY, tmp_path / "own.npz")
    monkeypatch.setenv("MIMICMILL_BODY", str(tmp_path / "own.npz"))
    assert "kitchen: made" in report(tmp_path).output
    assert "kitchen: as it was" in report(tmp_path).output
    (tmp_path / "broken.npz").write_bytes(b"no body")
    said = report(tmp_path, "--body-model", str(tmp_path / "broken.npz"))
    assert said.exit_code == 2 and "broken.npz: damaged: not a readable npz" in said.output


def test_videos_that_nothing_was_made_of_are_in_the_table_without_numbers(tmp_path):
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "new.mp4").write_bytes(b"")
    assert report(tmp_path).exit_code == 0
    assert ">new</a>" in page(tmp_path) and "<h2>Outliers</h2>" not in page(tmp_path)
    assert page(tmp_path, "new").count("Not drawn") == len(PICTURES)


def test_what_the_viewer_writes_into_a_result_changes_no_page(tmp_path):
    result = write_clip(tmp_path, "kitchen", frames=1, height=48, width=64)
    (result / "viewer.html").write_text("a page that plays by itself")
    names = {file.name for file in clip_of(tmp_path, "kitchen").files()}
    assert {MEGAHUNTER_FILE, MESH_FILE, SINGLE_FILE, DEMO_BODY.name} < names
    assert "viewer.html" not in names


def test_licences_come_with_the_content_of_files():
    blazepose = read_manifest()["blazepose"]
    assert licence_of(blazepose.files[0].sha256).startswith(blazepose.weights)
    assert licence_of("0" * 64).startswith("not known")


def test_a_summary_counts_frames_and_seconds(tmp_path):
    with_people(tmp_path, "kitchen", 0.8)
    report(tmp_path)
    summary = json.loads((tmp_path / "report/clips/kitchen/clip.json").read_text())
    assert summary["frames"] == 4 and summary["seconds"] == pytest.approx(4 / 25)


def test_decisions_are_shown_and_say_when_the_clip_has_changed_since(tmp_path):
    with_people(tmp_path, "kitchen", 0.8)
    line = {"video": "kitchen", "verdict": "reject", "note": "blurred", "last_frame": 2}
    (tmp_path / "curation.jsonl").write_text(json.dumps(line) + "\n")
    report(tmp_path)
    assert "reject: blurred; frames 0 to 2<" in page(tmp_path)
    (tmp_path / "curation.jsonl").write_text(json.dumps({**line, "result": "of old"}) + "\n")
    report(tmp_path)
    assert "frames 0 to 2; the clip has changed since<" in page(tmp_path)


SINKS = Measure("sinks_cm", "Feet sink", "cm", "small", "depth below the mesh")


def judged(root: Path, video: str, verdict: str, sinks_cm: float, result: str = "") -> None:
    """Writes a verdict beside those that there are."""
    before = read_verdicts(root)
    entry = Judged(
        verdict,
        ["Feet sink: 7 cm"] * (verdict != "keep"),
        {SINKS.name: sinks_cm},
        result,
        notes=["nobody looked"],
    )
    bars = {SINKS.name: Threshold(3, 15, "a guess")}
    write_verdicts(root, Verdicts([SINKS], bars, {**before.clips, video: entry}))


def test_verdicts_are_shown_with_their_reasons_and_measures_with_their_thresholds(tmp_path):
    with_people(tmp_path, "kitchen", 0.8)
    with_people(tmp_path, "stairs", 0.8)
    judged(tmp_path, "kitchen", "doubt", 7.0)
    judged(tmp_path, "stairs", "keep", 1.0)
    report(tmp_path)
    html = page(tmp_path)
    assert "▲ doubt" in html and "<li>Feet sink: 7 cm</li>" in html and "● keep" in html
    assert "▲ 7</td>" in html and ">1</td>" in html
    assert "kitchen: 7 cm" in html  # A point of a plot.
    own = page(tmp_path, "kitchen")
    assert "<li>Feet sink: 7 cm</li>" in own and "▲ doubt: 7 cm" in own
    assert "over 3" in own and "over 15" in own and "depth below the mesh" in own
    assert "<li>Not measured: nobody looked</li>" in own


def test_another_verdict_makes_its_page_anew(tmp_path):
    with_people(tmp_path, "kitchen", 0.8)
    judged(tmp_path, "kitchen", "doubt", 7.0)
    assert "kitchen: made" in report(tmp_path).output
    assert "kitchen: as it was" in report(tmp_path).output
    judged(tmp_path, "kitchen", "keep", 1.0)
    assert "kitchen: made" in report(tmp_path).output


def test_a_verdict_on_a_result_of_old_is_none(tmp_path):
    with_people(tmp_path, "kitchen", 0.8)
    judged(tmp_path, "kitchen", "keep", 1.0, result="of old")
    report(tmp_path)
    assert "not judged" in page(tmp_path) and "● keep" not in page(tmp_path)


def test_what_ground_truth_says_is_on_the_page_of_its_clip(tmp_path):
    with_people(tmp_path, "kitchen", 0.8)
    found = {"gravity_deg": Compared("gravity, degrees", None, "<= 1.5", False)}
    write_comparison(tmp_path, {"kitchen": found})
    report(tmp_path)
    assert "gravity, degrees" in page(tmp_path, "kitchen")
    assert "■ missed" in page(tmp_path, "kitchen")
