"""The false-hit rate of a collection: which queries are asked, in what they are searched, what is kept."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ballistics.errors import CorruptFileError
from ballistics.files.bounded_json import SEAL, sealed
from ballistics.printed.collection.collection import Collection
from ballistics.printed.collection.false_hit_rate import FalseHitRate
from ballistics.printed.content.part import Part
from ballistics.printed.describe.query import query_of_signature
from ballistics.printed.describe.signature import signature_of
from ballistics.printed.identify import false_hits
from ballistics.printed.identify.false_hits import is_measured, measured, piece_of, relatives
from ballistics.printed.identify.identification import IDENTIFICATION_VERSION
from ballistics.reports.wording.printed import NOT_MEASURED, false_hits_sentence
from reference_meshes.plain_bodies import plain_body
from reference_meshes.solids import solid


def part(mesh) -> Part:
    return Part(mesh.vertices, mesh.faces)


@pytest.fixture(scope="module")
def collection() -> Collection:
    made = Collection()
    for k in range(20):
        mesh = plain_body(600_000 + k) if k % 4 else solid(86_000 + k)
        made.enrol(signature_of(part(mesh)), f"reference {k}", metadata={"file": f"{k}.stl", "sha256": f"{k}"})
    return made


@pytest.mark.slow
def test_the_rate_is_measured_and_the_same_every_time(collection: Collection):
    told = []
    first = measured(collection, 1, lambda done, total: told.append((done, total)))
    assert first == measured(collection, 1)
    assert (first.queries, first.hits, first.references) == (1, 0, 20)
    assert first.upper == pytest.approx(0.95)
    assert told == [(k, 1) for k in range(2)]


@pytest.mark.slow
def test_a_query_is_searched_in_what_is_not_related(collection: Collection, monkeypatch):
    asked = []

    def heard(query, searched, most):
        asked.append((query, searched))
        return type("Found", (), {"accepted": (1,)})()

    monkeypatch.setattr(false_hits, "identify", heard)
    found = measured(collection, 10**6)
    # Each whole and cut, and every one a hit.
    assert (found.queries, found.hits, found.upper) == (40, 40, 1.0)
    sizes = {len(query.codes) for query, _ in asked}
    assert len(sizes) > 20
    for query, searched in asked:
        assert query.keys is None
        assert searched.barred


@pytest.mark.slow
def test_relatives(collection: Collection):
    made = Collection()
    gear = signature_of(part(solid(86_001)))
    other = signature_of(part(solid(86_002)))
    box = signature_of(part(plain_body(600_008)))
    for name, signature, file, sha in (
        ("gear", gear, "a/gear.stl", "1"),
        ("copy of it", gear, "b/copy.stl", "2"),
        ("same folder", other, "a/other.stl", "3"),
        ("another", other, "c/other.stl", "4"),
        ("box", box, "box.stl", "5"),
        ("second part of the box's file", other, "x.stl", "5"),
    ):
        made.enrol(signature, name, metadata={"file": file, "sha256": sha})
    names = [[made.references[row].name for row in relatives(made, k)] for k in range(6)]
    assert names[0] == ["gear", "copy of it", "same folder"]
    assert names[4] == ["box", "second part of the box's file"]


@pytest.mark.slow
def test_a_piece_is_smaller_even_and_of_another_size(collection: Collection):
    whole = collection.signature(0)
    piece = piece_of(whole, np.random.Generator(np.random.PCG64(1)))
    share = len(piece.codes) / len(whole.codes)
    assert 0.24 < share < 0.61
    factor = piece.size_mm / whole.size_mm
    assert 0.5 <= factor <= 2.0
    assert piece.area_mm2 == pytest.approx(factor**2 * share * whole.area_mm2)
    assert (piece.local.shape[1], piece.keys) == (min(piece.local.shape[1], len(piece.codes)), None)
    assert (piece.whole != whole.whole).any()


@pytest.mark.slow
def test_small_collections_are_not_measured_and_grown_ones_again(collection: Collection):
    few = Collection()
    few.enrol(collection.signature(0), "one")
    assert measured(few) is None
    assert is_measured(few)
    assert not is_measured(collection)
    collection.false_hits = FalseHitRate(10, 0, 20, IDENTIFICATION_VERSION, 1)
    assert is_measured(collection)
    collection.false_hits = FalseHitRate(10, 0, 15, IDENTIFICATION_VERSION, 1)
    assert not is_measured(collection)
    collection.false_hits = FalseHitRate(10, 0, 20, "7", 1)
    assert not is_measured(collection)
    collection.false_hits = None


@pytest.mark.slow
def test_the_rate_is_kept_in_the_manifest_and_told(collection: Collection, tmp_path):
    assert false_hits_sentence(None) == NOT_MEASURED
    collection.save(tmp_path / "without")
    assert Collection.load(tmp_path / "without").false_hits is None
    collection.false_hits = FalseHitRate(200, 1, 20, IDENTIFICATION_VERSION, 11)
    collection.save(tmp_path / "lab")
    kept = Collection.load(tmp_path / "lab").false_hits
    collection.false_hits = None
    assert kept == FalseHitRate(200, 1, 20, IDENTIFICATION_VERSION, 11)
    assert "1 of 200 unrelated queries had a hit: at most 2.3 %" in false_hits_sentence(kept)


@pytest.mark.slow
@pytest.mark.parametrize("wrong", [{"hits": 201}, {"queries": 0}, {"hits": "1"}, {"references": -1}])
def test_a_rate_that_cannot_be_is_refused(collection: Collection, tmp_path, wrong):
    collection.false_hits = FalseHitRate(200, 1, 20, IDENTIFICATION_VERSION, 11)
    collection.save(tmp_path / "lab")
    collection.false_hits = None
    path = tmp_path / "lab" / "manifest.json"
    content = {key: value for key, value in json.loads(path.read_text()).items() if key != SEAL}
    content["false_hits"] |= wrong
    path.write_text(json.dumps(sealed(content), indent=1, sort_keys=True))
    with pytest.raises(CorruptFileError, match="false hits"):
        Collection.load(tmp_path / "lab")


@pytest.mark.slow
def test_measuring_keeps_the_collection_whole(collection: Collection, tmp_path):
    collection.save(tmp_path / "lab")
    found = false_hits.measure_folder(tmp_path / "lab", 1)
    kept = Collection.load(tmp_path / "lab")
    assert kept.false_hits == found
    # The index was written again, from one that was mapped.
    assert kept.index().faiss_index.ntotal == collection.index().faiss_index.ntotal
    query = query_of_signature(collection.signature(0))
    told = [each.index().neighbours(query.local(range(6)), query.steps, 60, 4) for each in (kept, collection)]
    assert (told[0].numbers == told[1].numbers).all()
