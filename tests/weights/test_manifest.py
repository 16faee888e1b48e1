"""The list of checkpoints agrees with the stages, and with itself."""

import re

import pytest

from stages import catalogue
from stages.weights import names
from stages.weights.manifest import Checkpoint, read_manifest
from stages.weights.recognise import RECOGNISERS
from stages.weights.sources import KINDS

EVERY = list(read_manifest().values())
STAGES = {stage.name for stage in catalogue.STAGES}


@pytest.fixture(params=EVERY, ids=lambda each: each.key)
def checkpoint(request: pytest.FixtureRequest) -> Checkpoint:
    return request.param


def test_it_belongs_to_a_stage_and_says_its_licences(checkpoint: Checkpoint) -> None:
    assert checkpoint.stage in STAGES
    assert checkpoint.title and checkpoint.code and checkpoint.weights


def test_every_source_has_every_file_or_says_where_people_get_it(checkpoint: Checkpoint) -> None:
    wanted = {file.name for file in checkpoint.files}
    assert checkpoint.sources
    for source in checkpoint.sources:
        assert source["kind"] in KINDS
        if source["kind"] == "url":
            assert set(source["urls"]) == wanted
            assert all(url.startswith("https://") for url in source["urls"].values())
        elif source["kind"] in ("wheel", "npm"):
            assert set(source["members"]) == wanted
        elif source["kind"] == "hub":
            assert source["revision"] and set(source.get("paths", {})) <= wanted
        else:
            assert source["page"].startswith("https://")


def test_checksums_are_whole(checkpoint: Checkpoint) -> None:
    for file in checkpoint.files:
        assert not file.sha256 or re.fullmatch("[0-9a-f]{64}", file.sha256)


def test_what_needs_a_login_is_known_by_its_content_and_has_to_be_accepted(
    checkpoint: Checkpoint,
) -> None:
    needs_login = {source["kind"] for source in checkpoint.sources} == {"hand"}
    assert needs_login == bool(checkpoint.content)
    if needs_login:
        assert checkpoint.content in RECOGNISERS and checkpoint.accept


def test_words_that_forbid_commercial_use_have_a_name_to_accept(checkpoint: Checkpoint) -> None:
    said = f"{checkpoint.code} {checkpoint.weights}"
    assert bool(re.search("non-commercial|research only", said)) == bool(checkpoint.accept)


def test_every_official_checkpoint_that_stages_look_for_can_be_brought() -> None:
    places = {each.place(file.name) for each in EVERY for file in each.files}
    for files in (names.FILES | names.WORLD_FILES).values():
        for name in files:
            # The authors' drive has two files of the same layout and does not say which is which.
            is_known = name == "align3r_depthpro.pth"
            assert is_known or name in places or f"{name}/config.json" in places


def test_one_of_each_network_comes_where_none_is_named() -> None:
    places = {each.place(file.name) for each in EVERY if each.default for file in each.files}
    asked_for = {"align3r"}
    for network, files in (names.FILES | names.WORLD_FILES).items():
        is_there = any(name in places or f"{name}/config.json" in places for name in files)
        assert is_there == (network not in asked_for), network


def test_what_is_brought_where_none_is_named_has_the_keys_that_doctor_says() -> None:
    assert set(names.USUAL) == set(names.FILES | names.WORLD_FILES)
    for network, key in names.USUAL.items():
        checkpoint = read_manifest()[key]
        assert checkpoint.default == (network != "align3r")
        place = checkpoint.place(checkpoint.files[0].name)
        files = (names.FILES | names.WORLD_FILES)[network]
        assert any(place == name or place.startswith(f"{name}/") for name in files)


def test_every_network_of_a_world_method_has_a_file() -> None:
    assert set(names.WORLD_NETWORKS) <= set(catalogue.WORLD_METHODS)
    assert {each for few in names.WORLD_NETWORKS.values() for each in few} == set(names.WORLD_FILES)


def test_files_of_stage_3_and_the_body_lie_where_they_are_looked_for() -> None:
    places = {each.place(file.name) for each in EVERY for file in each.files}
    assert {*names.OF_STAGE_3.values(), names.SMPL} <= places


def test_no_two_checkpoints_share_a_file() -> None:
    places = [each.place(file.name) for each in EVERY for file in each.files]
    assert len(places) == len(set(places))
