"""Two signatures become a StriationComparison: the similarity, the field's scores, and what was noticed."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ballistics.findings import Finding, one_measurement
from ballistics.frames import data_frame
from ballistics.provenance import Provenance, sha256_of_array
from ballistics.striations.chumbley_score import ChumbleyParameters, ChumbleyResult, chumbley
from ballistics.striations.coarse_lines import CoarseLines, CoarseParameters, coarse_lines, subclass_findings
from ballistics.striations.congruent_segments import CmpsParameters, CmpsResult, cmps
from ballistics.striations.correlation import (
    CorrelationParameters,
    Placement,
    ProfileAgreement,
    correlate,
    resampled,
)
from ballistics.striations.matching_striae import CmsResult, cms
from ballistics.striations.overlay import overlaid, overlay, striae_as_given
from ballistics.striations.signature import Signature, arrangement
from ballistics.striations.wavelengths import Similarity, SimilarityParameters, similarity

if TYPE_CHECKING:
    from pandas import DataFrame

METHOD = "striated marks, evidence of all wavelengths"
VERSION = "3"
_REFERENCES = (
    "doi:10.2307/2983611",
    "doi:10.1016/j.forsciint.2019.109964",
    "doi:10.1214/17-AOAS1080",
    "doi:10.1111/1556-4029.13554",
)
# Lengths in the methods are points of 1.5625 µm; on another grid they are the same lengths.
_POINT_UM = 1.5625
# Two marks of one source correlate in the shortest octave with 0.92 at most (repeated strokes of one screwdriver, 840
# pairs, and cuts of one pair of pliers, 810 pairs), the lands of two Hamby bullets with 0.80. The same scan in another
# format has 0.996 and more; one that was cropped before it was prepared 0.955, and is not told by this.
_COPIES = 0.97


@dataclass(frozen=True)
class StriationParameters:
    """Everything that can change a number of a comparison.

    Parameters
    ----------
    correlation : CorrelationParameters
    similarity : SimilarityParameters
    cmps : CmpsParameters
        Lengths in points of 1.5625 µm.
    coarse : CoarseParameters
        What counts coarse lines apart.
    stria_smoothing_points : int
        Of CMS; likewise.
    validation_points : int
        Windows of the Chumbley score; likewise. Its matching window is a third of the shorter signature.
    other_ways : bool
        Whether the second mark is also tried turned by 180°, as a cast, and both.
    other_way_nats : float
        What such a way must reach to be reported. Of unrelated marks one of three more ways often agrees better than
        the one as scanned; this is twice the 17 nats that unrelated lands of 36 cross-cuts reach.
    """

    correlation: CorrelationParameters = field(default_factory=CorrelationParameters)
    similarity: SimilarityParameters = field(default_factory=SimilarityParameters)
    cmps: CmpsParameters = field(default_factory=CmpsParameters)
    coarse: CoarseParameters = field(default_factory=CoarseParameters)
    stria_smoothing_points: int = 25
    validation_points: int = 50
    other_ways: bool = True
    other_way_nats: float = 35.0


@dataclass(frozen=True)
class StriationComparison:
    """The comparison of two striated marks, with everything an examiner needs to check it.

    Parameters
    ----------
    mark_kind : str
        The kind of both marks.
    similarity : Similarity or None
        How alike they are, from all wavelengths; its score is the score of the comparison.
    correlation : ProfileAgreement or None
        Best masked correlation over all lags.
    a_in_b, b_in_a : CmpsResult or None
        Congruent segments of A on B, and of B on A.
    striae : CmsResult or None
        Matching striae at the placement of the similarity, in points of `overlay` of A and B there.
    chumbley : ChumbleyResult or None
    coarse : CoarseLines or None
        Coarse lines for themselves, and fine ones where the coarse ones lie. None where a mark lacks either.
    insufficient : str or None
        Why no comparison can be stated; None when it can.
    findings : tuple of Finding
        What was noticed while comparing.
    provenance : Provenance or None
        Hashes of both signatures, method, parameters, versions.
    """

    mark_kind: str
    similarity: Similarity | None = None
    correlation: ProfileAgreement | None = None
    a_in_b: CmpsResult | None = None
    b_in_a: CmpsResult | None = None
    striae: CmsResult | None = None
    chumbley: ChumbleyResult | None = None
    coarse: CoarseLines | None = None
    insufficient: str | None = None
    findings: tuple[Finding, ...] = ()
    provenance: Provenance | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return scores and place as plain values; `ballistics compare --json` writes everything."""
        agreement, placement = self.correlation, self.placement
        return {
            "mark_kind": self.mark_kind,
            "insufficient": self.insufficient,
            "similarity_nats": None if self.similarity is None else self.similarity.score,
            "correlation": None if agreement is None or agreement.insufficient else agreement.correlation,
            "cmps": self.cmps_count,
            "cms": None if self.striae is None else self.striae.cms,
            "chumbley": None if self.chumbley is None or self.chumbley.insufficient else self.chumbley.score,
            "lag_um": None if placement is None else placement.lag_um,
            "stretch": None if placement is None else placement.stretch,
            "findings": " ".join(finding.code for finding in self.findings),
        }

    def to_frame(self) -> DataFrame:
        """Return the same as a data frame of one row, to be put below others; needs the extra ``tables``."""
        return data_frame([self.to_dict()])

    def __repr__(self) -> str:
        if self.insufficient is not None:
            return f"<StriationComparison: {self.mark_kind}, insufficient: {self.insufficient}>"
        found = self.to_dict()
        correlation = "none" if found["correlation"] is None else f"{found['correlation']:.3f}"
        return (
            f"<StriationComparison: {self.mark_kind}, similarity {self.score:.0f} nats, CMPS {self.cmps_count}, "
            f"correlation {correlation}>"
        )

    @property
    def score(self) -> float:
        """The similarity in nats; NaN when insufficient."""
        return math.nan if self.similarity is None else self.similarity.score

    @property
    def placement(self) -> Placement | None:
        """How B lies on A."""
        return None if self.similarity is None else self.similarity.placement

    @property
    def cmps_count(self) -> int | None:
        """Congruent segments, of the direction that has fewer."""
        if self.a_in_b is None or self.b_in_a is None:
            return None
        return min(self.a_in_b.count, self.b_in_a.count)


