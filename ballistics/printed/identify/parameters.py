"""Every number that can change an identification, in one frozen object that its provenance records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from ballistics.errors import ParameterError
from ballistics.printed.collection.collection import ALIKE_AS_WHOLE
from ballistics.printed.describe.cloud import DEFAULT_SURFACE, SurfaceParameters
from ballistics.printed.describe.descriptors import SIGNATURE_STEPS
from ballistics.printed.describe.plainness import PLAIN_WORTH
from ballistics.printed.describe.query import QUERY_KEYPOINTS


@dataclass(frozen=True)
class IdentificationParameters:
    """What an identification depends on beside the query, the collection and the files that ship with the package.

    Lengths are shares of the reference's size, at the scale found, unless they are named otherwise. Where no source is
    given, a number is a bound of the work chosen on the development half of the public meshes (hash with an even last
    digit but one) and generated solids of seeds from 60 000; no number was chosen on what the benchmarks report.

    Parameters
    ----------
    body_least_share : float
        *Describe.* Bodies with less of the query's surface are searched only together with the rest.
    bodies_at_most : int
        Bodies that are searched each for itself, the largest.
    fragments_above : int
        A part of more connected pieces is a cloud of fragments, one body.
    query_keypoints : int
        Keypoints of a query; fewer than of a signature, at three times as many radii.
    remainder_least_points : int
        Fewer points of a query that are not explained are not searched again.
    neighbours : int
        *Shortlist.* Stored descriptors that are looked up for each of the query.
    cells_searched : int
        Cells of the inverted file that are looked into.
    vote_floor : float
        Squared distance, in squared standard deviations of a descriptor under disturbances, below which a descriptor is
        no nearer: two of one place, both disturbed, are so far apart.
    vote_doubling_steps : float
        Steps of 2^(-1/6) in radius by which a vote doubles: a small ball is cut off or built over least.
    scale_lowest_step, scale_steps : int
        Scales that are counted: their logarithm in steps of 2^(1/6), from a radius ratio of 2^-2.33 to 2^2.17.
    candidates_reordered : int
        References whose order by votes is mended by whether their matches agree in geometry.
    agreement_matches : int
        Matches of a reference, the heaviest, whose distances from each other are compared.
    agreement_tolerance_share, agreement_shortest_share, agreement_slack : float
        Two distances agree within the first, plus this slack of their length; shorter ones are not compared.
    candidates_by_whole : int
        References that are tried in the order of the descriptors of the whole surface.
    registered_by_whole : int
        Those of them that are finely registered.
    alike_as_whole : float
        Squared distance of whole descriptors, in stored steps over all radii, up to which two surfaces are alike.
    beside_as_whole : float
        Squared distance of whole descriptors up to which a reference looks like a hit and is judged beside it. Of 10
        generated solids and 16 variants of each 91 % of pairs are no further apart: this and what else is said of
        look-alikes is printed by `benchmarks.training.printed_look_alikes` (seeds from 360 000).
    beside_at_most : int
        References that are judged beside one hit.
    beside_draws : int
        Pairs of matches drawn to bring one reference onto another; as `consensus_draws`.
    candidates_by_votes, registered_by_votes : int
        References that are tried in the order of votes, and those of them that are finely registered.
    candidates_by_votes_at_most, settled_at_most, registered_at_most : int
        The same when no decisive hit was found: tried, roughly registered, finely registered.
    placements_at_most : int
        References that all bodies of a query together are placed on beyond the first, which each body has; a query of
        one body never needs more. What was cut off is told in a finding.
    rescaled, rescaled_steps : int, float
        The first references that are also tried this many steps of 2^(1/6) off the voted scale, to both sides: the
        consensus reaches two steps further. Of noise, coarse facets and cut rims the votes may be for a wrong scale.
    matched_keypoints : int
        *Place.* Keypoints of the query that are matched with a reference.
    few_radii : int
        Equal radii that are matched, the smallest, beside a trial with all: cuts and added material spoil the small
        ones least, noise and coarse facets the large ones. `benchmarks.training.printed_place` shows no difference
        between numbers.
    matches_per_keypoint : int
        Keypoints of the reference that one of the query is matched with.
    match_distance_at_most : float
        Squared distance of descriptors, in squared standard deviations, above which none is counted: a radius at which
        the surroundings are cut off must not outweigh the others.
    usual_stride, usual_rank : int
        A match weighs what it is nearer than usual; usual is the nearest one in ``usual_rank`` of every
        ``usual_stride``-th keypoint.
    matches_at_least : int
        Fewer matches propose no pose.
    consensus_draws, consensus_thirds, consensus_seed : int
        Pairs of matches drawn, third matches tried with each, and the seed of the draws (random sample consensus,
        doi:10.1145/358669.358692).
    consensus_distance_share, consensus_cosine, consensus_side_share : float
        A match follows a similarity within this distance and with this cosine of its normals; shortest side of a
        triangle that proposes one.
    consensus_scale_slack : float
        Ratio to the voted scale up to which a similarity is taken; votes are in steps of 12 %, smoothed over three.
    poses_proposed, poses_measured, poses_settled : int
        Similarities of a reference whose coverage is roughly measured, those measured better, and those finely
        registered.
    axes_registered, axes_points : int
        Ways to bring principal axes onto principal axes that are registered from afar, and the points for it. Coarse
        facets turn the axes, and a round part has none across its own.
    axes_reach_share, axes_last_reach_share, axes_rounds : float, float, int
        First and last reach of that registration, and its rounds.
    rough_points, coarse_points : int
        First of the even points on which coverage is measured roughly, and better.
    settled_points, settled_rounds : int
        Points and rounds of the rough registration: similarities of a few keypoints are a few percent off.
    registered_points, registered_rounds : int
        Points and rounds of the fine registration.
    reach_share, last_reach_share, last_reach_spacings : float
        First and last reach of both registrations; at least the latter, in spacings of the points.
    distinct_points, distinct_share : int, float
        Two poses are one when this many points come to places no further apart.
    tolerances_share_of_size : tuple of float
        *Judge.* Deviations up to which a point counts as explained, rising; coverage is the mean over them.
    reported_tolerance : int
        Which of them the reported shares are about.
    surface_cosine : float
        Least cosine of the normals of two surfaces of which one covers the other (0.8: 37°).
    places : int
        First keypoints of the reference at which descriptors are compared.
    agreement_least_places : int
        Fewer places say nothing of agreement.
    detail_least_keypoints : int
        As many keypoints or fewer say nothing of detail.
    straying_floor, straying_most : float
        Shares of the query's size: deviations are counted from the first to the second where hits are told apart, see
        `ballistics.printed.identify.verdict.straying_of`. Of 40 disturbed solids among 16 variants each, placed
        where they belong, the right one came first for 28 by the score and 37 by this.
    told_apart : float
        Ratio of strayings from which two look-alikes are told apart. Of the same 40 queries the first was right in
        all 26 with the second this much further, and in 11 of 14 with a nearer second.
    threshold : float
        *Verdict.* Score from which a candidate is taken. Of 340 unrelated development queries, cross-validated, one
        reached it (0.47), the next had 0.26; of look-alikes, new solids of a family of which the collection holds
        others, 28 % did.
    decisive : float
        Score from which the search is not widened: far above what unrelated shapes reach.
    whole_share : float
        Share of each surface on the other from which they are the same whole.
    plain_below_nats : float
        Worth below which what two bodies share is too plain, see `ballistics.printed.describe.plainness`.
    unknown_from_share : float
        A query worth less than this share of it is not called unknown although nothing fits: disturbed, its own
        reference may not either.
    new_share : float
        Share of the points that an accepted candidate explains which no better one may explain.
    explained_tolerances : float
        Points within this many of the largest tolerance are taken away before the rest is searched.
    rest_share, rounds : float, int
        Smaller rests are not searched, and so often at most.
    usual_scale : float
        A hit that is larger than its reference by more than this factor, or smaller, is cautioned against: disguises
        in the benchmarks are scaled by 0.5 to 2.
    relation_share : float
        Share of a surface from which it is called explained in `Candidate.relation`.
    surface : SurfaceParameters
        How the surface between even points is understood.

    Raises
    ------
    ParameterError
        A number is negative or not finite, the tolerances do not rise, or ``reported_tolerance`` is none of them.

    Examples
    --------
    >>> from dataclasses import replace
    >>> replace(IdentificationParameters(), threshold=0.5).recorded()["threshold"]
    0.5
    """

    body_least_share: float = 0.01
    bodies_at_most: int = 40
    fragments_above: int = 400
    query_keypoints: int = QUERY_KEYPOINTS
    remainder_least_points: int = 200

    neighbours: int = 60
    cells_searched: int = 4
    vote_floor: float = 2.0
    vote_doubling_steps: float = 12.0
    scale_lowest_step: int = -14
    scale_steps: int = 28
    candidates_reordered: int = 300
    agreement_matches: int = 200
    agreement_tolerance_share: float = 0.03
    agreement_shortest_share: float = 0.06
    agreement_slack: float = 0.1
    candidates_by_whole: int = 12
    registered_by_whole: int = 4
    alike_as_whole: float = ALIKE_AS_WHOLE
    beside_as_whole: float = 12_000.0
    beside_at_most: int = 24
    beside_draws: int = 2000
    candidates_by_votes: int = 12
    registered_by_votes: int = 8
    candidates_by_votes_at_most: int = 180
    settled_at_most: int = 90
    registered_at_most: int = 60
    placements_at_most: int = 800
    rescaled: int = 15
    rescaled_steps: float = 3.0

    matched_keypoints: int = 500
    few_radii: int = 2
    matches_per_keypoint: int = 3
    match_distance_at_most: float = 60.0
    usual_stride: int = 7
    usual_rank: int = 20
    matches_at_least: int = 6
    consensus_draws: int = 20_000
    consensus_thirds: int = 5
    consensus_seed: int = 6
    consensus_distance_share: float = 0.03
    consensus_cosine: float = 0.75
    consensus_side_share: float = 0.06
    consensus_scale_slack: float = 1.26
    poses_proposed: int = 20
    poses_measured: int = 5
    poses_settled: int = 2
    axes_registered: int = 16
    axes_points: int = 150
    axes_reach_share: float = 0.15
    axes_last_reach_share: float = 0.04
    axes_rounds: int = 5
    rough_points: int = 200
    coarse_points: int = 700
    settled_points: int = 300
    settled_rounds: int = 4
    registered_points: int = 1500
    registered_rounds: int = 9
    reach_share: float = 0.04
    last_reach_share: float = 0.012
    last_reach_spacings: float = 0.75
    distinct_points: int = 20
    distinct_share: float = 0.01

    tolerances_share_of_size: tuple[float, ...] = (0.006, 0.01, 0.015, 0.025)
    reported_tolerance: int = 2
    surface_cosine: float = 0.8
    places: int = 300
    agreement_least_places: int = 20
    detail_least_keypoints: int = 30
    straying_floor: float = 0.006
    straying_most: float = 0.04
    told_apart: float = 1.1

    threshold: float = 0.4
    decisive: float = 0.95
    whole_share: float = 0.85
    plain_below_nats: float = PLAIN_WORTH
    unknown_from_share: float = 0.5
    new_share: float = 0.5
    explained_tolerances: float = 1.5
    rest_share: float = 0.12
    rounds: int = 12
    usual_scale: float = 5.0
    relation_share: float = 0.85

    surface: SurfaceParameters = DEFAULT_SURFACE

    def __post_init__(self) -> None:
        """Refuse what no search can be made with."""
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, int | float) and field.name != "scale_lowest_step" and not 0 <= value < float("inf"):
                raise ParameterError(f"{field.name} is {value}; give a number that is not negative")
        tolerances = self.tolerances_share_of_size
        if not tolerances or min(tolerances) <= 0 or list(tolerances) != sorted(tolerances):
            raise ParameterError(f"tolerances_share_of_size are {tolerances}; give positive shares that rise")
        if self.reported_tolerance >= len(tolerances):
            raise ParameterError(f"reported_tolerance is {self.reported_tolerance}; there are {len(tolerances)}")
        for name in (
            "usual_stride",
            "usual_rank",
            "scale_steps",
            "few_radii",
            "neighbours",
            "cells_searched",
            "rounds",
        ):
            if getattr(self, name) < 1:
                raise ParameterError(f"{name} is {getattr(self, name)}; give at least 1")

    @property
    def both_radii(self) -> tuple[int, int]:
        """Numbers of equal radii that the first candidates are matched at."""
        return self.few_radii, len(SIGNATURE_STEPS)

    @property
    def largest_tolerance(self) -> float:
        """Of the tolerances, as a share of the size."""
        return self.tolerances_share_of_size[-1]

    def recorded(self) -> Mapping[str, Any]:
        """Return all numbers by name, as the provenance holds them."""
        found = asdict(self)
        surface = found.pop("surface")
        return {**found, **surface}


#: The parameters of the published figures.
DEFAULT = IdentificationParameters()
