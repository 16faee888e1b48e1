"""Every stage is in the catalogue, and what the project says of stages elsewhere agrees with it."""

import subprocess
import sys
import tomllib
from dataclasses import fields
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

import click
import pytest

from stages import catalogue
from stages.artifacts import layout
from stages.running import PeopleFlags, Stage, VideoError
from stages.running.flags import flags_of

REPOSITORY = Path(__file__).parents[1]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
NAMES = [entry.name for entry in catalogue.STAGES]
CHAIN = [entry.name for entry in catalogue.chain(catalogue.OFFICIAL, "sfm")]


def declaration(name: str) -> type[Stage]:
    module = import_module(f"stages.{catalogue.entry_of(name).package}.stage")
    (found,) = (
        each
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, Stage) and each.__dict__.get("name") == name
    )
    return found


def test_every_folder_of_a_stage_is_in_the_catalogue_and_the_other_way_round():
    folders = {path.parent.name for path in (REPOSITORY / "stages").glob("stage[0-9]_*/stage.py")}
    assert folders == {entry.package for entry in catalogue.STAGES}


def test_every_stage_is_a_command_of_its_name():
    for entry in catalogue.STAGES:
        (script,) = entry_points(group="console_scripts", name=entry.name)
        assert script.value == f"stages.{entry.package}.stage:main"
        assert isinstance(script.load(), click.Command)


def room_of(reader: str) -> str:
    """The package of a reader's command, such as `stages.report`."""
    (script,) = entry_points(group="console_scripts", name=reader)
    assert isinstance(script.load(), click.Command)
    return ".".join(script.value.split(".")[:2])


def test_the_import_contracts_name_every_stage_and_reader():
    folders = (REPOSITORY / "stages").glob("stage[0-9]_*/__init__.py")
    packages = {f"stages.{path.parent.name}" for path in folders}
    contracts = {one["name"]: one for one in PROJECT["tool"]["importlinter"]["contracts"]}
    readers = {room_of(reader.name) for reader in catalogue.READERS}
    apart = contracts["Stages and readers know nothing of each other"]
    assert set(apart["modules"]) == packages | readers
    shared = contracts["Shared rooms know nothing of stages"]
    assert packages <= set(shared["forbidden_modules"])
    rooms = {f"stages.{path.parent.name}" for path in (REPOSITORY / "stages").glob("*/__init__.py")}
    assert set(shared["source_modules"]) - {"stages.catalogue"} == rooms - packages - readers


def test_every_stage_has_an_image_and_readers_that_say_so():
    recipes = {path.parent.name for path in (REPOSITORY / "images").glob("*/requirements.txt")}
    assert recipes - {"base"} == set(catalogue.IMAGES)
    assert set(NAMES) < set(catalogue.IMAGES)


@pytest.mark.parametrize("name", NAMES)
def test_the_catalogue_says_which_stages_follow_people(name):
    assert catalogue.entry_of(name).follows_people == issubclass(declaration(name), PeopleFlags)


@pytest.mark.parametrize("name", NAMES)
def test_the_catalogue_says_which_stages_honour_decisions(name):
    has_flag = any(each.name == "curated" for each in fields(declaration(name)))
    assert catalogue.entry_of(name).curated == has_flag


def test_a_chain_has_one_people_method_and_one_world_method():
    assert CHAIN == [
        "stage0-frames",
        "stage0-sam2",
        "stage0-vitpose",
        "stage0-vimo",
        "stage0-bstro",
        "stage1-sfm",
        "stage2-megahunter",
        "stage3-postprocess",
        "stage4-retarget",
    ]


def test_every_kind_of_result_has_a_maker():
    for kind in (
        layout.IMAGES,
        layout.MASKS,
        layout.KEYPOINTS,
        layout.BODIES,
        layout.CONTACTS,
        layout.PEOPLE_AND_WORLD,
        layout.CALIBRATED,
        layout.ROBOT_MOTION,
    ):
        assert catalogue.makers(kind), kind


def test_an_unknown_stage_is_refused_with_the_names_that_there_are():
    with pytest.raises(KeyError, match="no stage 'stage9-magic'; there are stage0-frames"):
        catalogue.entry_of("stage9-magic")


def test_the_makefile_can_ask_for_the_names():
    command = [sys.executable, "-m", "stages.catalogue", "stages"]
    said = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert said.stdout.split() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_flag_that_changes_results_is_recorded_and_no_other(name):
    kind = declaration(name)
    for each, about in flags_of(kind):
        if about.is_model:
            continue
        usual, other = kind(multihuman=True) if _follows(kind) else kind(), _other(kind, each.name)
        if other is None:
            continue
        recorded = usual.parameters() != other.parameters()
        assert recorded == about.changes_results, each.name


@pytest.mark.parametrize("name", NAMES)
def test_only_folders_pictures_and_sizes_of_batches_change_no_result(name):
    harmless = {
        each.name for each, about in flags_of(declaration(name)) if not about.changes_results
    }
    folders = {field for field in harmless if field.endswith("_dir") or field == "outdir"}
    models = {each.name for each, about in flags_of(declaration(name)) if about.is_model}
    assert harmless - folders - models <= {
        "vis",
        "batch_size",
        "batchify",
        "world",
        "auto",
        "curated",
    }


def _follows(kind: type[Stage]) -> bool:
    return any(each.name == "multihuman" for each in fields(kind))


def _other(kind: type[Stage], field: str) -> Stage | None:
    """The stage with another value of one field; None where only one value is possible here."""
    before = getattr(kind(multihuman=True) if _follows(kind) else kind(), field)
    values = {bool: not before, int: 7, float: 1.77, str: "other"}
    value = {"meshification_method": "nksr", "height_m": 1.77, "fps": 12.5}.get(
        field, values.get(type(before), Path("elsewhere"))
    )
    given = {"multihuman": True} if _follows(kind) else {}
    if field == "conf_thr":
        given["is_megasam"] = False
    try:
        return kind(**{**given, field: value})
    except VideoError:
        return None
