"""What is noted beside a video."""

import pytest

from stages.artifacts.errors import ArtifactError
from stages.artifacts.video_notes import read_notes


def noted(folder, text):
    path = folder / "jump.json"
    path.write_text(text)
    return read_notes(path)


def test_one_height_is_that_of_everybody(tmp_path):
    notes = noted(tmp_path, '{"height_m": 1.83}')
    assert notes.height_of(1) == notes.height_of(7) == 1.83


def test_heights_by_id_are_those_of_the_named_alone(tmp_path):
    notes = noted(tmp_path, '{"height_m": {"1": 1.83, "3": 1.6}}')
    assert (notes.height_of(1), notes.height_of(2), notes.height_of(3)) == (1.83, None, 1.6)


@pytest.mark.parametrize("text", [None, "{}", '{"filmed": "in the yard"}'])
def test_no_note_is_no_height(tmp_path, text):
    notes = noted(tmp_path, text) if text else read_notes(tmp_path / "absent.json")
    assert notes.height_of(1) is None


@pytest.mark.parametrize(
    "text",
    ["[1.8]", "{", '{"height_m": "tall"}', '{"height_m": {"Ann": 1.8}}', '{"height_m": null}',
     '{"height_m": NaN}'],
)  # fmt: skip
def test_a_note_that_says_nothing_usable_names_the_file(tmp_path, text):
    with pytest.raises(ArtifactError, match=r"jump\.json"):
        noted(tmp_path, text)
