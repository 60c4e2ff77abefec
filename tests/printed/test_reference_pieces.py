"""Pieces of one reference in several files: halves are told from copies, also where the reference is symmetric."""

from __future__ import annotations

from dataclasses import replace

import manifold3d as m3
import numpy as np
import pytest

from ballistics.printed.collection.collection import Collection
from ballistics.printed.content.part import Part
from ballistics.printed.describe.signature import signature_of
from ballistics.printed.identify import pieces_of_reference
from ballistics.printed.identify.identification import Identification, identify
from ballistics.printed.identify.pieces_of_reference import reference_pieces
from reference_meshes.disturbances import as_solid, plate, posed, remesh, similarity
from reference_meshes.solids import Mesh, from_manifold, solid


def part(mesh: Mesh) -> Part:
    return Part(mesh.vertices, mesh.faces)


def moved(mesh: Mesh, seed: int, scale: float = 1.0, mirrored: bool = False) -> Mesh:
    pose = similarity(np.random.Generator(np.random.PCG64(seed)), False, mirrored, 50.0)
    pose[:3, :3] *= scale
    return posed(mesh, pose)


def split(mesh: Mesh, normal: tuple[float, float, float], at: float) -> tuple[Mesh, Mesh]:
    made = as_solid(mesh)
    assert made is not None
    upper, lower = made.split_by_plane(normal, at)
    return from_manifold(upper), from_manifold(lower)


def pins(*at: tuple[float, float]) -> Mesh:
    """Return a bar of 80 × 30 × 8 mm with pins on it."""
    bar = m3.Manifold.cube((80, 30, 8))
    for x, y in at:
        bar += m3.Manifold.cylinder(30, 6, -1, 48).translate((x, y, 0))
    return from_manifold(bar)


# One mirror plane (x = 40) beside the one of the bar's middle height, which the pins break; a half turn about (40, 15).
SYMMETRIC = pins((15, 8), (65, 8))
TURNED = pins((15, 8), (65, 22))
# Nothing of it is alike: three pins of their own radii, heights and places.
RACK = from_manifold(
    m3.Manifold.cube((80, 30, 8))
    + m3.Manifold.cylinder(30, 6, -1, 48).translate((12, 8, 0))
    + m3.Manifold.cylinder(18, 4, -1, 48).translate((34, 22, 0))
    + m3.Manifold.cube((9, 14, 40)).translate((62, 6, 0))
    - m3.Manifold.cylinder(20, 5, -1, 48).translate((50, 22, -5))
)
NORMAL, AT = (0.96, 0.28, 0.0), 43.0


@pytest.fixture(scope="module")
def collection() -> Collection:
    made = Collection()
    for name, mesh in (("rack", RACK), ("symmetric", SYMMETRIC), ("turned", TURNED), ("gear", solid(80_001))):
        made.enrol(signature_of(part(mesh)), name, category="ordinary")
    return made


@pytest.fixture(scope="module")
def halves() -> tuple[Mesh, Mesh]:
    return split(RACK, NORMAL, AT)


@pytest.fixture(scope="module")
def found(collection: Collection, halves: tuple[Mesh, Mesh]) -> dict[str, Identification]:
    first, second = halves
    rng = np.random.Generator(np.random.PCG64(9))
    queries = {
        "first": moved(first, 1, 1.3),
        "second": moved(second, 2, 1.3),
        "first again": moved(remesh(first, rng), 3, 1.3),
        "second, small": moved(second, 4, 0.8),
        "second, mirrored": moved(second, 5, 1.3, True),
        "whole": moved(RACK, 6),
    }
    return {name: identify(part(mesh), collection) for name, mesh in queries.items()}


@pytest.mark.slow
def test_two_halves_are_pieces_of_one_reference(found, collection):
    (group,) = reference_pieces([found["first"], found["second"]], collection)
    assert (group.name, group.category, group.complementary) == ("rack", "ordinary", True)
    assert [piece.place for piece in group.placed] == ["its own", "its own"]
    assert group.together > 0.97
    assert group.twice < 0.12
    assert sum(piece.share for piece in group.pieces) == pytest.approx(group.together + group.twice)
    for piece in group.placed:
        # The same measure as the share that the search reported.
        (hit,) = found[("first", "second")[piece.file]].accepted
        assert piece.share == pytest.approx(hit.reference_share, abs=0.01)
        assert piece.scale == pytest.approx(1.3, rel=0.02)
    assert group.same_scale
    assert group.same_hand


@pytest.mark.slow
def test_what_each_covers_is_its_side_of_the_cut(found, collection):
    (group,) = reference_pieces([found["first"], found["second"]], collection)
    side = group.points_mm @ np.array(NORMAL) - AT
    by_file = {piece.file: piece.covers for piece in group.placed}
    clear = np.abs(side) > 3.0
    assert (by_file[0][clear] == (side[clear] > 0)).mean() > 0.98
    assert (by_file[1][clear] == (side[clear] < 0)).mean() > 0.98


@pytest.mark.slow
def test_the_order_of_the_files_does_not_matter(found, collection):
    names = ("first", "second", "first again")
    (group,) = reference_pieces([found[name] for name in names], collection)
    (other,) = reference_pieces([found[name] for name in reversed(names)], collection)
    assert [2 - piece.file for piece in other.placed] == [piece.file for piece in group.placed]
    assert [piece.place for piece in other.placed] == [piece.place for piece in group.placed]
    assert (other.together, other.twice) == (group.together, group.twice)


