"""Masks, keypoints, bodies and contacts: written as the contract says, read both ways."""

import json
import pickle

import numpy as np
import pytest

from stages.artifacts import bodies, contacts, keypoints, masks
from stages.artifacts.errors import ArtifactError

rng = np.random.default_rng(0)


@pytest.fixture
def ids():
    ids = np.zeros((40, 60), np.uint16)
    ids[5:20, 10:16] = 1
    ids[10:30, 30:50] = 12
    return ids


def test_a_mask_and_its_labels_have_the_contracts_fields(tmp_path, ids):
    masks.write_frame(tmp_path, "00001", ids, {1: 0.9, 12: 0.5, 3: 0.4})
    with np.load(tmp_path / "mask_data" / "mask_00001.npz") as file:
        assert file["mask"].dtype == np.uint16
        assert np.array_equal(file["mask"], ids)
    record = json.loads((tmp_path / "json_data" / "mask_00001.json").read_text())
    assert record["mask_name"] == "mask_00001.npy"
    assert (record["mask_height"], record["mask_width"]) == (40, 60)
    assert record["promote_type"] == "mask"
    assert record["labels"]["12"] == {
        "instance_id": 12, "class_name": "person", "x1": 30, "y1": 10, "x2": 49, "y2": 29,
        "logit": 0.0, "score": 0.5,
    }  # fmt: skip
    assert record["area_ranking"] == [12, 1, 3]
    assert record["areas"]["12"] == 19 * 19
    assert record["labels"]["3"]["x2"] == 0


def test_people_are_read_back_largest_first_without_those_out_of_view(tmp_path, ids):
    masks.write_frame(tmp_path, "00001", ids, {1: 0.9, 12: 0.5, 3: 0.4})
    assert list(masks.read_labels(tmp_path, "00001")) == [12, 1]
    assert np.array_equal(masks.read_mask(tmp_path, "00001", (40, 60)), ids)


def test_a_frame_without_people_has_no_ranking(tmp_path):
    masks.write_frame(tmp_path, "00001", np.zeros((4, 4), np.uint16), {})
    record = json.loads((tmp_path / "json_data" / "mask_00001.json").read_text())
    assert record["labels"] == {}
    assert "area_ranking" not in record
    assert masks.read_labels(tmp_path, "00001") == {}


def test_a_mask_of_the_wrong_size_is_refused(tmp_path, ids):
    masks.write_frame(tmp_path, "00001", ids, {1: 0.9})
    with pytest.raises(ArtifactError, match="40 x 60"):
        masks.read_mask(tmp_path, "00001", (30, 60))


def test_a_damaged_mask_is_named_with_what_to_do(tmp_path, ids):
    masks.write_frame(tmp_path, "00001", ids, {1: 0.9})
    masks.mask_path(tmp_path, "00001").write_bytes(b"PK\x03\x04 cut")
    with pytest.raises(ArtifactError, match="delete it and run stage0-sam2"):
        masks.read_mask(tmp_path, "00001")


def label(person, area, score=0.5):
    return masks.PersonLabel(person, (0, 0, area, 1), score)


def test_the_summary_ranks_by_total_average_and_count():
    frames = [{1: label(1, 10), 2: label(2, 100)}, {1: label(1, 10)}, {1: label(1, 10, 0.9)}]
    summary = masks.summarise(frames)
    assert summary.largest_area_id == 2
    assert summary.most_persistent_id == 1
    assert summary.highest_confidence_id == 1
    assert summary.sorted_by_avg_area == (2, 1)
    assert summary.frame_counts == {1: 3, 2: 1}


def test_the_summary_is_read_back_and_without_people_lacks_the_single_ids(tmp_path):
    summary = masks.summarise([{1: label(1, 10)}])
    masks.write_summary(tmp_path, summary)
    assert masks.read_summary(tmp_path) == summary
    masks.write_summary(tmp_path, masks.summarise([{}]))
    record = json.loads((tmp_path / "meta_data.json").read_text())
    assert "largest_area_id" not in record
    assert masks.choose_people(masks.read_summary(tmp_path), False, 0) == []


