"""Look-alikes among the references: judged beside a hit, placed by it, and told apart by how far a query strays."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import SimpleNamespace

import manifold3d as m3
import numpy as np
import pytest

from ballistics.printed.collection.collection import Collection
from ballistics.printed.collection.taxonomy import Taxonomy
from ballistics.printed.content.part import Part
from ballistics.printed.describe.cloud import moved
from ballistics.printed.describe.query import Query, cloud_of, query_of_sample, query_of_signature, remainder
from ballistics.printed.describe.sampling import sample_surface
from ballistics.printed.describe.signature import signature_of
from ballistics.printed.identify import search
from ballistics.printed.identify.identification import identify
from ballistics.printed.identify.judgement import fit_candidate
from ballistics.printed.identify.parameters import DEFAULT
from ballistics.printed.identify.pieces import pieces_of
from ballistics.printed.identify.placement import Proposal, RoughPose, propose_beside, settled
from ballistics.printed.identify.search import Question
from ballistics.printed.identify.shortlist import Vote, look_alikes
from ballistics.printed.identify.verdict import Found, accepted_of, in_order, straying_of, tied_of
from ballistics.reports.wording.printed import candidate_sentence, headline, order_sentence, score_sentence
from reference_meshes.disturbances import cut, noise, posed, similarity
from reference_meshes.solids import Mesh, from_manifold, solid

BODY = solid(80_002)
SIZE = float(np.ptp(BODY.vertices, axis=0).max())


def part(mesh: Mesh) -> Part:
    return Part(mesh.vertices, mesh.faces)


def described(mesh: Mesh) -> Query:
    return query_of_sample(sample_surface(mesh.vertices, mesh.faces))


def with_balls() -> Iterator[Mesh]:
    """Yield the body with a ball added at one of its corners or taken away there, each turned and shifted anew."""
    whole = m3.Manifold(m3.Mesh(BODY.vertices.astype(np.float32), BODY.faces.astype(np.uint32)))
    for k, row in enumerate(np.linspace(0, len(BODY.vertices) - 1, 5).astype(int)):
        ball = m3.Manifold.sphere(0.1 * SIZE, 32).translate(BODY.vertices[row].tolist())
        made = from_manifold(whole + ball if k % 2 else whole - ball)
        rng = np.random.Generator(np.random.PCG64([31, k]))
        yield posed(made, similarity(rng, False, False, 20.0))


@pytest.fixture(scope="module")
def variants() -> list[Mesh]:
    return list(with_balls())


@pytest.fixture(scope="module")
def collection(variants: list[Mesh]) -> Collection:
    made = Collection()
    for k, mesh in enumerate(variants):
        made.enrol(signature_of(part(mesh)), f"variant {k}")
    made.enrol(signature_of(part(BODY)), "body")
    for seed in (80_000, 80_001, 80_003):
        made.enrol(signature_of(part(solid(seed))), f"solid {seed}")
    return made


def noisy(mesh: Mesh, seed: int) -> Part:
    rng = np.random.Generator(np.random.PCG64([32, seed]))
    return part(posed(noise(mesh, 0.005, rng), similarity(rng, True, True, 20.0)))


@pytest.mark.slow
def test_what_resembles_a_reference_is_known_from_the_collection(collection: Collection):
    assert sorted(look_alikes(5, collection, DEFAULT)) == [0, 1, 2, 3, 4]
    apart = collection.apart_as_whole(collection.whole()[5])
    found = look_alikes(5, collection, DEFAULT)
    assert list(apart[found]) == sorted(apart[found])
    assert look_alikes(6, collection, DEFAULT) == []
    assert 2 not in look_alikes(5, collection.without(["variant 2"]), DEFAULT)
    nearest = replace(DEFAULT, beside_as_whole=float(apart[found[0]]))
    assert look_alikes(5, collection, nearest) == found[:1]


@pytest.mark.slow
@pytest.mark.parametrize("cut_off", [False, True])
def test_a_look_alike_is_placed_by_the_reference_that_a_query_lies_on(
    collection: Collection, variants: list[Mesh], cut_off: bool
):
    rng = np.random.Generator(np.random.PCG64(33))
    pose = similarity(rng, True, True, 20.0)
    mesh = posed(BODY, pose)
    query = described(cut(mesh, 0.4, rng) if cut_off else mesh)
    onto_body = np.asarray(np.linalg.inv(pose), np.float64)
    alike, signature, cloud = query_of_signature(collection.signature(5)), collection.signature(1), collection.cloud(1)
    proposal = settled(query, cloud, propose_beside(query, onto_body, alike, signature, cloud, 1))
    own = np.random.Generator(np.random.PCG64([31, 1]))
    there = moved(query.cloud.points, similarity(own, False, False, 20.0) @ onto_body)
    found = moved(query.cloud.points, proposal.poses[0].pose)
    assert proposal.vote.reference == 1
    assert np.median(np.linalg.norm(found - there, axis=1)) < 0.02 * SIZE


@pytest.mark.parametrize("row", range(6))
def test_a_query_strays_least_from_its_own_reference(collection: Collection, variants: list[Mesh], row: int):
    mesh = [*variants, BODY][row]
    query = described(noise(mesh, 0.005, np.random.Generator(np.random.PCG64([34, row]))))
    # Every variant was moved by its own similarity: through the body's frame, from each onto each.
    frames = [similarity(np.random.Generator(np.random.PCG64([31, k])), False, False, 20.0) for k in range(5)]
    frames.append(np.eye(4))
    own = np.linalg.inv(frames[row])
    strays = [straying_of(query, collection.cloud(k), frames[k] @ own, DEFAULT) for k in range(6)]
    assert int(np.argmin(strays)) == row
    assert max(strays) <= 2.0**0.5 * (DEFAULT.straying_most - DEFAULT.straying_floor)


@pytest.mark.slow
@pytest.mark.parametrize("row", [0, 3, 5])
def test_the_right_one_of_look_alikes_is_first_although_it_was_not_on_the_shortlist(
    collection: Collection, variants: list[Mesh], row: int
):
    mesh = [*variants, BODY][row]
    name = collection.references[row].name
    # One candidate by the whole surface and one by votes: five of the six are found beside it or not at all.
    few = replace(DEFAULT, candidates_by_whole=1, candidates_by_votes=1, candidates_by_votes_at_most=1)
    found = identify(noisy(mesh, row), collection, parameters=few)
    assert [candidate.name for candidate in found.accepted] == [name]
    assert found.candidates[0].name == name
    strays = [candidate.straying for candidate in found.candidates if not math.isnan(candidate.straying)]
    assert len(strays) > 1
    assert strays == sorted(strays)
    alone = identify(noisy(mesh, row), collection, parameters=replace(few, beside_at_most=0))
    assert len(alone.candidates) < len(found.candidates)


@pytest.mark.slow
def test_every_hit_is_reported_and_no_more_than_asked_for_of_what_is_none(collection: Collection):
    found = identify(noisy(BODY, 7), collection, most=1)
    hits = [candidate for candidate in found.candidates if candidate.fits(found.threshold) and not candidate.is_plain]
    assert len(hits) > 2
    assert len(found.candidates) == len(hits)
    beside = sum(not math.isnan(candidate.straying) for candidate in hits) - 1
    assert f" {beside} other references fit too, less closely." in score_sentence(found.accepted[0], found)
    listed = order_sentence(found)
    assert listed.index("body 0.") < listed.index("variant")
    assert order_sentence(replace(found, candidates=found.candidates[:1])) == ""


def test_of_two_ways_to_lie_the_one_that_strays_least_is_taken():
    whole = m3.Manifold(m3.Mesh(BODY.vertices.astype(np.float32), BODY.faces.astype(np.uint32)))
    # Its own mirror image in the plane x = 0, but for a ball.
    symmetric = whole + whole.mirror([1.0, 0.0, 0.0])
    corner = from_manifold(symmetric).vertices.max(axis=0) * [0.5, 1.0, 0.5]
    mesh = from_manifold(symmetric + m3.Manifold.sphere(0.08 * SIZE, 32).translate(corner.tolist()))
    made = Collection()
    made.enrol(signature_of(part(mesh)), "nearly symmetric")
    parameters = replace(DEFAULT, plain_below_nats=0.0)
    question = Question(described(mesh), 0, None, made, parameters)
    ways = np.diag([-1.0, 1.0, 1.0, 1.0]), np.eye(4)
    proposal = Proposal(Vote(0, 0.0, 1.0), tuple(RoughPose(pose, 0.0, 0.0, 1.0, 1.0) for pose in ways))
    fit = fit_candidate(question.query, made.signature(0), made.cloud(0), 0.0, [ways[0]], parameters)
    hit = search._least_straying(question, Found(0, 0, fit, False, 20.0, parameters), proposal)
    assert fit.mirrored
    assert not hit.fit.mirrored
    assert hit.straying < 0.5 * straying_of(question.query, made.cloud(0), fit.pose, parameters)
    again = search._least_straying(question, hit, proposal)
    assert np.array_equal(again.fit.pose, hit.fit.pose)


@pytest.mark.parametrize(("straying", "is_named"), [(0.0011, False), (0.00109, True), (math.nan, True)])
def test_a_hit_that_a_plain_reference_outdoes_is_not_accepted(collection: Collection, straying: float, is_named: bool):
    query = described(BODY)
    fit = fit_candidate(query, collection.signature(5), collection.cloud(5), 0.0, [np.eye(4)])
    hit = Found(0, 5, fit, False, 20.0, DEFAULT, straying)
    plain = Found(0, 5, fit, False, 10.0, DEFAULT, 0.001)
    elsewhere = replace(plain, component=1, straying=0.0001)
    points = query.cloud.points
    accepted = accepted_of([plain, hit, elsewhere], points, np.zeros(len(points), np.int64), collection)
    assert accepted == ([hit] if is_named else [])


@pytest.mark.slow
def test_what_strays_by_nearly_as_little_is_not_told_apart(collection: Collection):
    near = [Hit(0, 0.9, 0.00100), Hit(1, 0.9, 0.00109), Hit(2, 0.9, 0.00111), Hit(3, 0.9)]
    assert tied_of(near, DEFAULT) == {(0, 0), (0, 1)}
    assert tied_of(near[1:], DEFAULT) == {(0, 1), (0, 2)}
    assert tied_of([near[0], near[2], near[3]], DEFAULT) == set()
    assert tied_of([near[0], replace(near[1], component=1)], DEFAULT) == set()
    assert tied_of([replace(hit, straying=0.0) for hit in near[:2]], DEFAULT) == {(0, 0), (0, 1)}
    found = identify(noisy(BODY, 7), collection)
    first, second, *others = found.candidates
    assert not first.is_tied
    alike = replace(found, candidates=(replace(first, is_tied=True), replace(second, is_tied=True), *others))
    sentence = score_sentence(alike.candidates[0], alike)
    assert sentence.endswith(f"other references fit too; the query does not tell it from “{second.name}”.")
    file = SimpleNamespace(parts=[0])
    assert headline(found, file, 6).startswith("In the collection: 1 reference (1 part")
    accepted = replace(alike, accepted=alike.candidates[:1])
    assert [other.name for other in accepted.tied_with(accepted.accepted[0])] == [second.name]
    told = (
        "In the collection: one of 2 references, which cannot be told apart here (1 part; 6 references were searched)."
    )
    assert headline(accepted, file, 6) == told
    named = candidate_sentence(accepted.accepted[0], Taxonomy.load(), accepted.tied_with(accepted.accepted[0]))
    assert named.startswith("The same geometry as one of these, which cannot be told apart here: ")
    assert named.endswith(f": “{first.name}” or “{second.name}”, mirrored.")
    assert accepted.to_dict()["candidates"][0]["tied_with"] == [second.name]
    plate = replace(accepted, accepted=(*accepted.accepted, others[0]))
    told = "2 references explain parts of it, 1 of them stands for several, which cannot be told"
    assert told in headline(plate, file, 6)


@pytest.mark.slow
def test_copies_of_each_other_are_named_together(collection: Collection):
    twice = Collection()
    for row, name in enumerate(("a", "b", "twice as large")):
        twice.enrol(signature_of(part(Mesh(BODY.vertices * (1 + row // 2), BODY.faces))), name)
    found = identify(part(BODY), twice)
    (hit,) = found.accepted
    assert (hit.name, hit.relation) == ("a", "exact copy")
    assert [other.name for other in found.tied_with(hit)] == ["b"]
    named = candidate_sentence(hit, Taxonomy.load(), found.tied_with(hit))
    assert named == "An exact copy of one of these, which are copies of each other: “a” or “b”."


def test_what_remains_of_a_query_strays_by_its_own_points():
    query = described(BODY)
    assert len(query.fine.points) > 2 * len(query.cloud.points)
    explained = query.cloud.points[:, 0] < np.median(query.cloud.points[:, 0])
    rest = remainder(query, explained, 200)
    assert rest is not None
    assert rest.fine is rest.cloud


@dataclass(frozen=True)
class Hit:
    """What the order of what was found rests on."""

    row: int
    score: float
    straying: float = math.nan
    is_hit: bool = True
    copied: bool = False
    component: int = 0

    @property
    def fit(self) -> Hit:
        return self


def test_look_alikes_take_the_places_that_their_scores_give_them():
    far, near, nearest = Hit(0, 0.99, 0.004), Hit(1, 0.97, 0.002), Hit(2, 0.5, 0.001)
    piece, other, unfit, copy = (
        Hit(3, 0.98),
        Hit(4, 0.9, 0.003, component=1),
        Hit(5, 0.99, is_hit=False),
        Hit(6, 0.2, copied=True),
    )
    ordered = in_order([unfit, near, piece, far, copy, other, nearest])
    assert [hit.row for hit in ordered] == [6, 2, 3, 1, 4, 0, 5]
    assert in_order(ordered[::-1]) == ordered


@pytest.mark.slow
def test_of_a_print_that_stopped_nothing_is_expected_above():
    whole = m3.Manifold(m3.Mesh(BODY.vertices.astype(np.float32), BODY.faces.astype(np.uint32)))
    low, high = (float(edge) for edge in (BODY.vertices[:, 2].min(), BODY.vertices[:, 2].max()))
    stop = low + 0.5 * (high - low)
    begun = from_manifold(whole.trim_by_plane((0.0, 0.0, -1.0), -stop))
    query = pieces_of(Part(begun.vertices, begun.faces, cut_mm=(stop - 0.1, stop + 0.1)), DEFAULT)[0].query(DEFAULT)
    assert query.below_mm == stop - 0.1

    def at(share: float) -> tuple[float, Found]:
        """Return how far it strays from the body with a ball at a height, and what it finds there."""
        heights = np.abs(BODY.vertices[:, 2] - (low + share * (high - low)))
        ball = m3.Manifold.sphere(0.12 * SIZE, 32).translate(BODY.vertices[heights.argmin()].tolist())
        made = signature_of(part(from_manifold(whole + ball)))
        cloud = cloud_of(made)
        fit = fit_candidate(query, made, cloud, 0.0, [np.eye(4)])
        return straying_of(query, cloud, fit.pose, DEFAULT), Found(0, 0, fit, False, 25.0, DEFAULT)

    (above, found), (below, _) = at(1.0), at(0.0)
    assert above < 0.3 * below
    assert found.is_all_expected
    assert not found.is_whole
    # A part that was finished is expected whole.
    finished = replace(query, below_mm=math.inf)
    made = signature_of(part(BODY))
    assert straying_of(finished, cloud_of(made), np.eye(4), DEFAULT) > 3.0 * straying_of(
        query, cloud_of(made), np.eye(4), DEFAULT
    )
