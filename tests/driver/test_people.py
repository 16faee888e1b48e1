"""`PEOPLE=auto`: decided by what is in the folders, said with the reason, and kept."""

import json
from pathlib import Path

import pytest

from driver.settings import WEIGHTS
from stages import catalogue
from stages.weights.names import (
    DEMO_FILES,
    FILES,
    SMPL,
    WORLD_FILES,
    WORLD_NETWORKS,
    missing_official,
)
from tests.driver.conftest import CHAIN, StandIns

pytestmark = pytest.mark.skipif(
    len(missing_official(WEIGHTS)) < len(FILES), reason="data/weights has official checkpoints"
)

BLAZEPOSE_CHAIN = [stage.name for stage in catalogue.chain(catalogue.BLAZEPOSE, catalogue.AUTO)]
NOTHING_HERE = "PEOPLE=blazepose, for data/weights has no official checkpoints; WORLD="


def said_first(output: str) -> str:
    return output.splitlines()[0]


def render(stand_ins: StandIns, *videos: str) -> None:
    """What leaves ground truth beside videos."""
    for video in videos:
        (stand_ins.data / "truth" / video).mkdir(parents=True)


def official_weights(folder: Path, *without: str) -> Path:
    folder.mkdir()
    for network, names in FILES.items():
        if network not in without:
            (folder / names[-1]).touch()
    return folder


@pytest.mark.parametrize("lacking", ["", "raft"])
def test_megasam_s_checkpoints_make_it_the_world_of_auto(stand_ins, tmp_path, lacking):
    stand_ins.videos("one.mp4")
    weights = tmp_path / "weights"
    weights.mkdir()
    for network in WORLD_NETWORKS["megasam"]:
        if network != lacking:
            (weights / WORLD_FILES[network][-1]).touch()
    code, output = stand_ins.make("dataset", f"WEIGHTS={weights}")
    assert code == 0, output
    world = "megasam" if not lacking else catalogue.AUTO
    assert list(stand_ins.names) == [
        stage.name for stage in catalogue.chain(catalogue.OFFICIAL, world)
    ]
    said = f"WORLD=megasam, for its checkpoints are in {weights}"
    assert (said in said_first(output)) == (not lacking)
    (note,) = (stand_ins.data / "logs" / "dataset").glob("*.json")
    assert json.loads(note.read_text())["world"] == world
    code, output = stand_ins.make("dataset", f"WEIGHTS={weights}", "WORLD=sfm")
    assert code == 0 and "WORLD=sfm" in said_first(output)
    assert "stage1-sfm" in stand_ins.names


def test_a_folder_of_ones_own_takes_blazepose(stand_ins):
    stand_ins.videos("holiday.mp4")
    code, output = stand_ins.make("dataset", "PEOPLE=")
    assert code == 0, output
    assert NOTHING_HERE in said_first(output)
    assert list(stand_ins.names) == BLAZEPOSE_CHAIN


def test_rendered_videos_take_the_demo_s_checkpoints(stand_ins):
    stand_ins.videos("one.mp4", "two.mp4")
    render(stand_ins, "one", "two")
    code, output = stand_ins.make("dataset", "PEOPLE=auto", "PATTERN=one")
    assert code == 0, output
    said = "PEOPLE=official with the demo's checkpoints, for the videos are rendered; WORLD="
    assert said in said_first(output)
    assert list(stand_ins.names) == CHAIN


def test_one_real_video_among_rendered_ones_takes_all_of_them_to_blazepose(stand_ins):
    stand_ins.videos("one.mp4", "real.mp4")
    render(stand_ins, "one")
    stand_ins.make("dataset", "PEOPLE=auto", "PATTERN=one")
    assert list(stand_ins.names) == BLAZEPOSE_CHAIN


def test_official_checkpoints_are_taken_where_all_of_them_are(stand_ins, tmp_path):
    stand_ins.videos("holiday.mp4")
    weights = official_weights(tmp_path / "weights")
    _, output = stand_ins.make("dataset", "PEOPLE=auto", f"WEIGHTS={weights}")
    assert f"PEOPLE=official, for its checkpoints are in {weights}; " in said_first(output)
    assert list(stand_ins.names) == CHAIN


