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
from reference_meshes.disturbances import plate
from reference_meshes.solids import Mesh, solid


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
    assert found.accepted[0].name == "solid 80012"
    assert [finding.code for finding in found.findings] == codes
    if codes:
        assert f"{factor:.3g} times" in found.findings[0].message
        assert np.isclose(found.accepted[0].scale, factor, rtol=1e-3)


def test_a_cloud_that_is_looked_at_once_is_the_one_that_is_kept(collection: Collection, tmp_path):
    collection.save(tmp_path / "lab")
    kept = Collection.load(tmp_path / "lab")
    for row in range(len(kept)):
        passing, own = kept.passing_cloud(row), collection.cloud(row)
        assert np.array_equal(passing.points, own.points)
        assert (passing.size, passing.area, passing.spacing) == (own.size, own.area, own.spacing)
