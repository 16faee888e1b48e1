"""When a foot stands."""

import json
from pathlib import Path

import numpy as np
import pytest

from stages.artifacts.errors import ArtifactError
from stages.body.model import DEMO_BODY, load_body
from stages.stage0_bstro.feet import foot_rule
from stages.stage0_bstro.flags import FootRule, feet_in_contact

RULE = FootRule(np.arange(0, 10), np.arange(10, 20), contact_thr=0.95, feet_contact_ratio_thr=0.2)


def probability(left: int, right: int, value: float = 0.99) -> np.ndarray:
    """So many vertices of each foot have `value`, all others nothing."""
    p = np.zeros((1, 6890), np.float32)
    p[0, :left] = value
    p[0, 10 : 10 + right] = value
    return p


def test_a_foot_stands_when_enough_of_it_touches() -> None:
    assert feet_in_contact(probability(3, 0), RULE).tolist() == [[True, False]]
    assert feet_in_contact(probability(0, 10), RULE).tolist() == [[False, True]]


def test_exactly_the_ratio_is_not_enough() -> None:
    assert feet_in_contact(probability(2, 3), RULE).tolist() == [[False, True]]


def test_unsure_vertices_do_not_count() -> None:
    assert not feet_in_contact(probability(10, 10, value=0.95), RULE).any()


def test_the_bodys_own_feet_are_used_without_a_segmentation() -> None:
    body = load_body(DEMO_BODY)
    rule = foot_rule(body, None, 0.95, 0.2)
    assert set(rule.left_vertices) == set(body.left_foot_vertices)
    assert body.v_template[rule.left_vertices, 0].mean() > 0


def test_the_official_segmentation_replaces_them(tmp_path: Path) -> None:
    path = tmp_path / "segmentation.json"
    path.write_text(json.dumps({"leftFoot": [1, 2], "rightFoot": [3], "head": [9]}))
    rule = foot_rule(load_body(DEMO_BODY), path, 0.95, 0.2)
    assert rule.left_vertices.tolist() == [1, 2]
    assert rule.right_vertices.tolist() == [3]


def test_a_segmentation_without_feet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "segmentation.json"
    path.write_text(json.dumps({"head": [9]}))
    with pytest.raises(ArtifactError, match="not SMPL's vertex segmentation"):
        foot_rule(load_body(DEMO_BODY), path, 0.95, 0.2)
