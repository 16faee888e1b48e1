"""The images of verdicts, report, exporter and viewer on a finished data folder."""

import shutil
import time
import urllib.request
from pathlib import Path

import pytest

from bench.made_clip import write_clip
from stages.artifacts.verdicts import read_verdicts
from tests.engines import STRANGER, make, start, strangers

PATIENCE_S = 60


@pytest.fixture
def data(tmp_path) -> Path:
    """A finished clip of two people."""
    folder = tmp_path / "data"
    write_clip(folder, "both", frames=3, height=72, width=128, people=2)
    return strangers(folder)


def in_containers(data: Path, cache: Path) -> tuple[list[str], dict[str, str]]:
    asked = ["RUNNER=docker", f"DATA={data}", f"RUN_AS={STRANGER}:{STRANGER}"]
    return asked, {"MIMICMILL_CACHE": str(cache)}


def test_the_report_s_image_makes_all_pages_without_network(images, data, cache):
    arguments, environment = in_containers(data, cache)
    code, output = make("report", *arguments, **environment)
    assert code == 0, output
    assert "both: made" in output and "verdicts: " in output
    assert read_verdicts(data).clips["both"].reasons
    clip = data / "report" / "clips" / "both"
    assert (data / "report" / "index.html").stat().st_uid == STRANGER
    # The solvers' terms were never noted.
    assert (clip / "index.html").read_text().count("Not drawn") == 1
    assert {"bodies.webp", "robot.webp", "mesh.webp", "joints.svg"} <= {
        path.name for path in clip.iterdir()
    }
    code, output = make("report", *arguments, **environment)
    assert code == 0 and "both: as it was" in output


def test_the_report_s_image_takes_the_body_that_make_names(images, data, cache, tmp_path):
    broken = tmp_path / "broken.npz"
    broken.write_bytes(b"no body")
    arguments, environment = in_containers(data, cache)
    code, output = make("report", *arguments, f"BODY={broken}", **environment)
    assert code == 2 and "/body/broken.npz: damaged: not a readable npz" in output


def test_the_exporter_s_image_writes_every_format(images, data, cache):
    arguments, environment = in_containers(data, cache)
    code, output = make("export", *arguments, **environment)
    assert code == 0, output
    for name in ("videomimic", "mjcf", "holosoma", "mjlab", "protomotions"):
        assert f"{name}: 2 motions" in output
    assert (data / "export" / "mjlab" / "both_person2.npz").stat().st_uid == STRANGER


def test_the_viewer_s_image_answers_on_its_port_of_this_machine_alone(engine, images, data, cache):
    arguments, environment = in_containers(data, cache)
    process = start("viewer", *arguments, **environment)
    try:
        page = answer("http://127.0.0.1:8081")
        (container,) = (
            each for each in engine.containers.list() if "mimicmill/viewer:cpu" in each.image.tags
        )
        published = container.attrs["NetworkSettings"]["Ports"]["8081/tcp"]
        assert {each["HostIp"] for each in published} == {"127.0.0.1"}
        ends = time.monotonic() + PATIENCE_S
        while b"results at" not in container.logs() and time.monotonic() < ends:
            time.sleep(0.5)  # The page is there before the line is.
        container.kill("SIGINT")
        output, _ = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
    assert b"<html" in page
    assert "1 results at http://localhost:8081" in output


def answer(address: str) -> bytes:
    """The page, as soon as somebody answers."""
    ends = time.monotonic() + PATIENCE_S
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5) as page:
                return page.read()
        except OSError:
            assert time.monotonic() < ends, f"nobody answers at {address}"
            time.sleep(0.5)


def test_a_viewer_without_results_is_one_clear_line(images, data, cache):
    shutil.rmtree(data / "output_calib_mesh")
    arguments, environment = in_containers(data, cache)
    code, output = make("viewer", *arguments, **environment)
    assert code == 2 and "/data/output_calib_mesh has no results matching ''" in output
