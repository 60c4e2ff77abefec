"""The kernels that read printed parts agree with their plain twins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from naive.meshes import reading as naive
from property_tests import examples

from ballistics_kernels.meshes.layer_fill import fill_layers
from ballistics_kernels.meshes.rasterise import rasterise
from ballistics_kernels.meshes.surface_moments import area_and_centroid, surface_moments
from ballistics_kernels.meshes.surface_nets import surface_nets
from ballistics_kernels.meshes.vertex_merging import merge_vertices


def generator(seed):
    return np.random.Generator(np.random.PCG64(seed))


def soup(seed, vertices=9, faces=12):
    random = generator(seed)
    return random.normal(size=(vertices, 3)) * 5 + 20, random.integers(0, vertices, (faces, 3))


@pytest.mark.parametrize("seed", range(4))
def test_vertices_are_numbered_in_the_order_of_their_first_use(seed):
    rows = generator(seed).integers(0, 4, (200 * seed, 3)).astype(float)
    first, number, good = merge_vertices((rows + 0.0).view(np.uint64))
    assert good
    assert (first.tolist(), number.tolist()) == tuple(map(list, naive.merge_vertices(rows)))


@pytest.mark.parametrize("seed", range(3))
def test_integrals_over_a_surface_are_exact(seed):
    vertices, faces = soup(seed)  # with triangles that have no area
    found = area_and_centroid(vertices, faces)
    area, centroid, volume = naive.area_and_centroid(vertices, faces)
    assert found == pytest.approx([area, *centroid, volume], rel=1e-12)
    for ours, plain in zip(
        surface_moments(vertices, faces, centroid), naive.surface_moments(vertices, faces, centroid), strict=True
    ):
        assert ours == pytest.approx(plain, rel=1e-9, abs=1e-9 * np.abs(plain).max())
    nothing = np.zeros((0, 3), np.int64)
    assert not area_and_centroid(vertices, nothing).any()
    assert not area_and_centroid(np.zeros((0, 3)), nothing).any()
    assert not any(np.any(array) for array in surface_moments(vertices, nothing, centroid))


@given(st.integers(0, 1000), st.permutations(range(12)))
@examples(20)
def test_integrals_do_not_depend_on_order_orientation_or_triangulation(seed, order):
    vertices, faces = soup(seed)
    centre = vertices.mean(axis=0)
    middle = len(vertices) + np.arange(len(faces))
    more = np.concatenate([vertices, vertices[faces].mean(axis=1)])
    split = np.concatenate([np.stack([faces[:, k], faces[:, (k + 1) % 3], middle], axis=1) for k in range(3)])
    for other in (faces[list(order)], faces[:, ::-1], faces[:, [1, 2, 0]], split):
        for ours, same in zip(
            surface_moments(more, faces, centre),
            surface_moments(more, np.ascontiguousarray(other), centre),
            strict=True,
        ):
            assert ours == pytest.approx(same, rel=1e-9, abs=1e-8 * np.abs(ours).max())


@pytest.mark.parametrize("seed", range(4))
def test_the_nearest_triangle_is_seen(seed):
    random = generator(seed)
    points = random.uniform(-4, 20, (20, 3))
    points[:6, :2] = points[:6, :2].round()  # corners on pixel centres
    points[6], points[7, 2], points[8] = np.nan, np.inf, (1e300, -1e300, 0)
    faces = random.integers(0, 20, (25, 3))
    seen, nearness = rasterise(points, faces, 14, 17)
    with np.errstate(over="ignore", invalid="ignore"):
        expected, near = naive.rasterise(points, faces, 14, 17)
    agree = seen == expected
    assert agree.mean() > 0.98  # edges that pass through a pixel centre may round either way
    assert nearness[agree & (seen >= 0)] == pytest.approx(near[agree & (seen >= 0)])
    assert (nearness[seen < 0] == -np.inf).all()


def test_nothing_is_drawn_of_no_triangle_and_of_the_first_of_two():
    assert (rasterise(np.zeros((0, 3)), np.zeros((0, 3), np.int64), 3, 1)[0] == -1).all()
    points = np.array([[-1.0, -1, 5], [9, -1, 5], [-1, 9, 5]])
    assert (rasterise(points, np.array([[0, 1, 2], [2, 1, 0]]), 1, 1)[0] == 0).all()


def ring(x, y, side, radius):
    corners = np.array([[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]], float)
    return np.concatenate([corners[:-1], corners[1:], np.full((4, 1), radius)], axis=1)


@pytest.mark.parametrize("seed", range(4))
def test_layers_are_filled_as_by_the_plain_twin(seed):
    random = generator(seed)
    tracks = np.concatenate([random.uniform(-3, 33, (14, 4)), random.uniform(0.4, 2, (14, 1))], axis=1)
    tracks = np.concatenate([ring(2.2, 3.1, 20, 1.2), tracks, ring(9.3, 8.8, 7, 0.9), ring(1.0, 1.0, 0, 1.0)])
    walls, bounds = random.random(len(tracks)) < 0.6, np.array([0, 9, 9, len(tracks)])
    found = fill_layers(tracks, walls, bounds, 8, 9, 3, 0.7, 0.4)
    assert found.tolist() == naive.fill_layers(tracks, walls, bounds, 8, 9, 3, 0.7, 0.4).tolist()


def test_a_hole_stays_and_a_gap_of_the_infill_is_filled():
    outer, inner = ring(4, 4, 40, 2), ring(16, 16, 12, 2)
    infill = np.array([[4.0, 24, 16, 24, 1], [28, 24, 44, 24, 1], [24, 4, 24, 16, 1], [24, 28, 24, 44, 1]])
    tracks = np.concatenate([outer, inner, infill])
    walls = np.arange(len(tracks)) < 8
    (found,) = fill_layers(tracks, walls, np.array([0, len(tracks)]), 16, 16, 3, 0.9, 1.0)
    assert found[4, 4] == 9  # between the infill
    assert found[7, 7] == 0  # in the hole
    assert found[0, 0] == 0  # outside
    (found,) = fill_layers(tracks, walls, np.array([0, len(tracks)]), 16, 16, 3, 0.0, 0.0)
    assert found[4, 4] == 0


def canonical(triangles):
    rounded = np.round(np.asarray(triangles), 9).tolist()
    turned = [min(t[k:] + t[:k] for k in range(len(t))) for t in rounded]
    return sorted(turned)


@pytest.mark.parametrize("seed", range(3))
def test_surface_nets_agree_with_the_plain_twin(seed):
    random = generator(seed)
    field = np.zeros((5, 6, 7), np.uint8)
    field[1:-1, 1:-1, 1:-1] = random.integers(0, 10, (3, 4, 5))
    heights = np.array([-1.0, 1, 2, 4, 5])
    vertices, faces = surface_nets(field, 4.5, heights, 0.5)
    quads = naive.surface_nets(field, 4.5, heights, 0.5)
    # Each quadrilateral of the kernel begins at another corner than the twin's.
    ours = vertices[np.stack([faces[0::2, 0], faces[0::2, 1], faces[0::2, 2], faces[1::2, 2]], axis=1)]
    assert (faces[0::2, 2] == faces[1::2, 1]).all()
    assert len(ours) == len(quads)
    assert canonical(ours.tolist()) == canonical(quads)


@given(st.integers(0, 10_000))
@examples(25)
def test_surfaces_are_closed_and_look_outwards(seed):
    field = np.zeros((6, 6, 6), np.uint8)
    field[1:-1, 1:-1, 1:-1] = generator(seed).integers(0, 2, (4, 4, 4)) * 9
    vertices, faces = surface_nets(field, 4.5, np.arange(6.0), 1.0)
    edges = np.sort(np.stack([faces, faces[:, [1, 2, 0]]], axis=-1).reshape(-1, 2), axis=1)
    if len(edges):
        assert (np.unique(edges, axis=0, return_counts=True)[1] % 2 == 0).all()
        # At level one half of full and empty points, cells keep about the volume of their points.
        assert area_and_centroid(vertices, faces)[4] > 0
    empty = surface_nets(np.zeros((2, 1, 1), np.uint8), 0.5, np.arange(2.0), 1.0)
    assert empty[0].shape == empty[1].shape == (0, 3)
