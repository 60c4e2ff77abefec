"""Signatures, collections and the identification of turned, scaled, mirrored, cut and packed parts."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from families import fast_and_slow

from ballistics.errors import BallisticsError, CorruptFileError, ParameterError, UnsupportedFormatError, WriteError
from ballistics.printed.collection.collection import Collection
from ballistics.printed.content.part import Part
from ballistics.printed.describe.descriptors import QUERY_STEPS
from ballistics.printed.describe.sampling import enclosing_diameter, sample_surface
from ballistics.printed.describe.signature import signature_of
from ballistics.printed.identify.identification import Identification, identify
from ballistics.printed.identify.judgement import detail_of
from ballistics.printed.identify.parameters import DEFAULT
from ballistics.printed.identify.shortlist import count_votes
from ballistics.reports.wording.printed import two_files_headline
from reference_meshes.disturbances import cut, noise, plate, posed, refined, remesh, similarity
from reference_meshes.solids import Mesh, solid

SEEDS = (80_000, 80_001, 80_002, 80_003)  # an assembly, a gear, a bracket, a turned part


@pytest.fixture
def refused_index(monkeypatch):
    """Let no search ask the index."""

    def refused(self):
        raise AssertionError("the index was asked")

    monkeypatch.setattr(Collection, "index", refused)


def part(mesh: Mesh) -> Part:
    return Part(mesh.vertices, mesh.faces)


@pytest.fixture(scope="module")
def solids() -> list[Mesh]:
    return [solid(seed) for seed in SEEDS]


@pytest.fixture(scope="module")
def collection(solids: list[Mesh]) -> Collection:
    made = Collection()
    for seed, mesh in zip(SEEDS, solids, strict=True):
        made.enrol(signature_of(part(mesh)), f"solid {seed}", category="ordinary", metadata={"seed": seed})
    return made


def test_sampling_does_not_depend_on_the_triangulation():
    coarse = solid(80_002)
    fine = refined(coarse, 2.0)
    assert len(fine.faces) > 4 * len(coarse.faces)
    a, b = (sample_surface(mesh.vertices, mesh.faces) for mesh in (coarse, fine))
    assert a.area_mm2 == pytest.approx(b.area_mm2)
    assert a.size_mm == pytest.approx(b.size_mm, rel=0.01)
    assert np.abs(a.counts - b.counts).max() < 0.05 * a.counts.max()
    for k in range(5, 10):
        points, distance = a.points_mm[: a.counts[k]], a.distances_mm[k]
        off = np.linalg.norm(points[:, None] - points[None, :200], axis=2)
        assert np.sort(off, axis=0)[1].min() >= distance * (1 - 1e-9)


def test_size_of_a_ball_and_of_a_box():
    rng = np.random.default_rng(0)
    ball = rng.normal(size=(5000, 3))
    assert enclosing_diameter(ball / np.linalg.norm(ball, axis=1)[:, None]) == pytest.approx(2.0, rel=0.01)
    assert enclosing_diameter(rng.integers(0, 2, (100, 3)) * np.array([1.0, 2.0, 2.0])) == pytest.approx(3.0, rel=0.01)


def test_a_signature_is_small_and_the_same_every_time(solids: list[Mesh]):
    first, second = (signature_of(part(solids[0])) for _ in range(2))
    assert first.nbytes <= 256 * 1024
    for name in ("codes", "origin_mm", "local", "whole"):
        assert getattr(first, name).tobytes() == getattr(second, name).tobytes()
    assert len(first.codes) <= 3000
    # What is stored lies about 1/50 of the size apart, rounded to 1/255 of the longest side.
    assert first.spacing_mm >= first.size_mm / 130
    assert first.step_mm >= first.size_mm / 450


@pytest.mark.parametrize("row", fast_and_slow([2], [0, 1, 3]))
def test_turned_scaled_and_mirrored(solids: list[Mesh], collection: Collection, row: int):
    rng = np.random.Generator(np.random.PCG64(row))
    pose = similarity(rng, True, True, 100.0)
    factor = abs(np.linalg.det(pose[:3, :3])) ** (1 / 3)
    found = identify(part(posed(remesh(solids[row], rng), pose)), collection)
    best = found.candidates[0]
    assert found.verdict == "in the collection"
    assert best.name == f"solid {SEEDS[row]}"
    assert (best.category, best.metadata) == ("ordinary", {"seed": SEEDS[row]})
    assert best.scale == pytest.approx(factor, rel=0.01)
    assert min(best.query_share, best.reference_share) > 0.9
    assert best.relation in ("same geometry", "exact copy")
    assert np.median(best.deviations_mm) < 0.01 * factor * 50
    assert len(best.deviations_mm) == len(found.points_mm)


def test_an_exact_copy_is_known_by_its_keys(solids: list[Mesh], collection: Collection):
    rng = np.random.Generator(np.random.PCG64(1))
    moved = posed(solids[0], similarity(rng, False, False, 10.0))
    shuffled = Part(moved.vertices, moved.faces[rng.permutation(len(moved.faces))])
    best = identify(shuffled, collection).candidates[0]
    assert (best.name, best.relation) == (f"solid {SEEDS[0]}", "exact copy")
    assert best.scale == pytest.approx(1.0, abs=0.003)


def test_half_a_part(solids: list[Mesh], collection: Collection):
    rng = np.random.Generator(np.random.PCG64(3))
    half = cut(posed(solids[0], similarity(rng, False, False, 10.0)), 0.5, rng)
    best = identify(part(half), collection).candidates[0]
    assert best.name == f"solid {SEEDS[0]}"
    assert 0.3 < best.reference_share < 0.75
    assert best.query_share > best.reference_share


@pytest.mark.slow
def test_two_parts_on_a_plate_and_one_of_them_unknown(solids: list[Mesh], collection: Collection):
    rng = np.random.Generator(np.random.PCG64(4))
    known, unknown = posed(solids[3], similarity(rng, False, False, 0.0)), solid(81_004)
    found = identify(part(plate([known, unknown])), collection)
    assert [each.name for each in found.accepted] == [f"solid {SEEDS[3]}"]
    inside = found.components == found.accepted[0].component
    assert 0 < inside.sum() < len(inside)


@pytest.mark.slow
def test_two_parts_of_one_file_and_one_of_them_unknown(solids: list[Mesh], collection: Collection):
    rng = np.random.Generator(np.random.PCG64(4))
    known, unknown = posed(solids[3], similarity(rng, False, False, 0.0)), solid(81_004)
    apart = identify([part(known), part(unknown)], collection)
    assert [each.name for each in apart.accepted] == [f"solid {SEEDS[3]}"]


@pytest.fixture(scope="module")
def unrelated(collection: Collection) -> Identification:
    return identify(part(solid(82_004)), collection)


def test_an_unrelated_part_is_not_found(unrelated: Identification):
    assert unrelated.verdict == "nothing in the collection"
    assert unrelated.accepted == ()
    assert unrelated.candidates
    assert unrelated.candidates[0].score < unrelated.threshold


@pytest.mark.slow
def test_the_same_answer_twice_and_from_disk(solids: list[Mesh], collection: Collection, tmp_path):
    collection.save(tmp_path / "references")
    opened = Collection.load(tmp_path / "references")
    rng = np.random.Generator(np.random.PCG64(5))
    query = part(cut(solids[1], 0.6, rng))
    first, second = identify(query, collection), identify(query, opened)
    assert [each.name for each in first.candidates] == [each.name for each in second.candidates]
    for a, b in zip(first.candidates, second.candidates, strict=True):
        assert a.pose.tobytes() == b.pose.tobytes()
        assert a.deviations_mm.tobytes() == b.deviations_mm.tobytes()
    opened.enrol(signature_of(part(solid(83_000))), "later")
    index = opened.index()
    found = index.neighbours(np.zeros((17, 3, 24), dtype=np.int8), QUERY_STEPS, 60, 4)
    assert len(count_votes(index, found)) == 5
    with pytest.raises(WriteError, match="not empty"):
        collection.save(tmp_path / "references")


def test_a_signature_as_the_query(solids: list[Mesh], collection: Collection):
    query = signature_of(part(posed(solids[2], similarity(np.random.default_rng(6), True, False, 5.0))))
    assert identify(query, collection).candidates[0].name == f"solid {SEEDS[2]}"


@pytest.mark.slow
def test_references_left_out_are_not_found(solids: list[Mesh], collection: Collection):
    name = f"solid {SEEDS[0]}"
    found = identify(part(solids[0]), collection.without([name]))
    assert name not in [each.name for each in found.candidates]
    assert found.verdict == "nothing in the collection"
    with pytest.raises(ParameterError, match="no reference named 'nobody'"):
        collection.without(["nobody"])


def test_an_empty_collection_and_an_empty_query(solids: list[Mesh], tmp_path):
    empty = Collection()
    assert identify(part(solids[0]), empty).verdict == "nothing in the collection"
    empty.save(tmp_path / "empty")
    assert len(Collection.load(tmp_path / "empty")) == 0
    nothing = Part(np.zeros((3, 3)), np.zeros((1, 3), dtype=np.int64))
    for call in (lambda: identify(nothing, empty), lambda: signature_of(nothing), lambda: identify([], empty)):
        with pytest.raises(ParameterError):
            call()


def test_wrong_collections_are_refused(solids: list[Mesh], collection: Collection, tmp_path):
    with pytest.raises(CorruptFileError, match="not a collection"):
        Collection.load(tmp_path)
    saved = Collection()
    saved.enrol(collection.signature(0), "one")
    with pytest.raises(ParameterError, match="already"):
        saved.enrol(collection.signature(1), "one")
    with pytest.raises(ParameterError, match="JSON"):
        saved.enrol(collection.signature(1), "two", metadata={"at": object()})
    saved.save(tmp_path / "one")
    manifest = tmp_path / "one" / "manifest.json"
    good = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**good, "signature_version": "0"}))
    with pytest.raises(UnsupportedFormatError, match="version 0"):
        Collection.load(tmp_path / "one")
    manifest.write_text(json.dumps({**good, "references": good["references"] * 2}))
    with pytest.raises(BallisticsError):
        Collection.load(tmp_path / "one")
    manifest.write_text(json.dumps(good))
    frames = np.load(tmp_path / "one" / "frames.npy")
    for column, forged in ((4, 1e-9), (5, 1e-6), (3, np.nan), (7, 1e9), (6, -1.0)):
        changed = frames.copy()
        changed[0, column] = forged
        np.save(tmp_path / "one" / "frames.npy", changed)
        with pytest.raises(CorruptFileError, match="the lengths of 'one' contradict each other"):
            Collection.load(tmp_path / "one")
    np.save(tmp_path / "one" / "frames.npy", frames[:, :5])
    with pytest.raises(CorruptFileError, match="the lengths"):
        Collection.load(tmp_path / "one")
    np.save(tmp_path / "one" / "frames.npy", frames)
    assert len(Collection.load(tmp_path / "one")) == 1
    manifest.write_text(json.dumps({**good, "index_keypoints": 900}))
    with pytest.raises(CorruptFileError, match=r"manifest\.json: its content is not the one that was written"):
        Collection.load(tmp_path / "one")
    manifest.write_text(json.dumps(good))
    (tmp_path / "one" / "local.npy").write_bytes(b"not an array")
    with pytest.raises(CorruptFileError, match="cannot be read"):
        Collection.load(tmp_path / "one")


def box(*sides: float) -> Part:
    corners = np.array([[x, y, z] for x in (0, sides[0]) for y in (0, sides[1]) for z in (0, sides[2])], dtype=float)
    quads = [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]
    return Part(corners, np.array([[q[0], q[j], q[j + 1]] for q in quads for j in (1, 2)]))


@pytest.mark.slow
def test_a_plain_query_is_not_called_unknown(collection: Collection, unrelated: Identification):
    found = identify(box(90.0, 40.0, 3.0), collection)
    assert found.verdict == "too plain to identify"
    assert max(found.worths.values()) < found.plain_below
    assert found.accepted == ()
    assert two_files_headline(found, "other.stl").startswith("The file is too plain to say")
    assert min(unrelated.worths.values()) > found.plain_below


def test_a_plain_copy_is_known_by_its_keys():
    plain = Collection()
    plain.enrol(signature_of(box(90.0, 40.0, 3.0)), "plate")
    found = identify(box(180.0, 80.0, 6.0), plain)
    assert (found.verdict, found.accepted[0].relation) == ("in the collection", "exact copy")
    assert found.accepted[0].scale == pytest.approx(2.0, rel=0.01)


def test_detail_of_descriptors():
    rng = np.random.default_rng(0)
    varied = np.clip(rng.normal(size=(2, 4000, 24)) * 32.0, -127, 127).astype(np.int8)
    # A standard deviation of 4 in each of 24 directions.
    assert detail_of(varied) == pytest.approx(12 * np.log(17.0), rel=0.01)
    assert detail_of(np.full((2, 400, 24), 5, dtype=np.int8)) == pytest.approx(0.0)
    half = varied.copy()
    half[1] = -128
    assert detail_of(half) == pytest.approx(detail_of(varied[:1]))
    assert detail_of(varied[:, :30]) == 0.0
    assert detail_of(varied[:, rng.permutation(4000)]) == detail_of(varied)


@pytest.mark.slow
def test_bodies_that_the_whole_explains_are_named_one_by_one(solids: list[Mesh], collection: Collection):
    rng = np.random.Generator(np.random.PCG64(7))
    pieces = [posed(noise(solids[row], 0.003, rng), similarity(rng, False, False, 0.0)) for row in (0, 3)]
    found = identify(part(plate(pieces)), collection)
    assert sorted(each.name for each in found.accepted) == [f"solid {SEEDS[0]}", f"solid {SEEDS[3]}"]
    assert sorted(each.component for each in found.accepted) == [0, 1]
    assert {each.relation for each in found.accepted} == {"same geometry"}


@pytest.mark.slow
@pytest.mark.usefixtures("refused_index")
def test_a_part_that_is_whole_is_found_before_the_index_is_asked(solids: list[Mesh], collection: Collection):
    rng = np.random.Generator(np.random.PCG64(7))
    moved = posed(solids[1], similarity(rng, True, True, 10.0))
    found = identify(part(noise(moved, 0.003, rng)), collection)
    assert [each.name for each in found.accepted] == [f"solid {SEEDS[1]}"]
    with pytest.raises(AssertionError, match="index"):
        identify(part(cut(moved, 0.5, rng)), collection)


@pytest.mark.slow
@pytest.mark.usefixtures("refused_index")
@pytest.mark.parametrize("limits", [{"decisive": 1.1}, {"beside_as_whole": 1e9, "beside_at_most": 2}])
def test_a_hit_of_the_whole_that_another_could_beat_does_not_end_the_search(
    solids: list[Mesh], collection: Collection, limits: dict[str, float]
):
    rng = np.random.Generator(np.random.PCG64(7))
    moved = noise(posed(solids[1], similarity(rng, True, True, 10.0)), 0.003, rng)
    # No score is decisive, or the three other references look like the hit and only two are judged beside it.
    parameters = replace(DEFAULT, **limits)
    with pytest.raises(AssertionError, match="index"):
        identify(part(moved), collection, parameters=parameters)


@pytest.mark.slow
@pytest.mark.usefixtures("refused_index")
def test_a_hit_of_the_whole_ends_the_search_only_where_whole_lies_on_whole(solids: list[Mesh], collection: Collection):
    rng = np.random.Generator(np.random.PCG64(7))
    shortened = cut(posed(solids[2], similarity(rng, True, True, 10.0)), 0.8, rng)
    with pytest.raises(AssertionError, match="index"):
        identify(part(shortened), collection)
    decisive = replace(DEFAULT, decisive=0.4)
    with pytest.raises(AssertionError, match="index"):
        identify(part(shortened), collection, parameters=decisive)
    found = identify(part(shortened), collection, parameters=replace(decisive, whole_share=0.6))
    assert [hit.name for hit in found.accepted] == [f"solid {SEEDS[2]}"]
