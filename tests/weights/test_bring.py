"""Checkpoints into a folder of weights: whole and checked under their names, or not there."""

import fcntl
import tomllib
from pathlib import Path
from typing import Any

import pytest

from stages.weights import bring as module
from stages.weights import download
from stages.weights.bring import PARTIAL, bring
from stages.weights.errors import WeightsError
from stages.weights.lock import lock_path
from stages.weights.manifest import Checkpoint, read_manifest
from tests.weights.conftest import Listed
from tests.weights.server import Site
from tests.weights.tiny import sha256

CONTENT = b"numbers of a network" * 500
NAME = "network.bin"


def source(site: Site, path: str = f"/{NAME}") -> dict[str, Any]:
    return {"kind": "url", "urls": {NAME: site.url(path)}}


def file(**known: Any) -> dict[str, Any]:
    return {"name": NAME, **known}


KNOWN = file(size=len(CONTENT), sha256=sha256(CONTENT))


def the_one(manifest: Path) -> Checkpoint:
    return read_manifest(manifest)["tiny"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "weights"


def here(root: Path) -> list[str]:
    """All files below a folder of weights."""
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_what_was_brought_is_under_its_name_and_nothing_else_is_left(
    site: Site, listed: Listed, root: Path
) -> None:
    site.files[f"/{NAME}"] = CONTENT
    manifest = listed(tiny={"files": [KNOWN], "sources": [source(site)], "folder": "deep"})
    assert bring(the_one(manifest), root, manifest=manifest)
    assert here(root) == [f"deep/{NAME}"]
    assert (root / "deep" / NAME).read_bytes() == CONTENT
    assert not lock_path(manifest).exists(), "its checksum was known"
    site.files.clear()
    assert not bring(the_one(manifest), root, manifest=manifest)


def test_half_a_file_is_never_under_its_name_and_the_next_run_goes_on(
    site: Site, listed: Listed, root: Path
) -> None:
    site.files[f"/{NAME}"] = CONTENT
    site.breaks_after[f"/{NAME}"] = [3000] + [0] * download.ATTEMPTS
    manifest = listed(tiny={"files": [KNOWN], "sources": [source(site)]})
    with pytest.raises(WeightsError, match=r"tiny: .*3\.0 kB are kept, run again"):
        bring(the_one(manifest), root, manifest=manifest)
    assert all(place.startswith(PARTIAL) for place in here(root))
    site.asked.clear()
    assert bring(the_one(manifest), root, manifest=manifest)
    assert site.asked == [(f"/{NAME}", "bytes=3000-")]
    assert here(root) == [NAME]


def test_a_run_that_was_killed_leaves_its_part_for_the_next_one(
    site: Site, listed: Listed, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.files[f"/{NAME}"] = CONTENT
    monkeypatch.setattr(download, "CHUNK", 4000)

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    manifest = listed(tiny={"files": [KNOWN], "sources": [source(site)]})
    with pytest.raises(KeyboardInterrupt):
        bring(the_one(manifest), root, stop, manifest)
    assert NAME not in here(root)
    site.asked.clear()
    assert bring(the_one(manifest), root, manifest=manifest)
    assert site.asked == [(f"/{NAME}", "bytes=4000-")]


def test_content_with_another_checksum_is_thrown_away(
    site: Site, listed: Listed, root: Path
) -> None:
    site.files[f"/{NAME}"] = CONTENT[::-1]
    manifest = listed(tiny={"files": [KNOWN], "sources": [source(site)]})
    found, wanted = sha256(CONTENT[::-1])[:12], sha256(CONTENT)[:12]
    with pytest.raises(
        WeightsError, match=f"{NAME} came damaged: sha256 {found}…, expected {wanted}…"
    ):
        bring(the_one(manifest), root, manifest=manifest)
    assert here(root) == []


def test_the_next_source_is_taken_where_one_has_it_not(
    site: Site, listed: Listed, root: Path
) -> None:
    site.files |= {"/wrong": CONTENT[::-1], "/right": CONTENT}
    site.pages["/login"] = "text/html"
    sources = [source(site, path) for path in ("/gone", "/login", "/wrong", "/right", "/never")]
    manifest = listed(tiny={"files": [KNOWN], "sources": sources})
    assert bring(the_one(manifest), root, manifest=manifest)
    assert [path for path, _ in site.asked] == ["/gone", "/login", "/wrong", "/right"]
    assert here(root) == [NAME]


def test_where_no_source_has_it_each_is_said_in_one_line(
    site: Site, listed: Listed, root: Path
) -> None:
    site.pages["/login"] = "text/html"
    sources = [source(site, "/gone"), source(site, "/login")]
    manifest = listed(tiny={"files": [KNOWN], "sources": sources})
    with pytest.raises(WeightsError, match=r"/gone: 404 Not Found; .*/login is a web page") as said:
        bring(the_one(manifest), root, manifest=manifest)
    assert "\n" not in str(said.value)
    assert here(root) == []


def test_a_full_disk_is_not_tried_again_from_another_source(
    site: Site, listed: Listed, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.files |= {"/one": CONTENT, "/two": CONTENT}

    def full(*_: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(download, "_write", full)
    manifest = listed(
        tiny={"files": [KNOWN], "sources": [source(site, "/one"), source(site, "/two")]}
    )
    with pytest.raises(WeightsError, match="the disk is full"):
        bring(the_one(manifest), root, manifest=manifest)
    assert [path for path, _ in site.asked] == ["/one"]


def test_an_unknown_checksum_is_noted_and_holds_from_then_on(
    site: Site, listed: Listed, root: Path, tmp_path: Path
) -> None:
    site.files[f"/{NAME}"] = CONTENT
    manifest = listed(tiny={"files": [file(about=9000)], "sources": [source(site)]})
    bring(the_one(manifest), root, manifest=manifest)
    pins = tomllib.loads(lock_path(manifest).read_text())
    assert pins == {
        NAME: {
            "size": len(CONTENT),
            "sha256": sha256(CONTENT),
            "source": site.url(f"/{NAME}"),
        }
    }
    assert the_one(manifest).files[0].sha256 == sha256(CONTENT)
    site.files[f"/{NAME}"] = CONTENT[:-1] + b"X"
    with pytest.raises(WeightsError, match="came damaged"):
        bring(the_one(manifest), tmp_path / "elsewhere", manifest=manifest)


def test_what_cannot_be_noted_is_not_brought(
    site: Site, listed: Listed, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module.os, "access", lambda *_: False)
    manifest = listed(tiny={"files": [file()], "sources": [source(site)]})
    with pytest.raises(WeightsError, match=r"manifest\.lock cannot be written"):
        bring(the_one(manifest), root, manifest=manifest)
    assert not site.asked


def test_a_damaged_list_of_checksums_is_said(listed: Listed) -> None:
    manifest = listed(tiny={"files": [file()], "sources": []})
    lock_path(manifest).write_text("network = {")
    with pytest.raises(WeightsError, match=r"manifest\.lock is damaged .*: mend it or delete it"):
        read_manifest(manifest)


def test_the_hub_is_asked_for_its_revision_wherever_it_is(
    site: Site, listed: Listed, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", f"{site.address}/")
    site.files["/store"] = CONTENT
    site.moved["/some/repo/resolve/abc/sub/other.bin"] = "/store"
    hub = {
        "kind": "hub",
        "repo": "some/repo",
        "revision": "abc",
        "paths": {NAME: "sub/other.bin"},
    }
    manifest = listed(tiny={"files": [KNOWN], "sources": [hub]})
    assert bring(the_one(manifest), root, manifest=manifest)
    assert [path for path, _ in site.asked] == ["/some/repo/resolve/abc/sub/other.bin", "/store"]


def test_of_several_files_none_is_there_before_all_are_right(
    site: Site, listed: Listed, root: Path
) -> None:
    site.files |= {"/a": CONTENT, "/b": b"cut"}
    files = [{"name": "a", "sha256": sha256(CONTENT)}, {"name": "b", "sha256": sha256(CONTENT)}]
    urls = {"a": site.url("/a"), "b": site.url("/b")}
    manifest = listed(tiny={"files": files, "sources": [{"kind": "url", "urls": urls}]})
    with pytest.raises(WeightsError, match="b came damaged"):
        bring(the_one(manifest), root, manifest=manifest)
    assert not {"a", "b"} & set(here(root))


def test_two_runs_do_not_write_to_the_same_part(site: Site, listed: Listed, root: Path) -> None:
    manifest = listed(tiny={"files": [KNOWN], "sources": [source(site)]})
    (root / PARTIAL).mkdir(parents=True)
    with open(root / PARTIAL / "tiny.lock", "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(WeightsError, match="tiny: somebody else is bringing it here"):
            bring(the_one(manifest), root, manifest=manifest)


def test_a_folder_that_cannot_be_made_is_one_line(site: Site, listed: Listed, root: Path) -> None:
    root.write_text("a file")
    manifest = listed(tiny={"files": [KNOWN], "sources": [source(site)]})
    with pytest.raises(WeightsError, match=f"tiny: {root}: "):
        bring(the_one(manifest), root, manifest=manifest)
