"""What an examiner is told of a search beside its hits: a budget that was used up, a scale that is unusual."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ballistics.printed.collection.collection import Collection
from ballistics.printed.content.part import Part
from ballistics.printed.describe.signature import signature_of
from ballistics.printed.identify.identification import identify
from ballistics.printed.identify.parameters import DEFAULT
from ballistics.reports.wording.printed import miss_sentence, threshold_words, unexplained_sentence
from reference_meshes.disturbances import plate
from reference_meshes.solids import Mesh, solid

# Its fixture alone costs seconds.
pytestmark = pytest.mark.slow


def part(mesh: Mesh) -> Part:
    return Part(mesh.vertices, mesh.faces)


@pytest.fixture(scope="module")
def collection() -> Collection:
    made = Collection()
    for seed in range(80_010, 80_016):
        made.enrol(signature_of(part(solid(seed))), f"solid {seed}")
    return made


def test_bodies_beyond_the_budget_are_searched_less_widely_and_named(collection: Collection):
    query = part(plate([solid(80_020), solid(80_021)]))
    # None of the first: whatever is placed by votes is beyond them.
    few = replace(DEFAULT, candidates_by_votes=1, candidates_by_whole=1, threshold=1.0)
    whole = identify(query, collection, parameters=few)
    assert whole.findings == ()
    none = identify(query, collection, parameters=replace(few, placements_at_most=0))
    (finding,) = none.findings
    assert (finding.code, finding.severity) == ("search-shortened", "warning")
    assert finding.message.startswith("all bodies together, body 1, body 2 (of 2) searched among fewer references")
    assert len(none.candidates) < len(whole.candidates)
    assert none.to_dict()["findings"][0]["code"] == "search-shortened"


@pytest.mark.parametrize(
    ("factor", "codes"), [(1.0, []), (4.9, []), (0.1, ["scale-unusual"]), (25.4, ["scale-unusual"])]
)
def test_a_hit_at_an_unusual_scale_is_cautioned_against(collection: Collection, factor: float, codes: list[str]):
    mesh = solid(80_012)
    found = identify(part(Mesh(factor * mesh.vertices, mesh.faces)), collection)
    assert (found.accepted[0].relation, found.findings) == ("exact copy", ())
    jitter = 1e-3 * np.random.Generator(np.random.PCG64(5)).normal(size=mesh.vertices.shape) * np.ptp(mesh.vertices)
    found = identify(part(Mesh(factor * (mesh.vertices + jitter), mesh.faces)), collection)
    assert (found.accepted[0].name, found.accepted[0].relation) == ("solid 80012", "same geometry")
    assert [finding.code for finding in found.findings] == codes
    if codes:
        assert f"{found.accepted[0].scale:.3g} times" in found.findings[0].message
        assert np.isclose(found.accepted[0].scale, factor, rtol=2e-2)


def test_a_cloud_that_is_looked_at_once_is_the_one_that_is_kept(collection: Collection, tmp_path):
    collection.save(tmp_path / "lab")
    kept = Collection.load(tmp_path / "lab")
    for row in range(len(kept)):
        passing, own = kept.passing_cloud(row), collection.cloud(row)
        assert np.array_equal(passing.points, own.points)
        assert (passing.size, passing.area, passing.spacing) == (own.size, own.area, own.spacing)


def test_how_firm_a_hit_is_and_what_a_miss_lacks(collection: Collection):
    found = identify(part(solid(80_012)), collection)
    words = {score: threshold_words(score, found) for score in (0.38, 0.4, 0.43, 0.8, 0.95, 1.0)}
    assert words == {
        0.38: "0.02 below the threshold of 0.4",
        0.4: "barely above the threshold of 0.4 (by 0.00)",
        0.43: "barely above the threshold of 0.4 (by 0.03)",
        0.8: "above the threshold of 0.4 (by 0.40)",
        0.95: "far above the threshold of 0.4 (by 0.55)",
        1.0: "far above the threshold of 0.4 (by 0.60)",
    }
    best = found.candidates[0]
    lost = replace(best, score=0.3, log_odds={**best.log_odds, "agreement": 0.0})
    sentence = miss_sentence(lost, found)
    # ln(0.4 / 0.6) - ln(0.3 / 0.7)
    assert sentence.startswith("It lacks 0.4 in log-odds. Most is lost by this: agreement of the local shape")
    assert sentence.endswith("(adds 0.0 of 4.8).")


def test_the_bodies_of_a_plate_that_no_hit_explains_are_named(collection: Collection):
    query = part(plate([solid(80_012), solid(80_030)]))
    found = identify(query, collection)
    assert [hit.name for hit in found.accepted] == ["solid 80012"]
    shares = found.unexplained()
    (known,) = {hit.component for hit in found.accepted}
    assert shares[known] < 0.05
    assert shares[1 - known] > 0.9
    assert unexplained_sentence(found).startswith(f"Explained by no hit: body {2 - known} (")
    assert unexplained_sentence(identify(part(solid(80_012)), collection)) == ""
