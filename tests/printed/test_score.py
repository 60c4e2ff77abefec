"""The score of a candidate: curves, what is missing and added, and descriptors at the reference's own places."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballistics.printed.describe.query import cloud_of, query_of_sample, query_of_signature
from ballistics.printed.describe.sampling import sample_surface
from ballistics.printed.describe.signature import Signature, signature_of_sample
from ballistics.printed.describe.surroundings import surroundings_of
from ballistics.printed.identify.judgement import Fit, agreement_in_place, fit_candidate
from ballistics.printed.identify.parameters import DEFAULT
from ballistics.printed.identify.score import SCORE_VALUES, Curve, ScoreModel, score_model, score_values
from reference_meshes.disturbances import as_solid, cut
from reference_meshes.solids import Mesh, from_manifold, solid

values = st.tuples(*(st.floats(-6.0, 20.0) for _ in SCORE_VALUES))


@given(values, st.integers(0, len(SCORE_VALUES) - 1), st.floats(0.0, 5.0))
def test_more_of_a_value_never_speaks_the_other_way(values: tuple[float, ...], which: int, more: float):
    model = score_model()
    assert [curve.name for curve in model.curves] == list(SCORE_VALUES)
    assert all(added >= 0.0 for added in model.added(values))
    raised = (*values[:which], values[which] + more, *values[which + 1 :])
    sign = list(SCORE_VALUES.values())[which]
    assert sign * (model.score(raised) - model.score(values)) >= 0.0


def test_the_score_is_the_sum_of_its_curves():
    model = ScoreModel(-2.0, (Curve("a", (0.0, 1.0, 3.0), (0.0, 1.0, 2.0)), Curve("b", (0.0, 1.0), (4.0, 0.0))))
    assert model.added((2.0, 0.25)) == (1.5, 3.0)
    assert model.added((9.0, 9.0)) == (2.0, 0.0)
    assert model.score((2.0, 0.25)) == pytest.approx(1.0 / (1.0 + np.exp(-2.5)))


def box(low: float, high: float, lid: bool) -> Mesh:
    corners = np.array([[x, y, z] for x in (low, high) for y in (low, high) for z in (low, high)])
    sides = np.array(
        [[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1], [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4]]
    )
    top = np.array([[1, 5, 7], [1, 7, 3]])
    return Mesh(corners, np.vstack([sides, top]) if lid else sides)


def test_inside_a_closed_box_is_not_outside():
    closed, opened = (
        sample_surface(mesh.vertices, mesh.faces) for mesh in (box(0.0, 1.0, lid=True), box(0.0, 1.0, lid=False))
    )
    points = np.array([[0.5, 0.5, 0.5], [0.5, 0.5, 1.2], [-3.0, 0.5, 0.5], [0.1, 0.9, 0.1]])
    around = surroundings_of(closed.points_mm, closed.spacing_mm)
    assert around.are_outside(points).tolist() == [False, True, True, False]
    around = surroundings_of(opened.points_mm, opened.spacing_mm)
    assert around.are_outside(points).all()


def fit_in_place(query: Mesh, reference: Mesh) -> Fit:
    sample = sample_surface(reference.vertices, reference.faces)
    signature = signature_of_sample(sample, None)
    described = query_of_sample(sample_surface(query.vertices, query.faces))
    cloud = cloud_of(signature)
    step = 6.0 * np.log2(cloud.size / described.cloud.size)
    return fit_candidate(described, signature, cloud, float(step), [np.eye(4)])


@pytest.mark.slow
def test_a_cut_leaves_nothing_added_and_material_nothing_missing():
    import manifold3d as m3

    whole = solid(80_002)
    reference = as_solid(whole)
    assert reference is not None
    half = fit_in_place(cut(whole, 0.5, np.random.default_rng(4)), whole)
    assert 0.3 < half.missing < 0.6
    assert half.added < 0.01
    at = sample_surface(whole.vertices, whole.faces).points_mm[0]
    side = 0.6 * float(np.ptp(whole.vertices, axis=0).max())
    block = m3.Manifold.cube([side, side, side], True).translate([*at])
    built_over = fit_in_place(from_manifold(reference + block), whole)
    assert built_over.missing < 0.01
    assert built_over.added > 0.3
    assert built_over.reference_shares[-1] < 0.9
    other = fit_in_place(solid(80_003), whole)
    assert min(other.missing, other.added) > 0.05
    assert other.score < 0.1
    assert min(half.score, built_over.score) >= DEFAULT.threshold


def test_agreement_at_the_places_of_a_reference_itself_is_the_largest_possible():
    sample = sample_surface(*(solid(80_000).vertices, solid(80_000).faces))
    signature = signature_of_sample(sample, None)
    rows = np.arange(300)
    own = signature.local[-1]
    described = (own[rows] != -128).all(axis=1)
    assert described.mean() > 0.9
    same = agreement_in_place(own[rows[described]], own, rows[described])
    assert same == pytest.approx(np.log(len(own)), abs=0.2)
    other = agreement_in_place(own[rows[described]], own, np.random.default_rng(1).permutation(rows[described]))
    assert other < 0.5 * same
    assert agreement_in_place(np.full((40, 24), -128, np.int8), own, np.arange(40)) == pytest.approx(0.0, abs=1e-6)
    assert agreement_in_place(own[:19], own, np.arange(19)) == 0.0


def test_a_signature_stands_in_for_its_part_where_it_has_a_keypoint_and_a_radius():
    mesh = solid(80_001)
    signature = signature_of_sample(sample_surface(mesh.vertices, mesh.faces), None)
    query = query_of_signature(signature)
    places = signature.points_mm()[:50]
    radius = 0.32 * 2.0 ** (-5 / 3) * signature.size_mm
    np.testing.assert_array_equal(query.described_at(places, radius), signature.local[5, :50])
    assert (query.described_at(places, 4.0 * signature.size_mm) == -128).all()
    assert (query.described_at(places + 10.0 * signature.size_mm, radius) == -128).all()
    assert isinstance(query.source, Signature)


def test_values_of_the_score():
    found = score_values(0.5, 4.0, 12.0, 6, 0.9, 0.0, 0.5)
    assert found[:5] == (0.0, 4.0, 12.0, 6.0, 0.9)
    assert found[5] == pytest.approx(np.log(0.01 / 1.01))
    assert found[6] == pytest.approx(np.log(0.51 / 0.51))
