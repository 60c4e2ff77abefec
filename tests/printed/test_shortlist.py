"""Votes for references and scales, their order, and the second, wider round of a search."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ballistics.printed.collection.collection import Collection
from ballistics.printed.content.part import Part
from ballistics.printed.describe.query import cloud_of, query_of_sample
from ballistics.printed.describe.sampling import sample_surface
from ballistics.printed.describe.signature import signature_of
from ballistics.printed.identify import shortlist
from ballistics.printed.identify.identification import identify
from ballistics.printed.identify.parameters import DEFAULT
from ballistics.printed.identify.shortlist import Vote, agreement, count_votes, in_turn, look_up, ranked
from reference_meshes.disturbances import cut, posed, similarity
from reference_meshes.solids import Mesh, solid

SEEDS = tuple(range(80_000, 80_008))


def part(mesh: Mesh) -> Part:
    return Part(mesh.vertices, mesh.faces)


@pytest.fixture(scope="module")
def collection() -> Collection:
    made = Collection()
    for seed in SEEDS:
        made.enrol(signature_of(part(solid(seed))), f"solid {seed}")
    return made


def half(seed: int, scaled: bool = False) -> Part:
    rng = np.random.Generator(np.random.PCG64(seed))
    return part(cut(posed(solid(seed), similarity(rng, scaled, scaled, 50.0)), 0.5, rng))


def test_a_peak_counts_against_what_scatters():
    votes = np.zeros((4, DEFAULT.scale_steps))
    votes[0, 14] = 5.0
    votes[1] = 2.0  # many votes for no scale in particular
    votes[1, 3] = 6.0
    votes[3, 20:22] = 3.0
    best = ranked(votes, 3)
    assert [(each.reference, each.step) for each in best] == [
        (0, 14.0 + DEFAULT.scale_lowest_step),
        (3, 20.0 + DEFAULT.scale_lowest_step),
        (1, 3.0 + DEFAULT.scale_lowest_step),
    ]
    assert best[0].weight == pytest.approx(5.0 / np.sqrt(5.0))
    assert best[1].weight == pytest.approx(4.5 / np.sqrt(6.0))


def test_votes_and_agreement_take_turns():
    votes = [Vote(row, 0.0, 9.0 - row) for row in range(5)]
    order = in_turn(votes, np.array([0.0, 0.1, 0.0, 0.3, 0.2]))
    assert [each.reference for each in order] == [0, 3, 1, 4, 2]
    assert in_turn([], np.empty(0)) == []


@pytest.mark.slow
def test_matches_of_the_right_reference_agree_best(collection: Collection):
    index = collection.index()
    clouds = [cloud_of(collection.signature(row)) for row in range(len(SEEDS))]
    for row in (0, 2, 5):
        queried = half(SEEDS[row], scaled=True)
        query = query_of_sample(sample_surface(queried.vertices_mm, queried.faces))
        found = look_up(query, collection, DEFAULT)
        votes = sorted(ranked(count_votes(index, found), len(SEEDS)), key=lambda vote: vote.reference)
        agreed = agreement(index, found, votes, query.cloud, [clouds[vote.reference] for vote in votes])
        assert votes[int(np.argmax(agreed))].reference == row


@pytest.mark.parametrize("most", [8, 0])
@pytest.mark.slow
def test_the_second_round_finds_what_the_first_has_not_tried(collection: Collection, most: int):
    second = replace(
        DEFAULT, candidates_by_votes=0, candidates_by_whole=0, candidates_by_votes_at_most=most, rescaled=0
    )
    found = identify(half(SEEDS[6]), collection, parameters=second)
    assert found.provenance.parameters["candidates_by_votes_at_most"] == most
    assert [each.name for each in found.accepted] == ([f"solid {SEEDS[6]}"] if most else [])
    assert len({each.row for each in found.candidates}) == len(found.candidates)


@pytest.mark.slow
def test_a_wrongly_voted_scale_is_mended(collection: Collection, monkeypatch):
    found = identify(half(SEEDS[6]), collection)
    assert found.accepted[0].name == f"solid {SEEDS[6]}"
    for off in (-4.0, 4.0):
        monkeypatch.setattr(
            shortlist,
            "ranked",
            lambda *given, off=off: [Vote(v.reference, v.step + off, v.weight) for v in ranked(*given)],
        )
        again = identify(half(SEEDS[6]), collection)
        assert again.accepted[0].name == f"solid {SEEDS[6]}"
        assert again.accepted[0].scale == pytest.approx(found.accepted[0].scale, rel=0.02)
