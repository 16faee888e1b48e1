"""One archive for a cluster without a network."""

import io
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from stages.weights.bundle import SUMS, read_bundle, write_bundle
from stages.weights.errors import WeightsError
from stages.weights.lock import lock_path, read_pins
from stages.weights.manifest import read_manifest
from tests.weights.conftest import Listed
from tests.weights.tiny import sha256

KNOWN, NEW = b"numbers" * 99, b"numbers that nobody knew" * 99


@pytest.fixture
def manifest(listed: Listed) -> Path:
    return listed(
        known={
            "files": [{"name": "a.bin", "size": len(KNOWN), "sha256": sha256(KNOWN)}],
            "sources": [],
        },
        new={"files": [{"name": "b.bin"}], "sources": [], "folder": "deep"},
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder that has both."""
    folder = tmp_path / "weights"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.bin").write_bytes(KNOWN)
    (folder / "deep" / "b.bin").write_bytes(NEW)
    return folder


@pytest.fixture
def bundle(manifest: Path, root: Path, tmp_path: Path) -> Path:
    path = tmp_path / "weights.tar"
    write_bundle(path, read_manifest(manifest).values(), root)
    return path


def test_what_went_in_comes_out_elsewhere_and_new_checksums_with_it(
    manifest: Path, bundle: Path, tmp_path: Path
) -> None:
    there = tmp_path / "cluster"
    assert read_bundle(bundle, there, manifest) == ["a.bin", "deep/b.bin"]
    assert (there / "a.bin").read_bytes() == KNOWN
    assert (there / "deep" / "b.bin").read_bytes() == NEW
    pins = read_pins(lock_path(manifest))
    assert pins["deep/b.bin"]["sha256"] == sha256(NEW) and "a.bin" not in pins


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="no sha256sum here")
def test_plain_tools_read_it_too(bundle: Path, tmp_path: Path) -> None:
    there = tmp_path / "plain"
    there.mkdir()
    subprocess.run(["tar", "-xf", bundle, "-C", there], check=True)
    done = subprocess.run(["sha256sum", "-c", SUMS], cwd=there, capture_output=True, text=True)
    assert done.stdout == "a.bin: OK\ndeep/b.bin: OK\n"


def test_a_link_is_packed_as_the_file_that_it_shows(
    manifest: Path, root: Path, tmp_path: Path
) -> None:
    (root / "a.bin").rename(tmp_path / "real")
    (root / "a.bin").symlink_to(tmp_path / "real")
    write_bundle(tmp_path / "w.tar", [read_manifest(manifest)["known"]], root)
    (tmp_path / "real").unlink()
    read_bundle(tmp_path / "w.tar", tmp_path / "there", manifest)
    assert (tmp_path / "there" / "a.bin").read_bytes() == KNOWN


@pytest.mark.parametrize("size", [100, 700, 2000])
def test_a_bundle_that_is_cut_short_is_said_and_leaves_no_half_file(
    manifest: Path, bundle: Path, tmp_path: Path, size: int
) -> None:
    bundle.write_bytes(bundle.read_bytes()[:size])
    with pytest.raises(WeightsError, match=r"weights\.tar"):
        read_bundle(bundle, tmp_path / "there", manifest)
    assert not [path for path in (tmp_path / "there").rglob("*") if path.is_file()]


def test_a_bundle_whose_content_has_changed_is_said(
    manifest: Path, bundle: Path, tmp_path: Path
) -> None:
    bundle.write_bytes(bundle.read_bytes().replace(NEW, NEW[::-1]))
    with pytest.raises(WeightsError, match=r"deep/b\.bin is damaged: copy it anew"):
        read_bundle(bundle, tmp_path / "there", manifest)
    assert not (tmp_path / "there" / "deep" / "b.bin").exists()


def tar(path: Path, files: dict[str, bytes]) -> Path:
    """A bundle of somebody else's making, with sums that are right."""
    sums = "".join(f"{sha256(content)}  {name}\n" for name, content in files.items()).encode()
    with tarfile.open(path, "w") as archive:
        for name, content in {SUMS: sums, **files}.items():
            about = tarfile.TarInfo(name)
            about.size = len(content)
            archive.addfile(about, io.BytesIO(content))
    return path


def test_another_file_than_the_known_one_is_refused(manifest: Path, tmp_path: Path) -> None:
    other = tar(tmp_path / "w.tar", {"a.bin": KNOWN[::-1]})
    with pytest.raises(WeightsError, match=r"a\.bin is damaged: sha256"):
        read_bundle(other, tmp_path / "there", manifest)


def test_nothing_is_written_but_what_is_known(manifest: Path, tmp_path: Path) -> None:
    more = {"a.bin": KNOWN, "../outside": b"x", "/absolute": b"x", "unknown.bin": b"x"}
    assert read_bundle(tar(tmp_path / "w.tar", more), tmp_path / "there", manifest) == ["a.bin"]
    assert not (tmp_path / "outside").exists()
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["a.bin"]


def test_a_bundle_that_holds_nothing_known_is_refused(manifest: Path, tmp_path: Path) -> None:
    other = tar(tmp_path / "w.tar", {"unknown.bin": b"x"})
    with pytest.raises(WeightsError, match="holds no checkpoint that is known"):
        read_bundle(other, tmp_path / "there", manifest)


def test_a_file_that_is_no_bundle_is_said(manifest: Path, tmp_path: Path) -> None:
    (tmp_path / "w.tar").write_bytes(b"words" * 1000)
    with pytest.raises(WeightsError, match=r"w\.tar is damaged"):
        read_bundle(tmp_path / "w.tar", tmp_path / "there", manifest)
    with tarfile.open(tmp_path / "w.tar", "w") as archive:
        archive.addfile(tarfile.TarInfo("a.bin"))
    with pytest.raises(WeightsError, match=f"is no bundle of weights: it has no {SUMS}"):
        read_bundle(tmp_path / "w.tar", tmp_path / "there", manifest)
