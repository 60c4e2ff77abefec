"""What bodies are worth beyond plain ones, and that a plain one is named for nothing but a copy of it."""

from __future__ import annotations

import json
from io import BytesIO

import numpy as np
import pytest

from ballistics.printed.collection.collection import Collection
from ballistics.printed.content.part import Part
from ballistics.printed.describe.descriptors import DESCRIPTOR_STEP
from ballistics.printed.describe.plainness import PLAIN_WORTH, _plain_bytes, beyond_plain, telling_nats, worth_of
from ballistics.printed.describe.signature import signature_of
from ballistics.printed.identify import search
from ballistics.printed.identify.identification import identify
from ballistics.reports.wording.printed import headline, plain_bodies_sentence, score_sentence
from reference_meshes.disturbances import joined, noise, posed, remesh, similarity
from reference_meshes.plain_bodies import PLAIN_FAMILIES, plain_body
from reference_meshes.solids import Mesh, solid

# None of these chose the limit.
PLAIN_SEED, SOLID_SEED = 500_000, 85_000


def part(mesh: Mesh) -> Part:
    return Part(mesh.vertices, mesh.faces)


@pytest.fixture(scope="module")
def plain_signatures():
    return [signature_of(part(plain_body(PLAIN_SEED + k))) for k in range(2 * len(PLAIN_FAMILIES))]


@pytest.mark.slow
def test_plain_bodies_are_worth_little_and_others_much(plain_signatures):
    worth = [worth_of(each.local) for each in plain_signatures]
    others = [worth_of(signature_of(part(solid(SOLID_SEED + k))).local) for k in range(5)]
    assert max(worth) < PLAIN_WORTH < min(others)
    assert all(len(plain_body(PLAIN_SEED + k).faces) <= 24 for k in range(64))


def test_the_nearest_plain_place_is_half_its_squared_distance_away():
    with np.load(BytesIO(_plain_bytes())) as kept:
        places = kept["places"]
    # A place itself says nothing; one that is four steps off in one direction says half of the square of that.
    moved = places[:50].copy()
    moved[:, 3] = np.where(moved[:, 3] > 0, moved[:, 3] - 4, moved[:, 3] + 4)
    assert beyond_plain(places[:50]).max() == 0.0
    assert beyond_plain(moved).max() <= 0.5 * (4 * DESCRIPTOR_STEP) ** 2
    far = np.full((2, 3, 24), 127, dtype=np.int8)
    far[1, 2] = -128
    found = beyond_plain(far)
    assert found[0].tolist() == [30.0] * 3
    assert np.isnan(found[1, 2])


def test_the_telling_quarter():
    nats = np.array([[1.0, 2.0, 3.0, 20.0, np.nan], [1.0, 2.0, 3.0, np.nan, np.nan]], dtype=np.float32)
    # Four places are described; the highest quarter is one of them.
    assert telling_nats(nats) == 20.0
    assert telling_nats(nats[:, :3]) == 3.0
    assert telling_nats(np.full((2, 3), np.nan, dtype=np.float32)) == 0.0
    assert telling_nats(nats[:, :0]) == 0.0


@pytest.fixture(scope="module")
def collection(plain_signatures) -> Collection:
    made = Collection()
    for k, signature in enumerate(plain_signatures):
        made.enrol(signature, f"plain {k}")
    made.enrol(signature_of(part(solid(SOLID_SEED + 1))), "gear")
    return made


@pytest.mark.slow
def test_a_plain_body_that_fits_is_shown_and_not_accepted(collection: Collection):
    rng = np.random.Generator(np.random.PCG64(3))
    # A rough box at another size: all of it lies on the reference, and on many a box.
    query = posed(noise(plain_body(PLAIN_SEED), 0.002, rng), similarity(rng, True, False, 10.0))
    found = identify(part(query), collection)
    assert found.verdict == "too plain to identify"
    assert not found.accepted
    best = found.candidates[0]
    assert (best.name, best.is_plain, best.fits(found.threshold)) == ("plain 0", True, True)
    assert best.worth < found.plain_below
    assert best.reference_worth == pytest.approx(collection.references[0].detail_nats)
    sentence = score_sentence(best, found)
    assert "Too plain to be accepted" in sentence
    assert "less than 16" in sentence
    assert "boxes, bars, rods and plates" in headline(found, type("File", (), {"parts": [0]})(), len(collection))


@pytest.mark.slow
def test_a_plain_body_beside_a_detailed_one_is_told_by_its_number(collection: Collection):
    rng = np.random.Generator(np.random.PCG64(4))
    gear = solid(SOLID_SEED + 1)
    box = plain_body(PLAIN_SEED + 8)
    box = noise(box, 0.002, rng)
    apart = Mesh(box.vertices + 2.0 * np.ptp(gear.vertices, axis=0) + gear.vertices.max(axis=0), box.faces)
    found = identify(part(joined(remesh(gear, rng), apart)), collection)
    assert {each.name for each in found.accepted} == {"gear"}
    plain = [number for number, worth in found.worths.items() if number >= 0 and worth < found.plain_below]
    assert len(plain) == 1
    assert f"Body {plain[0] + 1} of the query is too plain" in plain_bodies_sentence(found)


@pytest.mark.slow
def test_a_plain_reference_hides_no_other(monkeypatch):
    """A fault that was reported: a coarse sword resembles a bar, and was not among the candidates."""
    made = Collection()
    rng = np.random.Generator(np.random.PCG64(5))
    right = solid(SOLID_SEED + 3)
    for k in range(16):
        made.enrol(signature_of(part(plain_body(PLAIN_SEED + 1 + 8 * k))), f"bar {k}")
    made.enrol(signature_of(part(right)), "right")
    # The right one is not tried by its whole surface.
    whole = search._by_whole
    monkeypatch.setattr(search, "_by_whole", lambda question: [each for each in whole(question) if each.row < 16])
    found = identify(part(posed(remesh(right, rng), similarity(rng, True, True, 10.0))), made)
    assert found.candidates[0].name == "right"
    assert [each.name for each in found.accepted] == ["right"]


@pytest.mark.slow
def test_worth_is_kept_and_measured_when_an_older_version_did_not(collection: Collection, tmp_path):
    collection.save(tmp_path / "lab")
    path = tmp_path / "lab" / "manifest.json"
    kept = json.loads(path.read_text())
    assert kept["references"][0]["detail_nats"] == collection.worth(0) < PLAIN_WORTH
    loaded = Collection.load(tmp_path / "lab")
    assert loaded.references[0].detail_nats == collection.worth(0)
    older = Collection.load(tmp_path / "lab")
    older._references = [type(each)(each.name, each.category, each.metadata, each.keys) for each in older._references]
    assert older.references[0].detail_nats is None
    assert older.worth(0) == collection.worth(0)


@pytest.mark.parametrize(("hit", "registered"), [(True, [4, 8]), (False, [4])])
def test_where_one_is_a_hit_all_that_were_placed_are_registered(monkeypatch, hit: bool, registered: list[int]):
    asked = []

    def heard(question, proposals, copied):
        asked.append(len(proposals))
        return [type("One", (), {"is_hit": hit})() for _ in proposals]

    monkeypatch.setattr(search, "_registered", heard)
    found = search._registered_in_turn(None, list(range(12)), 4)
    assert asked == registered
    assert len(found) == sum(registered)