@pytest.mark.parametrize(
    ("multihuman", "top_k", "first", "chosen"),
    [
        (False, 0, None, [10]),
        (True, 0, None, [2, 10, 1]),
        (True, 2, None, [2, 10]),
        (False, 0, 1, [1]),
        (True, 0, 1, [1, 2, 10]),
        (True, 2, 1, [1, 2]),
    ],
)
def test_people_come_by_area_not_by_the_spelling_of_their_ids_and_after_the_first(
    multihuman, top_k, first, chosen
):
    frames = [{1: label(1, 5), 2: label(2, 100), 10: label(10, 60)}, {10: label(10, 60)}]
    assert masks.choose_people(masks.summarise(frames), multihuman, top_k, first) == chosen


def test_keypoints_come_back_and_a_frame_without_a_file_has_nobody(tmp_path):
    entry = keypoints.PersonKeypoints(
        np.array([1, 2, 30, 40, 1], np.float32), rng.random((133, 3)).astype(np.float32)
    )
    keypoints.write_keypoints(tmp_path, 7, {3: entry})
    assert (tmp_path / "pose_00007.json").exists()
    back = keypoints.read_keypoints(tmp_path, 7)
    assert np.allclose(back[3].keypoints, entry.keypoints, atol=1e-4)
    assert keypoints.read_keypoints(tmp_path, 8) == {}


def test_nan_keypoints_survive_the_file(tmp_path):
    points = np.full((133, 3), np.nan, np.float32)
    keypoints.write_keypoints(tmp_path, 1, {1: keypoints.PersonKeypoints(np.ones(5), points)})
    assert np.isnan(keypoints.read_keypoints(tmp_path, 1)[1].keypoints).all()


def test_keypoints_of_another_number_are_refused(tmp_path):
    entry = {"1": {"bbox": [0, 0, 1, 1, 1], "keypoints": [[0, 0, 0]] * 17}}
    keypoints.keypoints_path(tmp_path, 1).write_text(json.dumps(entry))
    with pytest.raises(ArtifactError, match=r"\(133, 3\)"):
        keypoints.read_keypoints(tmp_path, 1)


def test_a_body_file_opens_with_plain_pickle_and_int_keys(tmp_path):
    body = bodies.PersonBody(
        np.eye(3, dtype=np.float32)[None],
        np.tile(np.eye(3, dtype=np.float32), (23, 1, 1)),
        np.arange(10, dtype=np.float32),
    )
    bodies.write_bodies(tmp_path, 4, {2: body})
    record = pickle.loads((tmp_path / "smpl_params_00004.pkl").read_bytes())
    params = record[2]["smpl_params"]
    assert params["global_orient"].shape == (1, 3, 3)
    assert params["body_pose"].shape == (23, 3, 3)
    assert params["betas"].dtype == np.float32
    assert np.array_equal(bodies.read_bodies(tmp_path, 4)[2].betas, body.betas)


@pytest.mark.parametrize("flag", [True, np.bool_(True), 1.0, np.float32(1)])
def test_contacts_are_read_as_bool_or_float(tmp_path, flag):
    record = {
        5: {
            "frame_contact_vertices": np.zeros((6890, 1), np.float32),
            "left_foot_contact": flag,
            "right_foot_contact": type(flag)(0),
        }
    }
    (tmp_path / "00001.pkl").write_bytes(pickle.dumps(record))
    contact = contacts.read_contacts(tmp_path, "00001")[5]
    assert contact.left_foot is True
    assert contact.right_foot is False


def test_contacts_of_a_frame_without_a_file_are_unknown(tmp_path):
    assert contacts.read_contacts(tmp_path, "00001") is None


class Evil:
    def __reduce__(self):
        return (print, ("code from a pickle ran",))


def test_a_pickle_with_code_in_it_is_refused_by_name_and_not_run(tmp_path, capsys):
    (tmp_path / "00001.pkl").write_bytes(pickle.dumps({1: Evil()}))
    with pytest.raises(ArtifactError, match="print"):
        contacts.read_contacts(tmp_path, "00001")
    assert "ran" not in capsys.readouterr().out


def test_known_betas_come_back(tmp_path):
    betas = rng.normal(size=10).astype(np.float32)
    bodies.write_betas(tmp_path / "known_betas.json", betas, target_height=1.8)
    record = json.loads((tmp_path / "known_betas.json").read_text())
    assert np.shape(record["optimized_shape"]) == (1, 10)
    assert np.allclose(bodies.read_betas(tmp_path / "known_betas.json"), betas)