@pytest.mark.slow
def test_copies_are_no_pieces(found, collection):
    for names in (("first", "first again"), ("whole", "whole"), ("whole", "second")):
        (group,) = reference_pieces([found[name] for name in names], collection)
        assert not group.complementary, names
        assert [piece.place for piece in group.placed] == ["its own", "that of another"]
        assert group.twice == 0.0
    (group,) = reference_pieces([found["first"], found["first again"], found["second"]], collection)
    assert group.complementary
    assert sorted(piece.place for piece in group.placed) == ["its own", "its own", "that of another"]


@pytest.mark.slow
def test_scale_and_hand_that_do_not_fit_are_told(found, collection):
    (group,) = reference_pieces([found["first"], found["second, small"]], collection)
    assert (group.complementary, group.same_scale, group.same_hand) == (True, False, True)
    (group,) = reference_pieces([found["first"], found["second, mirrored"]], collection)
    assert (group.complementary, group.same_scale, group.same_hand) == (True, True, False)


@pytest.mark.slow
def test_bodies_of_one_file_are_pieces_too(collection, halves):
    packed = plate([moved(halves[0], 1), moved(halves[1], 2)])
    alone = collection.without(["symmetric", "turned", "gear"])
    found = identify(part(packed), alone)
    (group,) = reference_pieces([found], alone)
    assert group.complementary
    assert [piece.file for piece in group.placed] == [0, 0]
    assert len({piece.component for piece in group.placed}) == 2
    assert group.together > 0.97


@pytest.mark.slow
def test_one_hit_and_no_hit_say_nothing(found, collection):
    assert reference_pieces([], collection) == ()
    assert reference_pieces([found["first"]], collection) == ()
    unrelated = identify(part(solid(82_004)), collection)
    assert reference_pieces([found["first"], unrelated], collection) == ()


def turned_about_z(collection: Collection, row: int) -> np.ndarray:
    """Return the half turn about the middle of a reference."""
    points = collection.cloud(row).points
    middle = (points.min(axis=0) + points.max(axis=0)) / 2.0
    turn = np.diag([-1.0, -1.0, 1.0, 1.0])
    turn[:2, 3] = 2.0 * middle[:2]
    return turn


def relaid(found: Identification, pose: np.ndarray) -> Identification:
    """Return an identification whose hit is placed elsewhere on its reference."""
    (hit,) = found.accepted
    mirrored = hit.mirrored != (np.linalg.det(pose[:3, :3]) < 0)
    return replace(found, accepted=(replace(hit, pose=pose @ hit.pose, mirrored=bool(mirrored)),))


@pytest.mark.slow
def test_copies_on_two_like_places_of_a_reference_are_uncertain(collection):
    collection = collection.without(["symmetric"])  # whose half is the mirror image of this one
    half = split(TURNED, (1.0, 0.0, 0.0), 40.0)[0]
    first, copy = (identify(part(moved(half, seed)), collection) for seed in (1, 2))
    row = first.accepted[0].row
    assert collection.references[row].name == "turned"
    # Whether the search lays a copy here or half a turn away is chance: both fit equally.
    outcomes = set()
    for tried in (copy, relaid(copy, turned_about_z(collection, row))):
        (group,) = reference_pieces([first, tried], collection)
        assert not group.complementary
        assert group.together < 0.6
        outcomes.add(group.placed[1].place)
    assert outcomes == {"that of another", "uncertain"}


@pytest.mark.slow
def test_further_copies_on_an_uncertain_place_cost_no_further_search(collection, monkeypatch):
    collection = collection.without(["symmetric"])  # whose half is the mirror image of this one
    half = split(TURNED, (1.0, 0.0, 0.0), 40.0)[0]
    first = identify(part(moved(half, 1)), collection)
    away = relaid(first, turned_about_z(collection, first.accepted[0].row))
    asked = []

    def counted(query, others, **options):
        asked.append(query)
        return identify(query, others, **options)

    # By the module: the name of the room is that of the function on the face above it.
    monkeypatch.setattr(pieces_of_reference, "identify", counted)
    (group,) = reference_pieces([first, *[away] * 5], collection)
    assert sorted(piece.place for piece in group.placed) == ["its own"] + ["uncertain"] * 5
    assert len(asked) == 1


@pytest.mark.slow
def test_halves_of_a_symmetric_reference_are_pieces_whichever_hand_they_were_found_with(collection):
    collection = collection.without(["turned"])  # which holds these halves too
    first, second = (
        identify(part(moved(half, seed)), collection)
        for seed, half in enumerate(split(SYMMETRIC, (1.0, 0.0, 0.0), 40.0))
    )
    row = first.accepted[0].row
    points = collection.cloud(row).points
    flip = np.diag([-1.0, 1.0, 1.0, 1.0])
    flip[0, 3] = points[:, 0].min() + points[:, 0].max()
    for a in (first, relaid(first, flip)):
        for b in (second, relaid(second, flip)):
            (group,) = reference_pieces([a, b], collection)
            assert group.complementary
            assert group.together > 0.95
            assert not any(piece.mirrored for piece in group.placed)
            # A mirrored copy of one half would look the same, and that is told.
            assert [piece.fits_mirrored for piece in group.placed] == [False, True]
    copy = identify(part(moved(split(SYMMETRIC, (1.0, 0.0, 0.0), 40.0)[0], 7)), collection)
    for b in (copy, relaid(copy, flip)):
        (group,) = reference_pieces([first, b], collection)
        assert not group.complementary


@pytest.mark.slow
def test_the_same_bytes_twice(found, collection):
    first, second = (reference_pieces([found["first"], found["second"]], collection)[0] for _ in range(2))
    for a, b in zip(first.placed, second.placed, strict=True):
        assert a.covers.tobytes() == b.covers.tobytes()
    assert first.provenance == second.provenance
