"""A real clip through the whole chain, by the README's command for a video of one's own: somebody
walks up a slope and sits down."""

import json
import re
import shlex
import subprocess

import h5py
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from stages import catalogue
from stages.artifacts.calibrated_keypoints import FILE, PersonJoints, read_calibrated_keypoints
from stages.artifacts.images import list_images
from stages.artifacts.keypoints import read_keypoints
from stages.artifacts.layout import CALIBRATED, DataFolder
from stages.artifacts.masks import read_mask
from stages.artifacts.people_and_world import MEGAHUNTER_FILE, opened_people_and_world
from stages.artifacts.robot_motion import SINGLE_FILE
from stages.body.joint_names import SMPL45_NAMES
from stages.drawing.camera import Camera
from stages.report.command import main as report
from stages.running import ledger
from stages.weights.errors import WeightsError
from stages.weights.locate import fetched
from stages.weights.manifest import read_manifest
from stages.weights.remedy import require_whole
from tests.engines import Made, make
from tests.pipeline.commands import REPOSITORY
from tools.picture import main as picture

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

CLIP = REPOSITORY / "data" / "demo_real" / "videos" / "sitting_standing.mp4"
VIDEO, FRAMES = "phone", 120
WALKS, SITS = slice(0, 50), slice(95, FRAMES)
STAGES = [stage.name for stage in catalogue.chain(catalogue.BLAZEPOSE, catalogue.AUTO)]
LIMBS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
SMPL_LIMBS = [SMPL45_NAMES.index(f"{side}_{limb}") for limb in LIMBS for side in ("left", "right")]
COCO_LIMBS = slice(5, 17)
"""Shoulders, elbows, wrists, hips, knees and ankles, left before right."""


def commands_of_the_readme() -> list[list[str]]:
    """Those for a video of one's own, as words."""
    text = (REPOSITORY / "README.md").read_text()
    (block,) = re.findall(r"## Your own video\n.*?```\n(.*?)```", text, re.DOTALL)
    return [shlex.split(line) for line in block.splitlines()]


@pytest.fixture(scope="module")
def real(tmp_path_factory) -> Made:
    try:
        require_whole(read_manifest()["blazepose"], fetched("blazepose"))
    except WeightsError as error:
        pytest.skip(str(error))
    phone = tmp_path_factory.mktemp("own") / "phone.mp4"
    phone.write_bytes(CLIP.read_bytes())
    data = phone.parent / "my_data"
    make_folder, copy, dataset = commands_of_the_readme()
    for words in (make_folder, copy):
        places = {"phone.mp4": str(phone), "my_data/videos": f"{data}/videos"}
        done = [places.get(word.rstrip("/"), word) for word in words]
        subprocess.run(done, check=True)
    program, *words = [word.replace("my_data", str(data)) for word in dataset]
    assert program == "make"
    # Tests run in an environment that is set up; nothing else differs from what a user types.
    return Made(data, *make("RUNNER=local", "PEOPLE=", *words))


@pytest.fixture(scope="module")
def folder(real) -> DataFolder:
    return DataFolder(real.data)


@pytest.fixture(scope="module")
def calibrated(real):
    (found,) = (real.data / CALIBRATED).iterdir()
    return found


@pytest.fixture(scope="module")
def person(calibrated) -> PersonJoints:
    return read_calibrated_keypoints(calibrated / FILE).people[1]


def test_the_command_ends_well_and_says_by_what(real):
    assert real.exit_code == 0, real.output[-3000:]
    assert "PEOPLE=blazepose, for data/weights has no official checkpoints" in real.output


def test_every_stage_is_done(real):
    outcomes = {each["stage"]: each["outcome"] for each in ledger.read(real.data)}
    # The camera moves.
    assert outcomes == {**dict.fromkeys(STAGES, "done"), "stage1-ground": "declined"}


