"""What is noted beside a video."""

import pytest

from stages.artifacts.errors import ArtifactError
from stages.artifacts.video_notes import read_notes


def noted(folder, text):
    path = folder / "jump.json"
    path.write_text(text, encoding="utf-8")
    return read_notes(path)


def test_one_height_is_that_of_everybody(tmp_path):
    notes = noted(tmp_path, '{"height_m": 1.83}')
    assert notes.height_of(1) == notes.height_of(7) == 1.83


def test_notes_of_windows_editors_are_read(tmp_path):
    assert noted(tmp_path, '\ufeff{"height_m": 1.83}').height_of(1) == 1.83


def test_heights_by_id_are_those_of_the_named_alone(tmp_path):
    notes = noted(tmp_path, '{"height_m": {"1": 1.83, "3": 1.6}}')
    assert (notes.height_of(1), notes.height_of(2), notes.height_of(3)) == (1.83, None, 1.6)


@pytest.mark.parametrize("text", [None, "{}"])
def test_no_note_is_no_height(tmp_path, text):
    notes = noted(tmp_path, text) if text else read_notes(tmp_path / "absent.json")
    assert notes.height_of(1) is None


@pytest.mark.parametrize(
    "text",
    ["[1.8]", "{", '{"height_m": "tall"}', '{"height_m": {"Ann": 1.8}}', '{"height_m": null}',
     '{"height_m": NaN}', '{"height_m": true}', '{"height_m": {"0": 1.8}}', '{"height_m": 0.1}'],
)  # fmt: skip
def test_a_note_that_says_nothing_usable_names_the_file(tmp_path, text):
    with pytest.raises(ArtifactError, match=r"jump\.json"):
        noted(tmp_path, text)


@pytest.mark.parametrize("key", ["height", "height_cm", "Height_m", "heights_m", "filmed"])
def test_an_entry_that_is_not_known_is_refused_with_the_one_that_is(tmp_path, key):
    with pytest.raises(ArtifactError, match=f"not known, '{key}'.*\"height_m\", in metres"):
        noted(tmp_path, f'{{"{key}": 1.85}}')


@pytest.mark.parametrize("given", ["185", '{"2": 185}'])
def test_centimetres_are_refused_with_the_metres(tmp_path, given):
    with pytest.raises(ArtifactError, match=r'185 m; write metres, as in {"height_m": 1.85}'):
        noted(tmp_path, f'{{"height_m": {given}}}')
