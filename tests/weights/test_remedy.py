"""What a missing file's line says to do: a command that can be pasted."""

from pathlib import Path

import pytest

from driver.commands import mounts
from driver.settings import read
from stages.weights.errors import shown
from stages.weights.locate import DEMO_ROOT, ROOT
from stages.weights.names import USUAL, WORLD_FILES, chosen
from stages.weights.remedy import MOUNTED, remedy, with_remedy


def test_the_command_names_the_checkpoint() -> None:
    assert remedy(ROOT / "sam2.1_hiera_tiny.pt") == "`make weights CHECKPOINTS=sam2-tiny` brings it"


def test_it_accepts_the_licence_that_has_to_be_accepted() -> None:
    wanted = "`make weights CHECKPOINTS=vimo ACCEPT_LICENSES=research-data` brings it"
    assert remedy(ROOT / "vimo_checkpoint.pth.tar") == wanted


def test_it_brings_the_file_into_the_folder_that_was_looked_in() -> None:
    wanted = "`make weights CHECKPOINTS=geocalib WEIGHTS='/my weights'` brings it"
    assert remedy(Path("/my weights/geocalib/geocalib-pinhole.tar")) == wanted
    wanted = "`make weights CHECKPOINTS=grounding-dino-base WEIGHTS=/w` brings it"
    assert remedy(Path("/w/grounding-dino-base/config.json")) == wanted


def test_in_a_container_nobody_knows_the_folders_name() -> None:
    wanted = "`make weights CHECKPOINTS=sam2-tiny WEIGHTS=...` brings it"
    assert remedy(MOUNTED / "sam2.1_hiera_tiny.pt") == wanted


def test_that_is_where_containers_see_it() -> None:
    settings = read({"WEIGHTS": "somewhere"})
    assert str(MOUNTED) in [mount.inside for mount in mounts(settings)]


def test_of_what_needs_a_login_it_says_where_to_get_it() -> None:
    wanted = "`make weights CHECKPOINTS=smpl` says where to get it"
    assert remedy(ROOT / "smpl" / "SMPL_NEUTRAL.pkl") == wanted


def test_the_demos_come_from_the_repository() -> None:
    assert remedy(DEMO_ROOT / "sam2" / "config.yaml") == "`git checkout data/weights` brings it"


@pytest.mark.parametrize("network", WORLD_FILES)
def test_of_worlds_there_are_no_demo_s_so_the_official_one_is_what_is_missing(
    network: str, tmp_path: Path
) -> None:
    path = chosen(network, tmp_path, tmp_path / "demo")
    assert path == tmp_path / WORLD_FILES[network][0]
    file = path if path.suffix else path / "config.json"
    key = "depth-pro" if network == "depth_metric" else USUAL[network]
    assert f"make weights CHECKPOINTS={key}" in remedy(file)


def test_a_file_of_ones_own_is_ones_own_affair() -> None:
    assert remedy(Path("/mine/best.pth")) == "put the right one there"


@pytest.mark.parametrize("depth", range(1, 120))
def test_the_whole_line_stays_short_however_long_the_folders_name_is(depth: int) -> None:
    path = Path("/" + depth * "w") / "vimo_checkpoint.pth.tar"
    for said in ("is missing", "is damaged or cut short (" + 60 * "e" + ")"):
        line = with_remedy(f"{shown(path)} {said}", path)
        assert len(line) < 200 and "`make weights CHECKPOINTS=vimo ACCEPT" in line
        assert f"WEIGHTS=/{depth * 'w'}`" in line or "WEIGHTS=...`" in line
