"""GeoCalib and NKSR take their checkpoints from the folder of weights, and ask no network.

Stand-ins for the two packages load as the real ones do.
"""

import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from stages.running import VideoError
from stages.stage3_postprocess import geocalib_gravity, nksr_meshing
from stages.stage3_postprocess.geocalib_gravity import FILE, GeoCalibGravity
from stages.stage3_postprocess.stage import PostprocessStage
from stages.weights.errors import WeightsError
from stages.weights.manifest import WeightsFile, read_manifest

NO_HOST = "http://127.0.0.1:1/geocalib-pinhole.tar"


class Network(torch.nn.Module):
    """Loads as GeoCalib does: by PyTorch's hub, under a name in a folder of its cache."""

    def __init__(self, weights: str) -> None:
        super().__init__()
        folder = f"{torch.hub.get_dir()}/geocalib"
        state = torch.hub.load_state_dict_from_url(
            NO_HOST, folder, map_location="cpu", file_name=f"{weights}.tar"
        )
        self.numbers = torch.nn.Parameter(state["model"]["numbers"])


@pytest.fixture
def geocalib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "geocalib", SimpleNamespace(GeoCalib=Network))  # type: ignore[misc]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "geocalib"
    path.mkdir()
    torch.save({"model": {"numbers": torch.arange(3.0)}}, path / FILE)
    return path


def test_geocalib_is_loaded_from_the_folder_and_pytorchs_cache_stays_as_it_was(
    geocalib: None, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = read_manifest()["geocalib"]
    known = {"geocalib": replace(real, files=(WeightsFile(FILE),))}
    monkeypatch.setattr(geocalib_gravity, "read_manifest", lambda: known)
    before = torch.hub.get_dir()
    model = GeoCalibGravity(folder).model
    assert model.numbers.tolist() == [0, 1, 2]
    assert torch.hub.get_dir() == before


def test_another_file_than_geocalibs_is_refused_before_anything_loads_it(
    geocalib: None, folder: Path
) -> None:
    with pytest.raises(WeightsError, match=rf"{FILE} is damaged: .*make weights CHECKPOINTS=geoc"):
        GeoCalibGravity(folder)


def test_a_missing_checkpoint_names_the_command(geocalib: None, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"is missing: `make weights CHECKPOINTS=geocalib"):
        GeoCalibGravity(tmp_path / "geocalib")


def test_nksr_is_told_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []

    def reconstructor(device: torch.device, config: Any) -> None:
        told.append(config)
        raise InterruptedError

    stand_in: Any = SimpleNamespace(Reconstructor=reconstructor)
    monkeypatch.setitem(sys.modules, "nksr", stand_in)
    with pytest.raises(InterruptedError):
        nksr_meshing._reconstructed(torch.zeros(3), torch.zeros(3), tmp_path / "ks.pth")  # type: ignore[arg-type]
    assert told == [{"parent": "ks", "url": f"{tmp_path}/ks.pth"}]


def test_nksr_without_its_file_ends_with_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stages.stage3_postprocess.stage.find_spec", lambda _: object())
    stage = PostprocessStage(nksr_checkpoint=tmp_path / "nksr")
    assert stage.meshification_method == "nksr" and "nksr_checkpoint" in stage.models()
    with pytest.raises(WeightsError) as error:
        stage.load()
    assert "CHECKPOINTS=nksr ACCEPT_LICENSES=NVIDIA-noncommercial" in str(error.value)


def test_checkpoints_that_only_lie_there_are_no_part_of_the_results() -> None:
    assert set(PostprocessStage().models()) == {"body_model"}


@pytest.mark.parametrize(("key", "file"), [("geocalib", FILE), ("nksr", nksr_meshing.FILE)])
def test_they_are_looked_for_where_make_weights_brings_them(
    key: str, file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    brought = read_manifest()[key]
    (tmp_path / brought.folder).mkdir()
    monkeypatch.setenv("MIMICMILL_WEIGHTS", str(tmp_path))
    stage = PostprocessStage()
    folder = {"geocalib": stage.geocalib_checkpoint, "nksr": stage.nksr_checkpoint}[key]
    assert folder == tmp_path / brought.folder
    assert [each.name for each in brought.files] == [file]


def test_a_package_that_cannot_be_imported_is_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "geocalib", None)  # type: ignore[arg-type]  # no module
    with pytest.raises(VideoError, match=r"geocalib cannot be imported \(.*\); PyTorch ") as error:
        GeoCalibGravity(folder)
    assert len(str(error.value)) < 200
