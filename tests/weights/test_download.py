"""One file over HTTP, from a server that breaks off, moves it, or has something else there."""

import resource
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from stages.weights import download as module
from stages.weights.download import DiskError, download
from stages.weights.errors import WeightsError
from tests.weights.server import Site

CONTENT = bytes(range(256)) * 400
FILE = "/network.bin"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "network.bin"


def test_a_file_comes_as_it_is_and_the_way_is_told(site: Site, target: Path) -> None:
    site.files[FILE] = CONTENT
    told: list[tuple[int, int]] = []
    download(site.url(FILE), target, report=lambda done, total: told.append((done, total)))
    assert target.read_bytes() == CONTENT
    assert told[-1] == (len(CONTENT), len(CONTENT))


def test_a_broken_transfer_is_gone_on_with_where_it_broke_off(site: Site, target: Path) -> None:
    site.files[FILE], site.breaks_after[FILE] = CONTENT, [1000, 500]
    download(site.url(FILE), target, len(CONTENT))
    assert target.read_bytes() == CONTENT
    assert [asked for _, asked in site.asked] == ["", "bytes=1000-", "bytes=1500-"]


def test_what_an_earlier_run_brought_is_not_brought_again(site: Site, target: Path) -> None:
    site.files[FILE], site.breaks_after[FILE] = CONTENT, [1000] + [0] * module.ATTEMPTS
    with pytest.raises(WeightsError, match=r"broke off .*; 1\.0 kB are kept, run again"):
        download(site.url(FILE), target, len(CONTENT))
    site.asked.clear()
    download(site.url(FILE), target, len(CONTENT))
    assert target.read_bytes() == CONTENT
    assert site.asked == [(FILE, "bytes=1000-")]


def test_a_file_that_has_changed_meanwhile_is_brought_from_its_start(
    site: Site, target: Path
) -> None:
    site.files[FILE], site.breaks_after[FILE] = CONTENT, [1000] + [0] * module.ATTEMPTS
    with pytest.raises(WeightsError):
        download(site.url(FILE), target)
    site.files[FILE], site.tags[FILE] = CONTENT[::-1], '"two"'
    download(site.url(FILE), target)
    assert target.read_bytes() == CONTENT[::-1]


@pytest.mark.parametrize("tag", ["", 'W/"one"'])
def test_nothing_is_joined_where_the_server_cannot_say_that_it_is_the_same(
    site: Site, target: Path, tag: str
) -> None:
    site.files[FILE], site.breaks_after[FILE], site.tags[FILE] = CONTENT, [1000], tag
    download(site.url(FILE), target, len(CONTENT))
    assert target.read_bytes() == CONTENT
    assert [asked for _, asked in site.asked] == ["", ""]


def test_parts_from_another_address_are_not_gone_on_with(site: Site, target: Path) -> None:
    site.files[FILE], site.breaks_after[FILE] = CONTENT, [1000] + [0] * module.ATTEMPTS
    site.files["/other"] = CONTENT[::-1]
    with pytest.raises(WeightsError):
        download(site.url(FILE), target)
    download(site.url("/other"), target)
    assert target.read_bytes() == CONTENT[::-1]


def test_a_part_that_is_longer_than_the_file_is_forgotten(site: Site, target: Path) -> None:
    site.files[FILE], site.breaks_after[FILE] = CONTENT, [1000] + [0] * module.ATTEMPTS
    with pytest.raises(WeightsError):
        download(site.url(FILE), target)
    site.files[FILE] = CONTENT[:10]
    download(site.url(FILE), target)
    assert target.read_bytes() == CONTENT[:10]


def test_it_goes_where_the_server_sends_it(site: Site, target: Path) -> None:
    site.files["/elsewhere"], site.moved[FILE] = CONTENT, "/elsewhere"
    site.breaks_after["/elsewhere"] = [1000]
    download(site.url(FILE), target)
    assert target.read_bytes() == CONTENT
    assert site.asked[-1] == ("/elsewhere", "bytes=1000-")


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "application/octet-stream"])
def test_a_login_page_is_no_file_whatever_it_is_called(site: Site, target: Path, kind: str) -> None:
    site.pages[FILE] = kind
    with pytest.raises(WeightsError, match=r"network\.bin is a web page \(a login or an error\)"):
        download(site.url(FILE), target)
    assert not target.exists() or not target.read_bytes()


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (404, r"network\.bin: 404 Not Found"),
        (401, r"401 Unauthorized: it wants a login"),
        (403, r"403 Forbidden: it wants a login"),
    ],
)
def test_a_refusal_is_said_at_once(site: Site, target: Path, status: int, said: str) -> None:
    site.refused[FILE] = status
    with pytest.raises(WeightsError, match=said):
        download(site.url(FILE), target)
    assert len(site.asked) == 1


def test_a_server_that_is_busy_is_asked_a_few_times(site: Site, target: Path) -> None:
    site.refused[FILE] = 503
    with pytest.raises(WeightsError, match="503 Service Unavailable"):
        download(site.url(FILE), target)
    assert len(site.asked) == module.ATTEMPTS


def test_a_file_of_another_size_is_not_brought(site: Site, target: Path) -> None:
    site.files[FILE] = CONTENT
    with pytest.raises(WeightsError, match=f"has {len(CONTENT)} bytes, expected 5"):
        download(site.url(FILE), target, 5)
    assert not target.exists()


def test_nobody_there_is_one_line(site: Site, target: Path) -> None:
    with pytest.raises(WeightsError, match="refused") as error:
        download("http://127.0.0.1:1/network.bin", target)
    assert "\n" not in str(error.value)


@pytest.fixture
def small_disk() -> Iterator[int]:
    """No file grows over so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, before[1]))
    yield 30_000
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_said_and_what_came_is_gone_on_with(
    site: Site, target: Path, small_disk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", 10_000)
    site.files[FILE] = CONTENT
    with pytest.raises(DiskError, match=r"disk is full: .*30\.0 kB of network\.bin are kept"):
        download(site.url(FILE), target)
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    site.asked.clear()
    download(site.url(FILE), target)
    assert target.read_bytes() == CONTENT
    assert site.asked == [(FILE, f"bytes={small_disk}-")]


def test_what_cannot_fit_is_not_begun(
    site: Site, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.files[FILE] = CONTENT
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: SimpleNamespace(free=99))
    with pytest.raises(DiskError, match=r"it wants 102\.4 kB, of 99 bytes free in"):
        download(site.url(FILE), target)
    assert not target.exists()
