"""The resting body that the network starts from, official and own."""

from typing import Any

import numpy as np
import pytest
import scipy.sparse

from stages.stage0_bstro.official_data import selected_columns
from stages.stage0_bstro.selection import coarse_selection, spread_vertices
from stages.stage0_bstro.template import coarse_template, rotated_rest_vertices

Golden = dict[str, np.ndarray]


def test_the_template_of_a_made_up_body_equals_the_originals(
    goldens: Any, bstro_golden: Golden, bstro_indices: Golden
) -> None:
    n = goldens.noise("bstro", "fake_smpl/v_template", (6890, 3))
    v_template = 0.3 * n * [1, 2, 0.5] + [0.02, -0.24, 0.03]
    vertices = rotated_rest_vertices(v_template, v_template[:8].mean(0))
    np.testing.assert_allclose(
        vertices[::16], bstro_golden["fake_template_rotated_slice"], atol=1e-5
    )
    weights = bstro_indices["h36m_pelvis_weight"]
    pelvis = weights @ vertices[bstro_indices["h36m_pelvis_vertex"]]
    np.testing.assert_allclose(pelvis[None], bstro_golden["fake_pelvis_h36m"], atol=1e-5)
    template = coarse_template(vertices, pelvis, bstro_indices["select_6890_to_431"])
    np.testing.assert_allclose(template, bstro_golden["template431"], atol=1e-5)


def test_a_sampling_matrix_gives_the_vertices_that_it_selects() -> None:
    matrix = scipy.sparse.coo_matrix((np.ones(3), ([0, 1, 2], [4, 0, 2])), shape=(3, 6))
    np.testing.assert_array_equal(selected_columns(matrix), [4, 0, 2])


def test_a_matrix_that_averages_vertices_is_refused() -> None:
    matrix = scipy.sparse.coo_matrix((np.full(4, 0.5), ([0, 0, 1, 1], [4, 0, 2, 1])))
    with pytest.raises(ValueError, match="more than select"):
        selected_columns(matrix)


def test_spread_vertices_keep_their_distance() -> None:
    points = np.random.default_rng(0).uniform(size=(500, 3))
    chosen = spread_vertices(points, np.arange(500), 20, np.zeros(0, np.int32))
    gaps = np.linalg.norm(points[chosen][:, None] - points[chosen][None], axis=-1)
    assert gaps[np.triu_indices(20, 1)].min() > 0.25


def test_the_coarse_selection_favours_the_feet() -> None:
    rng = np.random.default_rng(1)
    points = rng.uniform(size=(600, 3))
    left, right = np.arange(0, 60), np.arange(60, 120)
    chosen = coarse_selection(points, (left, right), coarse=40, middle=60)
    assert len(set(chosen.tolist())) == 60
    assert np.isin(chosen[:40], left).sum() >= 12
    assert np.isin(chosen[:40], right).sum() >= 12
