"""`make weights` and `make weights-check`: what they say, bring, leave out and pack."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from stages.weights import locate
from stages.weights.fetch import main
from stages.weights.lock import lock_path
from stages.weights.manifest import read_manifest
from tests.weights.conftest import Listed
from tests.weights.server import Site
from tests.weights.tiny import sha256

FREE, BOUND = b"free numbers" * 200_000, b"bound numbers" * 100


@pytest.fixture
def manifest(site: Site, listed: Listed) -> Path:
    """One checkpoint that anybody may use, two that forbid commercial use, one by registration."""
    site.files |= {"/free": FREE, "/bound": BOUND}

    def table(name: str, content: bytes, **more: Any) -> dict[str, Any]:
        file = {"name": f"{name}.bin", "size": len(content), "sha256": sha256(content)}
        source = {"kind": "url", "urls": {f"{name}.bin": site.url(f"/{name}")}}
        return {"files": [file], "sources": [source], **more}

    bound = {"weights": "for research only", "accept": "research"}
    by_hand = {"kind": "hand", "page": "https://example.org/register", "like": "*neutral*"}
    return listed(
        free=table("free", FREE),
        bound=table("bound", BOUND, **bound),
        extra=table("extra", b"never", default=False),
        unknown={
            "files": [{"name": "unknown.bin"}],
            "sources": [{"kind": "url", "urls": {"unknown.bin": site.url("/bound")}}],
            "folder": "deep",
        },
        person={
            "files": [{"name": "SMPL_NEUTRAL.pkl", "about": 247_000_000}],
            "sources": [by_hand],
            "content": "smpl",
            "weights": "by registration, non-commercial",
            "accept": "MPI",
        },
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "weights"


def run(manifest: Path, root: Path, *arguments: str) -> Result:
    flags = ["--manifest", str(manifest), "--root", str(root)]
    return CliRunner().invoke(main, [*flags, *arguments])


def here(root: Path) -> set[str]:
    return {path.name for path in root.rglob("*") if path.is_file()}


def line(result: Result, start: str) -> str:
    (found,) = [each for each in result.output.splitlines() if each.startswith(start)]
    return found


def test_it_says_sizes_licences_and_what_is_left_out_and_then_brings_the_rest(
    manifest: Path, root: Path
) -> None:
    result = run(manifest, root)
    assert result.exit_code == 0, result.output
    assert line(result, "free: A") == (
        "free: A tiny network; 2.4 MB; code MIT, weights CC0: to be fetched"
    )
    assert "ACCEPT_LICENSES=research says that you accept its licence" in line(result, "bound: A")
    assert "size unknown" in line(result, "unknown: A")
    assert "about 247.0 MB" in line(result, "person: A")
    total = line(result, "to be fetched: ")
    assert total.startswith(f"to be fetched: about 2.4 MB and unknown into {root}, ")
    assert "register at https://example.org/register" in line(result, "by hand: ")
    assert here(root) == {"free.bin", "unknown.bin"}


def test_a_licence_that_is_accepted_is_brought_too(manifest: Path, root: Path) -> None:
    assert run(manifest, root, "--accept-licenses", "research, MPI").exit_code == 0
    assert "bound.bin" in here(root)


def test_a_licence_that_nobody_knows_is_refused_with_those_there_are(
    manifest: Path, root: Path
) -> None:
    result = run(manifest, root, "--accept-licenses", "all")
    assert result.exit_code == 2 and "there are MPI research" in result.output
    assert not root.exists()


def test_for_commerce_what_forbids_it_is_left_out_accepted_or_not(
    manifest: Path, root: Path
) -> None:
    result = run(manifest, root, "--commercial", "--accept-licenses", "research")
    assert result.exit_code == 0
    assert "left out, it forbids commercial use" in line(result, "bound: A")
    assert "left out, it forbids commercial use" in line(result, "person: A")
    assert here(root) == {"free.bin", "unknown.bin"}


def test_one_that_is_named_is_brought_alone(manifest: Path, root: Path) -> None:
    run(manifest, root, "free")
    assert here(root) == {"free.bin"}


def test_an_unknown_key_is_refused_with_those_that_there_are(manifest: Path, root: Path) -> None:
    result = run(manifest, root, "magic")
    assert result.exit_code == 2
    assert "there are free, bound, extra, unknown, person" in result.output


def test_what_fails_is_said_and_the_others_come(site: Site, manifest: Path, root: Path) -> None:
    del site.files["/free"]
    result = run(manifest, root)
    assert result.exit_code == 1
    assert "404 Not Found" in line(result, "failed: free: ")
    last = result.output.splitlines()[-1]
    assert last.startswith("not brought: free: ") and "404" in last
    assert last.endswith(": run again, what has come is kept")
    assert here(root) == {"unknown.bin"}


def test_a_second_run_brings_nothing_and_asks_nobody(
    site: Site, manifest: Path, root: Path
) -> None:
    run(manifest, root)
    site.asked.clear()
    result = run(manifest, root)
    assert result.exit_code == 0 and not site.asked
    assert f"there already, whole, in {root}" in line(result, "free: A")


def test_a_check_says_what_is_whole_what_is_damaged_and_what_would_bring_it(
    site: Site, manifest: Path, root: Path
) -> None:
    run(manifest, root)
    site.asked.clear()
    whole = run(manifest, root, "--check")
    assert whole.exit_code == 0 and not site.asked
    assert line(whole, "free: ") == f"free: whole, in {root}"
    assert line(whole, "bound: ").startswith("bound: not here; `make weights CHECKPOINTS=bound ")
    (root / "free.bin").write_bytes(FREE[:-1] + b"X")
    damaged = run(manifest, root, "--check")
    assert damaged.exit_code == 1
    assert "free.bin is damaged: sha256 " in damaged.output
    assert "`make weights CHECKPOINTS=free WEIGHTS=" in damaged.output
    assert run(manifest, root, "--check", "free").exit_code == 1
    assert run(manifest, root, "--check", "unknown").exit_code == 0


def test_a_file_of_a_login_that_holds_something_else_is_found_by_the_check(
    manifest: Path, root: Path
) -> None:
    root.mkdir()
    (root / "SMPL_NEUTRAL.pkl").write_bytes(b"words" * 10)
    result = run(manifest, root, "--check")
    assert result.exit_code == 1 and "SMPL_NEUTRAL.pkl" in result.output


def test_a_bundle_is_made_of_what_is_here_and_read_in_where_it_is(
    manifest: Path, root: Path, tmp_path: Path
) -> None:
    bundle = tmp_path / "weights.tar"
    made = run(manifest, root, "--bundle", str(bundle))
    assert made.exit_code == 0, made.output
    assert "2 files of free, unknown" in line(made, str(bundle))
    there = tmp_path / "there"
    read = run(manifest, there, "--bundle", str(bundle))
    assert read.exit_code == 0, read.output
    assert f"{bundle} is there and was read in" in read.output
    assert here(there) == {"free.bin", "unknown.bin"}
    assert run(manifest, there, "--check").exit_code == 0


def test_a_bundle_for_commerce_holds_nothing_that_forbids_it(
    manifest: Path, root: Path, tmp_path: Path
) -> None:
    run(manifest, root, "--accept-licenses", "research")
    bundle = tmp_path / "weights.tar"
    made = run(manifest, root, "--commercial", "--bundle", str(bundle))
    assert "2 files of free, unknown" in made.output


def test_a_bundle_of_nothing_is_not_made(manifest: Path, root: Path, tmp_path: Path) -> None:
    result = run(manifest, root, "bound", "--bundle", str(tmp_path / "weights.tar"))
    assert result.exit_code == 1 and "has no weights to put into" in result.output
    assert not (tmp_path / "weights.tar").exists()


def test_a_damaged_list_of_checksums_is_one_line(manifest: Path, root: Path) -> None:
    lock_path(manifest).write_text("{")
    result = run(manifest, root)
    assert result.exit_code == 1
    assert "manifest.lock is damaged" in result.output and "Traceback" not in result.output


def test_blazeposes_real_files_are_known_as_whole(tmp_path: Path) -> None:
    source = locate.ROOT / "blazepose"
    if not source.exists():
        pytest.skip("BlazePose's weights are not here: make setup")
    shutil.copytree(source, tmp_path / "blazepose")
    said = CliRunner().invoke(main, ["blazepose", "--root", str(tmp_path)])
    assert said.exit_code == 0
    assert "9.4 MB; code Apache-2.0, weights Apache-2.0" in said.output
    assert f"there already, whole, in {tmp_path}/blazepose" in said.output


def test_a_check_without_a_folder_looks_where_stages_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(locate.FOLDER_VARIABLE, str(tmp_path))
    (tmp_path / "blazepose").mkdir()
    said = CliRunner().invoke(main, ["blazepose", "--check"])
    first = read_manifest()["blazepose"].files[0].name
    assert said.exit_code == 1
    assert said.output.startswith(f"{tmp_path}/blazepose/{first} is missing: `make weights ")


def test_weights_are_looked_for_in_the_users_folder_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(locate.FOLDER_VARIABLE, str(tmp_path))
    assert locate.fetched("blazepose") == locate.ROOT / "blazepose"
    (tmp_path / "blazepose").mkdir()
    assert locate.fetched("blazepose") == tmp_path / "blazepose"
    monkeypatch.delenv(locate.FOLDER_VARIABLE)
    assert locate.fetched("blazepose") == locate.ROOT / "blazepose"
