"""What needs a login: said where to get it, and known by its content wherever it was put."""

import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stages.body.model import DEMO_BODY
from stages.weights.bring import bring
from stages.weights.errors import WeightsError
from stages.weights.manifest import MANIFEST, Checkpoint, read_manifest
from stages.weights.recognise import SMALLEST, is_bstro, is_smpl
from tests.body.conftest import random_smpl_arrays
from tests.weights.official import write

BSTRO = "hsi_hrnet_3dpw_b32_checkpoint_15.bin"


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """The real list, where checksums of made-up files may be noted."""
    path = tmp_path / "list" / "manifest.toml"
    path.parent.mkdir()
    path.write_text(MANIFEST.read_text())
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "weights"
    folder.mkdir()
    return folder


def the(manifest: Path, key: str) -> Checkpoint:
    return read_manifest(manifest)[key]


def smpl() -> bytes:
    return pickle.dumps(random_smpl_arrays(2), protocol=2)


def bstro(**more: Any) -> dict[str, Any]:
    return {
        "conv_learn_tokens.weight": torch.zeros(1).expand(431, 49, 1),
        "upsampling2.weight": torch.zeros(1).expand(6890, 1723),
        "room": torch.zeros(SMALLEST // 4),
        **more,
    }


def test_smpl_in_its_archive_is_taken_out_and_the_archive_stays(manifest: Path, root: Path) -> None:
    content = smpl()
    with zipfile.ZipFile(root / "SMPL_python_v.1.1.0.zip", "w") as archive:
        archive.writestr("smpl/models/basicmodel_neutral_lbs_10_207_0_v1.1.0.pkl", content)
        archive.writestr("smpl/models/basicmodel_f_lbs_10_207_0_v1.1.0.pkl", b"no")
    assert bring(the(manifest, "smpl"), root, manifest=manifest)
    assert (root / "smpl" / "SMPL_NEUTRAL.pkl").read_bytes() == content
    assert not bring(the(manifest, "smpl"), root, manifest=manifest)
    assert the(manifest, "smpl").files[0].sha256, "noted"


@pytest.mark.parametrize(
    "name", ["basicModel_neutral_lbs_10_207_0_v1.0.0.pkl", "smpl/smpl-NEUTRAL-mine.pkl"]
)
def test_smpl_is_known_under_any_name_that_says_neutral(
    manifest: Path, root: Path, name: str
) -> None:
    (root / "smpl").mkdir()
    (root / name).write_bytes(smpl())
    assert bring(the(manifest, "smpl"), root, manifest=manifest)
    assert (root / "smpl" / "SMPL_NEUTRAL.pkl").exists() and (root / name).exists()


def test_another_body_in_smpls_layout_is_not_taken_for_smpl(manifest: Path, root: Path) -> None:
    assert "is another body in SMPL's layout" in is_smpl(DEMO_BODY)
    (root / "my_neutral.pkl").write_bytes(b"not a body" * SMALLEST)
    with pytest.raises(WeightsError, match=r"smpl: register at https://smpl.is.tue.mpg.de"):
        bring(the(manifest, "smpl"), root, manifest=manifest)
    assert not (root / "smpl").exists()


def test_bstro_is_known_under_any_name(manifest: Path, root: Path) -> None:
    write(root / "download (3)", bstro(), is_archive=False)
    write(root / "other.pth", {"weight": torch.zeros(SMALLEST)})
    assert bring(the(manifest, "bstro"), root, manifest=manifest)
    assert is_bstro(root / BSTRO) == ""


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"weight": torch.zeros(3)}, "conv_learn_tokens.weight: expected (431, 49, 1), found none"),
        (bstro(**{"upsampling2.weight": torch.zeros(3)}), "expected (6890, 1723), found (3,)"),
        ([1, 2, 3], "is no BSTRO"),
    ],
)
def test_what_is_under_its_name_and_is_something_else_is_said(
    manifest: Path, root: Path, content: Any, said: str
) -> None:
    write(root / BSTRO, content)
    with pytest.raises(WeightsError) as error:
        bring(the(manifest, "bstro"), root, manifest=manifest)
    assert said in str(error.value) and str(error.value).endswith("put another there")


def test_a_login_page_that_was_saved_in_its_place_is_said(manifest: Path, root: Path) -> None:
    (root / BSTRO).write_text("<html>sign in</html>")
    with pytest.raises(WeightsError, match="is a web page"):
        bring(the(manifest, "bstro"), root, manifest=manifest)


def test_where_it_is_nowhere_the_page_and_the_whole_folder_are_said(
    manifest: Path, root: Path
) -> None:
    with pytest.raises(WeightsError) as error:
        bring(the(manifest, "smpl"), root, manifest=manifest)
    said = str(error.value)
    assert "register at https://smpl.is.tue.mpg.de (SMPL_python_v.1.1.0.zip has it)" in said
    assert said.endswith(f"put the file into {root} under any name, and run again")


def test_nothing_in_a_file_that_was_placed_is_run(manifest: Path, root: Path) -> None:
    import os

    class Command:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(root / "was here"),)

    (root / "neutral.pkl").write_bytes(pickle.dumps([Command(), np.zeros(SMALLEST)], protocol=2))
    for key in ("smpl", "bstro"):
        with pytest.raises(WeightsError, match="register at"):
            bring(the(manifest, key), root, manifest=manifest)
    assert not (root / "was here").exists()
