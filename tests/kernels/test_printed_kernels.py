"""The kernels that recognise meshes against their plain twins, and what must not change their answers."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from naive.meshes import recognition as naive
from property_tests import examples
from scipy.spatial.transform import Rotation

from ballistics_kernels.meshes.agreeing_matches import ReferenceMatches, agreeing_pairs, matches_by_reference
from ballistics_kernels.meshes.ball_descriptors import ball_descriptors, harmonic_recurrence, harmonics
from ballistics_kernels.meshes.cell_grid import sort_into_cells
from ballistics_kernels.meshes.counterparts import counterparts
from ballistics_kernels.meshes.fine_registration import plane_equations, register
from ballistics_kernels.meshes.matching import capped_distances, least_of_rows, weighted_draws
from ballistics_kernels.meshes.near_points import SampledSurface, nearest_within, normals_from_neighbours
from ballistics_kernels.meshes.scale_votes import StoredNeighbours, scale_votes
from ballistics_kernels.meshes.similarity_consensus import ConsensusLimits, Correspondences, similarity_consensus
from ballistics_kernels.meshes.surface_sampling import even_order, points_on_triangles, triangle_areas

seeds = st.integers(0, 10_000)


def turn(rng):
    q, r = np.linalg.qr(rng.normal(size=(3, 3)))
    return q * np.sign(np.diag(r))


def mesh(rng, faces=12):
    return rng.normal(size=(9, 3)), rng.integers(0, 9, (faces, 3))


@given(seeds)
@examples(20)
def test_areas_and_points_equal_the_twins(seed):
    rng = np.random.default_rng(seed)
    vertices, faces = mesh(rng)
    vertices[0, 1] = (np.nan, np.inf, -np.inf, 0.0)[seed % 4]
    areas = triangle_areas(vertices, faces)
    np.testing.assert_allclose(areas, naive.triangle_areas(vertices, faces), atol=1e-12)
    if areas.sum() == 0:
        return
    uniform = rng.random((50, 3))
    points = points_on_triangles(vertices, faces, areas, uniform)
    assert np.isfinite(points).all()
    np.testing.assert_allclose(points, naive.points_on_triangles(vertices, faces, areas, uniform), atol=1e-9)


def test_points_never_lie_on_a_face_without_area():
    vertices = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [5, 5, 5]])
    faces = np.array([[3, 3, 3], [0, 1, 2], [3, 3, 0]])
    points = points_on_triangles(vertices, faces, triangle_areas(vertices, faces), np.full((4, 3), 0.999999))
    assert points.max() <= 1.0


@given(seeds, st.integers(1, 60))
@examples(15)
def test_even_order_equals_the_twin(seed, limit):
    rng = np.random.default_rng(seed)
    points = rng.random((80, 3)) * np.array([1.0, 1.0, 0.0])
    distances, tries = np.array([0.5, 0.2, 0.1]), np.array([10, 40, 80])
    order, counts = even_order(points, distances, tries, limit)
    expected, expected_counts = naive.even_order(points, distances, tries, limit)
    assert order.tolist() == expected.tolist()
    assert counts.tolist() == expected_counts.tolist()


def test_even_order_of_one_point_and_of_equal_points():
    for points in (np.ones((1, 3)), np.ones((5, 3))):
        order, counts = even_order(points, np.array([1.0, 0.5]), np.full(2, len(points)), 10)
        assert order.tolist() == [0]
        assert counts.tolist() == [1, 1]


def test_cells_hold_each_point_once_and_near_its_neighbours():
    points = np.random.default_rng(0).normal(size=(200, 3))
    origin, shape, starts, rows = sort_into_cells(points, 0.4)
    assert sorted(rows.tolist()) == list(range(200))
    assert starts[-1] == 200
    cells = np.minimum(((points - origin) / 0.4).astype(int), shape - 1)
    flat = (cells[:, 0] * shape[1] + cells[:, 1]) * shape[2] + cells[:, 2]
    for cell in range(len(starts) - 1):
        assert (flat[rows[starts[cell] : starts[cell + 1]]] == cell).all()


def test_harmonics_are_those_of_the_definition():
    out = np.empty(49)
    directions = [*np.random.default_rng(1).normal(size=(10, 3)), *np.eye(3), -np.eye(3)[2]]
    for direction in directions:
        unit = direction / np.linalg.norm(direction)
        harmonics(*unit, harmonic_recurrence(), out)
        np.testing.assert_allclose(out, naive.harmonics(*unit), atol=1e-12)


@given(seeds)
@examples(6, often=40)
def test_descriptors_equal_the_twin_and_bear_turns_reflections_and_scale(seed):
    rng = np.random.default_rng(seed)
    points, centres = rng.normal(size=(120, 3)), np.vstack([rng.normal(size=(2, 3)), np.full((1, 3), 40.0)])
    centres[1] = points[3]
    described, counts = ball_descriptors(points, centres, 1.3, 5, harmonic_recurrence())
    for b, centre in enumerate(centres):
        expected, count = naive.ball_descriptor(points, centre, 1.3, 5)
        assert counts[b] == count
        np.testing.assert_allclose(described[b], expected, atol=1e-5)
    pose = turn(rng) * rng.choice([-1.0, 1.0]) * 3.0
    again, _ = ball_descriptors(points @ pose.T + 7.0, centres @ pose.T + 7.0, 3.9, 5, harmonic_recurrence())
    np.testing.assert_allclose(again, described, atol=2e-5)


@given(seeds)
@examples(15)
def test_nearest_points_equal_the_twin(seed):
    rng = np.random.default_rng(seed)
    points, queries = rng.normal(size=(60, 3)), rng.normal(size=(20, 3)) * 2
    queries[:3] = [[np.nan, 0, 0], [0, np.inf, 0], [0, 0, -1e300]]
    rows, distances = nearest_within(queries, points, 0.7, *sort_into_cells(points, 0.7), 0.6)
    expected, expected_distances = naive.nearest_within(queries, points, 0.6)
    assert rows.tolist() == expected.tolist()
    np.testing.assert_allclose(distances, expected_distances)


@pytest.mark.parametrize("reach", [0.5, 0.75, 1.0])
def test_nearest_points_on_the_borders_of_cells_equal_the_twin(reach):
    """Points and places on a lattice: equally near ones in several cells, and some exactly at the reach."""
    rng = np.random.default_rng(3)
    lattice = np.stack(np.meshgrid(*[np.arange(0.0, 3.01, 0.5)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    points = rng.permutation(lattice)[:200]
    queries = np.concatenate([lattice, lattice + 0.25, lattice - 1.0, rng.uniform(-1.0, 4.0, (200, 3))])
    rows, distances = nearest_within(queries, points, 1.0, *sort_into_cells(points, 1.0), reach)
    expected, expected_distances = naive.nearest_within(queries, points, reach)
    assert rows.tolist() == expected.tolist()
    np.testing.assert_allclose(distances, expected_distances)


def test_normals_equal_the_twin_and_are_a_planes():
    rng = np.random.default_rng(2)
    points = rng.normal(size=(60, 3))
    normals = normals_from_neighbours(points, 0.8, *sort_into_cells(points, 0.8))
    expected = naive.normals_from_neighbours(points, 0.8)
    np.testing.assert_allclose(np.abs((normals * expected).sum(axis=1)), (expected**2).sum(axis=1), atol=1e-6)
    flat = points * np.array([1.0, 1.0, 0.0])
    normals = normals_from_neighbours(flat, 2.0, *sort_into_cells(flat, 2.0))
    np.testing.assert_allclose(np.abs(normals[np.abs(normals).sum(axis=1) > 0]), [[0, 0, 1]] * 60, atol=1e-6)
    assert normals_from_neighbours(points[:1], 0.8, *sort_into_cells(points[:1], 0.8)).tolist() == [[0, 0, 0]]


def test_plane_equations_equal_the_twin():
    rng = np.random.default_rng(3)
    moved, points, normals = rng.normal(size=(3, 30, 3))
    nearest = rng.integers(-1, 30, 30)
    matrix, right = plane_equations(moved, points, normals, nearest, np.ones(3), 0.1)
    expected, expected_right = naive.plane_equations(moved, points, normals, nearest, np.ones(3), 0.1)
    np.testing.assert_allclose(matrix, expected, atol=1e-9)
    np.testing.assert_allclose(right, expected_right, atol=1e-9)
    matrix, right = plane_equations(moved, points, normals, np.full(30, -1), np.ones(3), 0.1)
    assert not matrix.any()
    assert not right.any()


@given(seeds, st.sampled_from([-1.0, 1.0]))
@examples(15)
def test_counterparts_equal_the_twin_at_each_pose(seed, hand):
    rng = np.random.default_rng(seed)
    points, moving = rng.normal(size=(60, 3)), rng.normal(size=(25, 3))
    normals, others = directions(rng, 60), directions(rng, 25)
    moving[:3] = [[np.nan, 0, 0], [0, -np.inf, 0], [0, 0, 1e300]]
    poses = np.array([np.column_stack([hand * size * turn(rng), rng.normal(size=3)]) for size in (0.5, 1.0, 1.4)])
    surface = SampledSurface(points, normals, 0.9, *sort_into_cells(points, 0.9))
    rows, deviations, cosines = counterparts(moving, others, poses, surface, 0.8, 0.3)
    for k, pose in enumerate(poses):
        expected = naive.counterparts(moving, others, pose, points, normals, 0.8, 0.3)
        assert rows[k].tolist() == expected[0].tolist()
        np.testing.assert_allclose(deviations[k], expected[1], atol=1e-9)
        np.testing.assert_allclose(cosines[k], expected[2], atol=1e-9)
    assert (rows[:, :3] == -1).all()


@given(seeds)
@examples(3, often=10)
def test_registration_equals_the_twin_and_finds_the_way_back(seed):
    rng = np.random.default_rng(seed)
    normals = directions(rng, 160)
    points = normals * np.array([1.0, 0.7, 0.5])
    normals /= np.array([1.0, 0.7, 0.5])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    # Foreign points above one side that run across the surface.
    foreign = points[(points[:, 0] > 0.3)] + 0.08 * np.array([1.0, 0.0, 0.0])
    across = np.cross(normals[points[:, 0] > 0.3], [0.0, 0.0, 1.0])
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    moving, running = np.vstack([points[::2], foreign]), np.vstack([-normals[::2], across])
    near = np.column_stack([1.02 * Rotation.from_rotvec([0.03, -0.02, 0.04]).as_matrix(), [0.02, 0.0, -0.02]])
    reaches = np.geomspace(0.3, 0.1, 6)
    surface = SampledSurface(points, normals, 0.3, *sort_into_cells(points, 0.3))
    found = register(moving, running, near, surface, reaches, 0.8, 0.02, 20)
    expected = naive.register(moving, running, near, points, normals, reaches, 0.8, 0.02, 20)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(found, np.eye(3, 4), atol=0.01)
    led_astray = register(moving, running, near, surface, reaches, 0.0, 0.02, 20)
    assert np.abs(led_astray - np.eye(3, 4)).max() > 0.02
    assert (register(moving, running, near, surface, reaches, 0.8, 0.02, 151) == near).all()


@given(seeds, st.booleans())
@examples(10)
def test_consensus_finds_a_similarity_among_outliers(seed, mirrored):
    rng = np.random.default_rng(seed)
    sources = rng.normal(size=(80, 3))
    truth = turn(rng)
    truth *= 1.5 * (-1.0 if mirrored == (np.linalg.det(truth) > 0) else 1.0)
    targets = sources @ truth.T + 4.0
    targets[24:] = rng.normal(size=(56, 3)) * 1.5 + 4.0
    normals = directions(rng, 80)
    others = normals @ (truth / 1.5).T * rng.choice([-1.0, 1.0], (80, 1))
    weights = rng.uniform(0.5, 1.0, 80)
    tried = rng.integers(0, 80, (1500, 2)), rng.integers(0, 80, 1500)
    pairs, thirds, limits = *tried, ConsensusLimits(3, 1.4, 1.3, 0.1, 0.1, 0.9, 4)
    given = Correspondences(sources, targets, normals, others, weights)
    found, scores = similarity_consensus(given, pairs, thirds, limits)
    np.testing.assert_allclose(found[0, :, :3], truth, atol=1e-6)
    np.testing.assert_allclose(found[0, :, 3], 4.0, atol=1e-6)
    assert (np.diff(scores) <= 0).all()
    for similarity, score in zip(found, scores, strict=True):
        if score > 0:
            expected = naive.similarity_score(similarity, sources, targets, normals, others, weights, 0.1, 0.9)
            assert score == pytest.approx(expected)
    # Where the surfaces run across each other only what happens to be alike in a mirror follows.
    across = np.cross(others, directions(rng, 80))
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    first = Correspondences(sources[:24], targets[:24], normals[:24], across[:24], weights[:24])
    _, scores = similarity_consensus(first, pairs % 24, thirds % 24, limits)
    assert scores[0] < 0.4 * weights[:24].sum()


def directions(rng, count):
    found = rng.normal(size=(count, 3))
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def test_consensus_of_points_on_a_line_or_without_normals_is_empty():
    rng = np.random.default_rng(0)
    line = np.arange(10.0)[:, None] * np.ones(3)
    normals = np.tile([0.0, 0.0, 1.0], (10, 1))
    tried = rng.integers(0, 10, (100, 2)), rng.integers(0, 10, 100)
    limits = ConsensusLimits(2, 1.0, 1.5, 0.1, 0.1, 0.5, 2)
    given = Correspondences(line, line, normals, normals, np.ones(10))
    _, scores = similarity_consensus(given, *tried, limits)
    assert scores.tolist() == [0.0, 0.0]
    points = rng.normal(size=(10, 3))
    missing = np.zeros((10, 3))
    for own, scored in ((normals, True), (missing, False)):
        given = Correspondences(points, points, own, own, np.ones(10))
        assert similarity_consensus(given, *tried, limits)[1].any() == scored


@given(seeds)
@examples(20)
def test_votes_equal_the_twin(seed):
    rng = np.random.default_rng(seed)
    neighbours = rng.integers(0, 4 * 3 * 5, (12, 9))
    neighbours[0, 4:] = -1
    neighbours[1] = -1
    distances = np.sort(rng.random((12, 9)).astype(np.float32), axis=1)
    steps, radii, weights = rng.integers(-2, 9, 12), np.array([0, 2, 4]), rng.random(12)
    found = StoredNeighbours(neighbours, distances, np.arange(12), steps, weights, radii, 5)
    votes = scale_votes(found, 4, -6, 9, 0.1)
    expected = naive.scale_votes(neighbours, distances, steps, weights, radii, 5, 4, -6, 9, 0.1)
    np.testing.assert_allclose(votes, expected, atol=1e-6)
    assert votes.any()


@given(seeds, st.sampled_from([2, 100]))
@examples(20)
def test_agreeing_matches_equal_the_twins(seed, most):
    rng = np.random.default_rng(seed)
    balls, radii = 5, np.array([0, 2, 4])
    neighbours = rng.integers(0, 4 * 3 * balls, (30, 9))
    neighbours[0, 4:] = -1
    neighbours[1] = -1
    distances = np.sort(rng.random((30, 9)).astype(np.float32), axis=1)
    query_balls, steps = rng.integers(0, 7, 30), rng.integers(-2, 6, 30)
    places, asked = np.array([1, -1, 0, 2]), np.array([0, 1, 40])
    found = StoredNeighbours(neighbours, distances, query_balls, steps, rng.random(30), radii, balls)
    matches = ReferenceMatches(*matches_by_reference(found, places, asked, 0.1, most))
    starts, query, stored, weights = matches
    expected = naive.matches_by_reference(*found, places, asked, 0.1, most)
    rows = [list(zip(query[a:b], stored[a:b], weights[a:b], strict=True)) for a, b in itertools.pairwise(starts)]
    assert starts[2] == starts[3] == len(query)
    for own, twin in zip(rows, expected, strict=True):
        assert [(q, s) for q, s, _ in own] == list(twin)
        np.testing.assert_allclose([w for _, _, w in own], list(twin.values()))
    points, others = rng.normal(size=(7, 3)), rng.normal(size=(3, balls, 3))
    lengths = np.array([1.2, 0.8, 1.0]), np.array([0.1, 0.3, 0.2]), np.array([0.4, 0.2, 0.2]), 0.1
    agreement = agreeing_pairs(matches, points, others, *lengths)
    np.testing.assert_allclose(agreement, naive.agreeing_pairs(rows, points, others, *lengths))
    assert agreement[2] == 0.0
    assert most == 2 or agreement[:2].all()


@given(seeds)
@examples(20)
def test_matching_equals_the_twins(seed):
    rng = np.random.default_rng(seed)
    table = rng.integers(0, 6, (5, 9)).astype(np.float32)
    table[0], table[1, 3:], table[2, 1] = np.nan, np.inf, np.nan
    columns, values = least_of_rows(table, 3)
    expected, expected_values = naive.least_of_rows(table, 3)
    assert columns.tolist() == expected.tolist()
    np.testing.assert_array_equal(values, expected_values)
    rows, upright = rng.integers(-9, 9, (2, 4, 3)).astype(np.float32), rng.integers(-9, 9, (2, 3, 7)).astype(np.float32)
    rows[0, 1, 0] = upright[1, 0, 2] = -128.0
    distances = capped_distances(rows, upright, -128.0, 100.0)
    np.testing.assert_array_equal(distances, naive.capped_distances(rows, upright, -128.0, 100.0))
    assert distances.max() <= 100.0
    # Stored bytes of any size: the sums are exact, whatever order the product takes them in; so is a mean of four.
    rows = rng.integers(-127, 128, (4, 5, 24)).astype(np.float32)
    upright = np.ascontiguousarray(-rows.transpose(0, 2, 1))
    cap = 2.0**21
    distances = capped_distances(rows, upright, -128.0, cap)
    np.testing.assert_array_equal(distances, naive.capped_distances(rows, upright, -128.0, cap).astype(np.float32))


@given(seeds)
@examples(20)
def test_weighted_draws_equal_the_twin(seed):
    rng = np.random.default_rng(seed)
    weights = rng.exponential(size=rng.integers(1, 40)) * (rng.random() < 0.8)
    weights[rng.integers(len(weights))] = 3.0
    weights[rng.random(len(weights)) < 0.3] *= np.array([0.0, 1.0])[rng.integers(2)]
    if weights.sum() == 0:
        weights[0] = 1.0
    uniform = rng.random((50, 3))
    uniform[0] = [0.0, np.nextafter(1.0, 0.0), 0.5]
    drawn = weighted_draws(weights, uniform)
    assert drawn.tolist() == naive.weighted_draws(weights, uniform).tolist()
    assert (weights[drawn] > 0).all()


def test_normals_of_degenerate_neighbourhoods_are_unit_and_perpendicular():
    line = np.arange(20.0)[:, None] * np.array([1.0, 2.0, 3.0])
    normals = normals_from_neighbours(line, 20.0, *sort_into_cells(line, 20.0))
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1.0, atol=1e-9)
    np.testing.assert_allclose(normals @ np.array([1.0, 2.0, 3.0]), 0.0, atol=1e-6)
    same = np.ones((9, 3))
    normals = normals_from_neighbours(same, 1.0, *sort_into_cells(same, 1.0))
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1.0, atol=1e-9)