def test_official_networks_get_smpls_body_where_it_is_and_body_names_no_other(stand_ins, tmp_path):
    stand_ins.videos("holiday.mp4")
    weights = official_weights(tmp_path / "weights")
    _, output = stand_ins.make("dataset", "PEOPLE=auto", f"WEIGHTS={weights}")
    assert "; BODY=" not in said_first(output)
    (weights / SMPL).parent.mkdir()
    (weights / SMPL).touch()
    _, output = stand_ins.make("dataset", "PEOPLE=official", f"WEIGHTS={weights}")
    assert f"; BODY={weights / SMPL}, for its official networks" in said_first(output)
    assert stand_ins.calls[-1]["environment"]["MIMICMILL_BODY"] == str(weights / SMPL)
    mine = tmp_path / "mine.pkl"
    mine.touch()
    _, output = stand_ins.make("dataset", f"WEIGHTS={weights}", f"BODY={mine}")
    assert "; BODY=" not in said_first(output)
    assert stand_ins.calls[-1]["environment"]["MIMICMILL_BODY"] == str(mine)


def test_of_some_official_checkpoints_it_is_said_which_lack(stand_ins, tmp_path):
    stand_ins.videos("holiday.mp4")
    weights = official_weights(tmp_path / "weights", "vimo", "bstro")
    (weights / DEMO_FILES["vimo"]).parent.mkdir()
    (weights / DEMO_FILES["vimo"]).touch()
    _, output = stand_ins.make("dataset", "PEOPLE=auto", f"WEIGHTS={weights}")
    assert (
        f"PEOPLE=blazepose, for {weights} has no official checkpoint of vimo, bstro;"
    ) in said_first(output)


def test_what_found_the_people_before_goes_on_and_another_method_has_to_be_asked_for(
    stand_ins, tmp_path
):
    stand_ins.videos("holiday.mp4")
    stand_ins.make("dataset", "PEOPLE=auto")
    weights = official_weights(tmp_path / "weights")
    _, output = stand_ins.make("dataset", "PEOPLE=auto", f"WEIGHTS={weights}")
    assert (
        "PEOPLE=blazepose, which found the people here before (PEOPLE=official finds them anew);"
    ) in said_first(output)
    _, output = stand_ins.make("dataset", "PEOPLE=official", f"WEIGHTS={weights}")
    assert "PEOPLE=official, anew, after blazepose; " in said_first(output)
    assert list(stand_ins.names) == [*BLAZEPOSE_CHAIN, *CHAIN[1:5]]


def test_people_of_a_video_that_is_gone_and_failures_decide_nothing(stand_ins):
    stand_ins.videos("rendered.mp4", "broken.mp4")
    stand_ins.plan(stage0_sam2={"broken": "failed"})
    stand_ins.make("dataset", "PEOPLE=official")
    (stand_ins.data / "videos" / "rendered.mp4").unlink()
    _, output = stand_ins.make("dataset", "PEOPLE=auto")
    assert NOTHING_HERE in said_first(output)


def test_the_choice_is_written_down_beside_the_list_of_videos(stand_ins):
    stand_ins.videos("holiday.mp4")
    stand_ins.make("dataset", "PEOPLE=auto")
    (file,) = (stand_ins.data / "logs" / "dataset").glob("*.json")
    assert json.loads(file.read_text()) == {
        "people": "blazepose",
        "people_why": "for data/weights has no official checkpoints",
        "world": "auto",
        "world_why": "",
        "runner": "local",
        "stages": BLAZEPOSE_CHAIN,
    }


@pytest.mark.parametrize("verb", ["doctor", "status", "-n"])
def test_doctor_status_and_make_n_say_it_and_write_nothing(stand_ins, verb):
    stand_ins.videos("holiday.mp4")
    _, output = stand_ins.make(*([verb, "dataset"] if verb == "-n" else [verb]), "PEOPLE=auto")
    assert NOTHING_HERE in output
    assert not (stand_ins.data / "logs").exists()


def test_a_stage_of_a_method_is_that_method(stand_ins):
    stand_ins.videos("holiday.mp4")
    _, output = stand_ins.make("stage0-sam2", "PEOPLE=auto")
    assert "PEOPLE=official; " in said_first(output)
    assert list(stand_ins.names) == ["stage0-sam2"]


def test_scenes_that_evaluate_renders_are_rendered_before_they_are_there(stand_ins):
    _, output = stand_ins.make("-n", "evaluate", "SEEDS=1", "PEOPLE=auto")
    assert "PEOPLE=official with the demo's checkpoints" in output


def test_weights_out_of_packages_are_no_checkpoints_of_ones_own(stand_ins):
    """They lie in data/weights beside the demo's, and images have them inside."""
    stand_ins.videos("holiday.mp4")
    stand_ins.make("stage0-frames")
    assert "MIMICMILL_WEIGHTS" not in stand_ins.calls[0]["environment"]
