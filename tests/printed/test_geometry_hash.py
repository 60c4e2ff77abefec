"""Exact copies are found by their hash however they were moved and shuffled; other shapes are not."""

from __future__ import annotations

import csv

import mesh_samples as samples
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from property_tests import examples

from ballistics.errors import ParameterError
from ballistics.printed.content.part import Part
from ballistics.printed.describe.geometry_hashes import copy_relation, geometry_hash, geometry_keys
from ballistics.printed.files.reading import read_parts


def generator(seed):
    return np.random.Generator(np.random.PCG64(seed))


def disguised(vertices, faces, random, scale=1.0, mirrored=False, shift_mm=150.0):
    """Return a copy turned, moved, shuffled, and rounded to float32 as a file would."""
    turn = np.linalg.qr(random.normal(size=(3, 3)))[0]
    turn *= np.linalg.det(turn) * (-1.0 if mirrored else 1.0)
    order = random.permutation(len(vertices))
    moved = (vertices @ turn.T * scale + random.uniform(-shift_mm, shift_mm, 3))[order]
    corners = np.argsort(order)[faces][random.permutation(len(faces))]
    corners = np.take_along_axis(corners, (np.arange(3) + random.integers(0, 3, (len(faces), 1))) % 3, axis=1)
    return moved.astype(np.float32).astype(float), corners[:, ::-1] if mirrored else corners


def solid(seed, points=10):
    """Return the convex hull of a few random points."""
    from scipy.spatial import ConvexHull

    corners = generator(seed).uniform(-30, 30, (points, 3))
    return corners, ConvexHull(corners).simplices.astype(np.int64)


@given(st.integers(0, 10_000), st.floats(0.3, 3.0))
@examples(25)
def test_copies_are_found_and_told_apart(seed, scale):
    # Sizes differ by more or less than the tolerance of 2e-5; at it, rounding to float32 decides.
    assume(not 1e-5 < abs(np.log(scale)) < 3e-5)
    mesh, random = solid(seed), generator(seed + 1)
    first = geometry_keys(*mesh)
    moved = geometry_keys(*disguised(*mesh, random))
    assert first.exact in moved.near()
    assert copy_relation(moved, first) == "same"
    scaled = geometry_keys(*disguised(*mesh, random, scale))
    assert first.shape in scaled.near_shapes()
    assert copy_relation(scaled, first) == ("same" if abs(np.log(scale)) < 2e-5 else "scaled")
    mirrored = geometry_keys(*disguised(*mesh, random, mirrored=True))
    assert first.exact in mirrored.near_mirrored()
    assert first.mirrored in mirrored.near()
    assert copy_relation(mirrored, first) == "mirrored"
    assert first.exact not in mirrored.near()
    both = geometry_keys(*disguised(*mesh, random, scale * 4, mirrored=True))
    assert first.shape in both.near_shapes(mirrored=True)
    assert copy_relation(both, first) == "scaled and mirrored"
    other = geometry_keys(*solid(seed + 20_000))
    assert copy_relation(other, first) is None
    assert first.exact not in other.near()


def test_orientation_and_triangulation_do_not_matter():
    vertices, faces = solid(3)
    first = geometry_keys(vertices, faces)
    assert first.exact in geometry_keys(vertices, faces[:, ::-1]).near()
    middle = len(vertices) + np.arange(len(faces))
    more = np.concatenate([vertices, vertices[faces].mean(axis=1)])
    split = np.concatenate([np.stack([faces[:, k], faces[:, (k + 1) % 3], middle], axis=1) for k in range(3)])
    assert copy_relation(geometry_keys(more, split), first) == "same"


@pytest.mark.parametrize("seed", range(5))
def test_what_is_kept_does_not_depend_on_the_order_of_sums(seed):
    vertices, faces = solid(seed, 60)
    first = geometry_keys(vertices, faces)
    for k in range(5):
        other = geometry_keys(vertices, faces[generator(k).permutation(len(faces))])
        assert (repr(other.values), other.size_mm) == (repr(first.values), first.size_mm)


def test_a_symmetric_shape_is_its_own_mirror_image():
    box = samples.box()
    keys = geometry_keys(*box)
    assert keys.exact == keys.mirrored
    assert copy_relation(geometry_keys(*disguised(*box, generator(1), mirrored=True)), keys) == "same"


def test_a_small_change_is_another_geometry():
    vertices, faces = samples.box()
    longer = vertices * (1.01, 1.0, 1.0)
    assert copy_relation(geometry_keys(longer, faces), geometry_keys(vertices, faces)) is None
    assert geometry_keys(vertices, faces).exact not in geometry_keys(longer, faces).near()


def test_the_hash_of_a_part_and_what_has_none():
    vertices, faces = samples.wedge()
    assert geometry_hash(Part(vertices, faces)) == geometry_keys(vertices, faces).exact
    with pytest.raises(ParameterError, match="area"):
        geometry_keys(vertices * 0, faces)


def test_real_meshes_are_found_and_do_not_collide(meshes):
    rows = list(csv.DictReader((meshes / "manifest.csv").read_text().splitlines()))[::20]
    random, seen = generator(7), {}
    for row in rows:
        parts = read_parts(meshes / row["path"]).parts
        part = max(parts, key=lambda part: len(part.faces))
        keys = geometry_keys(part.vertices_mm, part.faces)
        moved = geometry_keys(*disguised(part.vertices_mm, part.faces, random))
        assert keys.exact in moved.near(), row["path"]
        assert not any(key in seen for key in moved.near()), row["path"]
        seen[keys.exact] = row["path"]