def test_one_person_is_found_in_nearly_all_frames_and_nobody_else(folder):
    images = list_images(folder.images(VIDEO))
    masks = [read_mask(folder.masks(VIDEO), image.name) for image in images]
    assert len(masks) == FRAMES
    assert {int(person) for mask in masks for person in np.unique(mask)} == {0, 1}
    assert np.mean([(mask == 1).sum() > 2000 for mask in masks]) >= 0.97


def test_the_body_lies_on_its_keypoints_in_the_pictures(folder, calibrated, person):
    errors = []
    with opened_people_and_world(calibrated / MEGAHUNTER_FILE) as file:
        names = file.people[1].frames
        for name, joints in zip(names, person.joints, strict=True):
            seen = read_keypoints(folder.keypoints(VIDEO), int(name))[1]
            frame = file.world[name]
            camera = Camera(frame.intrinsic, frame.T_world_camera, *frame.size)
            pixels, _ = camera.project(joints[SMPL_LIMBS].astype(float))
            to_image = frame.affine_original_from_reconstruction
            pixels = pixels @ to_image[:, :2].T + to_image[:, 2]
            _, top, _, bottom, _ = map(float, seen.box)
            distances = np.linalg.norm(pixels - seen.keypoints[COCO_LIMBS, :2], axis=1)
            errors += list(distances / (bottom - top))
    assert np.median(errors) < 0.03


def test_who_stands_and_walks_is_tall_and_who_sits_is_not(person):
    heads = person.joints[:, SMPL45_NAMES.index("head"), 2]
    ankles = person.joints[
        :, [SMPL45_NAMES.index(f"{side}_ankle") for side in ("left", "right")], 2
    ]
    height_m = heads - ankles.min(1)
    assert np.median(height_m[WALKS]) > 1.2
    assert np.median(height_m[SITS]) < 0.85 * np.median(height_m[WALKS])


def test_who_sits_stays_where_they_sit(person):
    pelvis = person.joints[SITS, 0]
    assert np.ptp(pelvis[:, 2]) < 0.05
    assert np.linalg.norm(np.ptp(pelvis[:, :2], axis=0)) < 0.25  # They lean back meanwhile.


def test_the_robot_s_motion_can_be_used(calibrated):
    with h5py.File(calibrated / SINGLE_FILE) as file:
        quality = json.loads(file.attrs["quality"])
        assert file["joints"].shape == (FRAMES, 23) and file.attrs["fps"] == 30
        contacts = [file["contacts"][foot][:] for foot in ("left_foot", "right_foot")]
    assert quality["joint_limit_violations"] == 0
    assert quality["foot_sliding_m_s"] < 0.03
    assert quality["below_ground_mean_m"] < 0.01
    assert np.mean(contacts) > 0.3


def test_the_ledger_says_that_the_weights_are_those_of_the_manifest(real):
    (entry,) = [each for each in ledger.read(real.data) if each["stage"] == "stage0-blazepose"]
    noted = entry["weights_sha256"]
    for file in read_manifest()["blazepose"].files:
        assert noted[f"model_checkpoint/{file.name}"] == file.sha256


def test_the_report_draws_every_picture_of_it(real):
    said = CliRunner().invoke(report, [f"--data-dir={real.data}"], catch_exceptions=False)
    assert said.exit_code == 0, said.output
    assert "Not drawn" not in (real.data / f"report/clips/{VIDEO}/index.html").read_text()


def test_the_picture_of_the_readme_is_drawn_of_an_upright_clip(real, tmp_path):
    said = CliRunner().invoke(
        picture, [f"--data-dir={real.data}", f"--video={VIDEO}", f"--out={tmp_path}/p.png"]
    )
    assert said.exit_code == 0, said.output
    with Image.open(tmp_path / "p.png") as drawn:
        width, height = drawn.size
        assert 2 < width / height < 2.5
        assert len(drawn.resize((8, 4)).getcolors()) > 20