def compare_signatures(
    a: Signature, b: Signature, parameters: StriationParameters | None = None
) -> StriationComparison:
    """Compare two striated marks.

    Parameters
    ----------
    a, b : Signature
        Of one kind; spacings may differ.
    parameters : StriationParameters, optional

    Returns
    -------
    StriationComparison
        Every score is the same, to the last bit, when the marks are exchanged or both scans are turned by 180°.

    Examples
    --------
    >>> import numpy as np
    >>> x, noise = np.random.default_rng(1).normal(size=(2, 800))
    >>> x = np.cumsum(x) * 0.1
    >>> found = compare_signatures(Signature(x, 1.5625), Signature((x + 0.05 * noise)[50:], 1.5625))
    >>> found.score > 500, found.cmps_count > 8, found.findings
    (True, True, ())
    """
    p = parameters or StriationParameters()
    provenance = Provenance(
        METHOD,
        VERSION,
        asdict(p),
        {"a": sha256_of_array(a.heights_um), "b": sha256_of_array(b.heights_um)},
        _REFERENCES,
    )
    nothing = StriationComparison(a.kind, provenance=provenance)
    if a.kind != b.kind:
        return replace(nothing, insufficient=f"a {a.kind} and a {b.kind} are different marks: not comparable")
    for name, signature in (("first", a), ("second", b)):
        if signature.insufficient:
            return replace(nothing, insufficient=f"the {name} mark: {signature.insufficient}")
    alike = similarity(a, b, p.similarity)
    if alike.insufficient or alike.placement is None:
        return replace(nothing, similarity=alike, insufficient=alike.insufficient)
    # The scores that know an order, or a direction, are computed in the one that all four ways of asking share.
    way = arrangement(a.heights_um, b.heights_um)
    spacing = max(a.spacing_um, b.spacing_um)
    own = (b.spacing_um, a.spacing_um) if way.swapped else (a.spacing_um, b.spacing_um)
    x, y = (resampled(v, s, spacing) for v, s in zip(way.apply(a.heights_um, b.heights_um), own, strict=True))
    scaled = replace(
        p.cmps,
        segment_points=max(4, round(p.cmps.segment_points * _POINT_UM / spacing)),
        tolerance_points=round(p.cmps.tolerance_points * _POINT_UM / spacing),
    )
    x_in_y, y_in_x = cmps(x, y, scaled), cmps(y, x, scaled)
    on_axis = overlaid(x, y, alike.placement.seen(way), spacing)
    matching = cms(on_axis.a_um, on_axis.b_um, max(1, round(p.stria_smoothing_points * _POINT_UM / spacing)))
    given = overlay(a, b, alike.placement)
    matching = replace(matching, striae=striae_as_given(matching.striae, on_axis, given, alike.placement, way))
    window = max(3, min(len(x), len(y)) // 3)
    rank = chumbley(x, y, ChumbleyParameters(window, max(3, round(p.validation_points * _POINT_UM / spacing))))
    coarse = coarse_lines(a, b, p.similarity, p.coarse)
    return StriationComparison(
        a.kind,
        alike,
        correlate(a, b, p.correlation),
        y_in_x if way.swapped else x_in_y,
        x_in_y if way.swapped else y_in_x,
        matching,
        rank,
        coarse,
        None,
        # Marks the wrong way round to each other tell nothing by their coarse lines.
        _copied(alike) or (_other_ways(a, b, alike, p) if p.other_ways else ()) or subclass_findings(coarse),
        provenance,
    )


def _copied(alike: Similarity) -> tuple[Finding, ...]:
    """Say whether the two marks are one measurement and its copy."""
    if not alike.octaves:
        return ()
    shortest = alike.octaves[0]
    found = one_measurement(shortest.shortest_um, shortest.longest_um, shortest.correlation, _COPIES)
    return () if found is None else (found,)


def _other_ways(a: Signature, b: Signature, alike: Similarity, p: StriationParameters) -> tuple[Finding, ...]:
    """Report a better agreement with the second mark turned, or as a cast; it is never taken for the score."""
    cast = replace(b, heights_um=-b.heights_um)
    ways = (
        ("turned by 180°", "mark-turned", b.reversed()),
        ("with heights inverted, as on a cast", "mark-inverted", cast),
        ("mirrored, as on a cast turned by 180°", "mark-mirrored", cast.reversed()),
    )
    again = [(similarity(a, other, p.similarity).score, words, code) for words, code, other in ways]
    better = [way for way in again if way[0] > max(alike.score + math.log(1000.0), p.other_way_nats)]
    if not better:
        return ()
    # Of a mark turned by 180°, a little also agrees as a cast: only the way that agrees best is of use.
    score, words, code = max(better)
    return (
        Finding(
            code,
            "serious",
            f"the second mark agrees better {words}: {score:.0f} nats instead of {alike.score:.0f}",
            "nothing: the score is that of the marks as scanned; check the direction of the scans",
        ),
    )
