"""The one registry: kind of mark -> how it is prepared, compared and scored, and its parameters.

Rooms that work with marks of any kind (pairs, library, search, evidence, studies, the command line) ask `method_of`,
and call nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from ballistics.comparison import Comparison, PairScore, Score
from ballistics.errors import ParameterError
from ballistics.findings import Finding
from ballistics.impressions import HEADLINE_RULE, ImpressionComparison, MarkParameters, parameters_of, with_settings
from ballistics.impressions import compare as compare_impressions
from ballistics.provenance import Provenance, sha256_of_array
from ballistics.settings import differences, numbers, with_numbers
from ballistics.striations import (
    STRIATED_BANDS_UM,
    BulletComparison,
    LandParameters,
    Signature,
    StriatedMarkParameters,
    StriationComparison,
    StriationParameters,
    compare_signatures,
    land_of,
    signature_of,
    striated_mark,
    striated_mark_of,
)
from ballistics.surfaces import (
    PREPARATION,
    PREPARATION_VERSION,
    GivenRegion,
    Mark,
    Surface,
    given_mask,
    mark_type,
    unalike,
)
from ballistics.surfaces import prepare as prepare_impression

__all__ = [
    "BULLET",
    "Bullets",
    "Family",
    "Impressed",
    "Method",
    "ScoredBullets",
    "Striated",
    "StriatedParameters",
    "compare",
    "mark_kinds",
    "method_of",
    "pair_score",
    "prepare",
    "scored_as",
]

Region = GivenRegion | NDArray[np.bool_] | str | int
Family = Literal["impressed", "striated"]
# What `--set` names so is of the preparation; all other names are of the comparison.
_OF_PREPARATION = "preparation."


class Method(Protocol):
    """How marks of one kind are prepared, compared and scored."""

    @property
    def kind(self) -> str:
        """The kind of mark."""
        ...

    @property
    def family(self) -> Family:
        """Whether its comparisons are of impressions or of striae: what a report shows depends on it."""
        ...

    @property
    def score_texts(self) -> Mapping[Score, str]:
        """What each score is, the first first; it stands in the conditions of reference populations."""
        ...

    @property
    def score_names(self) -> Mapping[Score, str]:
        """What tables and figures call each score."""
        ...

    def parameters(self, surface_kind: str = "topography", settings: Mapping[str, str] | None = None) -> Any:
        """Return the parameters of this kind, with some numbers changed; None when such surfaces are not compared."""
        ...

    def preparation(self, parameters: Any = None) -> Provenance:
        """Return method, version and parameters of the preparation, without inputs."""
        ...

    def prepare(self, surface: Surface, region: Region | None = None, parameters: Any = None) -> Mark:
        """Prepare the mark of a surface.

        Parameters
        ----------
        surface : Surface
            The scan.
        region : GivenRegion, ndarray of bool, str or int, optional
            Where the mark is: a mask of the surface's shape, or a label of the scan's own mask; found when None.
        parameters : object, optional
            From `parameters`; the usual ones when None.

        Returns
        -------
        Mark
            Insufficient, with the reason, where the scan does not show such a mark.
        """
        ...

    def compare(self, a: Mark, b: Mark, parameters: Any = None) -> Comparison:
        """Compare two marks; exchanged marks give the same scores.

        Parameters
        ----------
        a, b : Mark
            Prepared by this method.
        parameters : object, optional
            From `parameters`; the usual ones when None.

        Returns
        -------
        Comparison
            Insufficient, with the reason, where the marks cannot be compared.
        """
        ...

    def comparison(self, parameters: Any = None) -> Provenance:
        """Return method, version and parameters of a comparison, without inputs."""
        ...

    def scores(self, comparison: Any) -> PairScore:
        """Return the scores of a comparison; an insufficient one has none, and says why."""
        ...


@dataclass(frozen=True)
class Impressed:
    """Method of one kind of impressed mark."""

    kind: str
    family: Family = "impressed"
    score_texts: Mapping[Score, str] = field(
        default_factory=lambda: {
            "similarity": "similarity of the whole marks in nats, over their common area",
            "count": "congruent matching cells by the significance rule, smaller of two directions",
            "correlation": "areal correlation of the whole marks (ACCF)",
        }
    )
    score_names: Mapping[Score, str] = field(
        default_factory=lambda: {
            "similarity": "similarity (nats)",
            "count": "congruent cells",
            "correlation": "correlation (ACCF)",
        }
    )

    def parameters(
        self, surface_kind: str = "topography", settings: Mapping[str, str] | None = None
    ) -> MarkParameters | None:
        """Return the parameters of this kind, with some numbers changed; None when such surfaces are not compared."""
        usual = parameters_of(_nothing(self.kind, surface_kind))
        return usual if usual is None or not settings else with_settings(usual, settings)

    def preparation(self, parameters: Any = None) -> Provenance:
        """Return method, version and parameters of the preparation, without inputs."""
        return Provenance(PREPARATION, PREPARATION_VERSION, asdict(mark_type(self.kind)))

    def prepare(self, surface: Surface, region: Region | None = None, parameters: Any = None) -> Mark:
        """Prepare the mark of a surface; parameters of a comparison change nothing here.

        Parameters
        ----------
        surface : Surface
            The scan.
        region : GivenRegion, ndarray of bool, str or int, optional
            Where the mark is, as of `ballistics.surfaces.prepare`; found when None.
        parameters : object, optional
            Not used.

        Returns
        -------
        Mark
        """
        return prepare_impression(surface, self.kind, region)

    def compare(self, a: Mark, b: Mark, parameters: MarkParameters | None = None) -> ImpressionComparison:
        """Compare two marks; exchanged marks give the same scores.

        Parameters
        ----------
        a, b : Mark
            Prepared by this method.
        parameters : MarkParameters, optional
            From `parameters`; the usual ones when None.

        Returns
        -------
        ImpressionComparison
        """
        return compare_impressions(a, b, parameters)

    def comparison(self, parameters: MarkParameters | None = None) -> Provenance:
        """Return method, version and parameters of a comparison, without inputs."""
        nothing = _nothing(self.kind)
        return _without_inputs(self.compare(nothing, nothing, parameters))

    def scores(self, comparison: ImpressionComparison) -> PairScore:
        """Return the scores of a comparison.

        Raises
        ------
        ParameterError
            When it has no similarity, or no verdict of the headline rule.
        """
        if comparison.insufficient is not None:
            return PairScore(None, None, None, None, None, comparison.insufficient)
        rule, a_in_b, b_in_a = comparison.rules.get(HEADLINE_RULE), comparison.a_in_b, comparison.b_in_a
        if rule is None or a_in_b is None or b_in_a is None:
            raise ParameterError(f"the comparison has no result of the {HEADLINE_RULE} rule: compare the marks again")
        alike = comparison.similarity
        if alike is None:
            raise ParameterError("the comparison has no similarity: compare the marks again")
        count, cells = _fewer((rule.a_in_b.count, a_in_b.n_cells), (rule.b_in_a.count, b_in_a.n_cells))
        area_mm2 = float(comparison.overlap_um2) * 1e-6
        return PairScore(int(count), int(cells), float(comparison.accf), float(alike.score), area_mm2)


@dataclass(frozen=True)
class StriatedParameters:
    """All numbers of one kind of striated mark.

    Parameters
    ----------
    preparation : LandParameters or StriatedMarkParameters
        From the scan to the mark; in settings with ``preparation.`` before their names.
    comparison : StriationParameters
    """

    preparation: LandParameters | StriatedMarkParameters
    comparison: StriationParameters = field(default_factory=StriationParameters)


@dataclass(frozen=True)
class Striated:
    """Method of one kind of striated mark."""

    kind: str
    family: Family = "striated"
    score_texts: Mapping[Score, str] = field(
        default_factory=lambda: {
            "similarity": "similarity of the signatures in nats, over their common length",
            "count": "congruent matching profile segments (CMPS), smaller of two directions",
            "correlation": "correlation of the signatures at the best lag",
        }
    )
    score_names: Mapping[Score, str] = field(
        default_factory=lambda: {
            "similarity": "similarity (nats)",
            "count": "congruent segments (CMPS)",
            "correlation": "correlation of the signatures",
        }
    )

    def parameters(
        self, surface_kind: str = "topography", settings: Mapping[str, str] | None = None
    ) -> StriatedParameters | None:
        """Return the parameters of this kind, with some numbers changed; None when such surfaces are not compared."""
        if surface_kind != "topography":
            return None
        usual = StriatedParameters(LandParameters() if self._is_land else StriatedMarkParameters())
        given = settings or {}
        of_scan = {n.removeprefix(_OF_PREPARATION): v for n, v in given.items() if n.startswith(_OF_PREPARATION)}
        others = {n: v for n, v in given.items() if not n.startswith(_OF_PREPARATION)}
        return StriatedParameters(with_numbers(usual.preparation, of_scan), with_numbers(usual.comparison, others))

    @property
    def _is_land(self) -> bool:
        return self.kind not in STRIATED_BANDS_UM

    def _used(self, parameters: StriatedParameters | None) -> StriatedParameters:
        used = parameters or self.parameters()
        assert used is not None
        return used

    def _band_um(self, p: StriatedParameters) -> tuple[float, float]:
        return p.preparation.band_um or STRIATED_BANDS_UM[self.kind]

    def preparation(self, parameters: StriatedParameters | None = None) -> Provenance:
        """Return method, version and parameters of the preparation, without inputs."""
        nothing = Surface(np.full((1, 1), np.nan), (1.0, 1.0))
        provenance = self.prepare(nothing, None, parameters).provenance
        assert provenance is not None
        return replace(provenance, inputs={})

    def prepare(
        self, surface: Surface, region: Region | None = None, parameters: StriatedParameters | None = None
    ) -> Mark:
        """Prepare the mark of a surface; insufficient, with the reason, where it shows nothing of the kind.

        Parameters
        ----------
        surface : Surface
            The scan; a topography.
        region : GivenRegion, ndarray of bool, str or int, optional
            Where the mark is: a mask of the surface's shape, or a label of the scan's own mask; found when None.
        parameters : StriatedParameters, optional
            Of them those of the preparation; the usual ones when None.

        Returns
        -------
        Mark
        """
        p = self._used(parameters).preparation
        mask = None
        if isinstance(region, GivenRegion):
            said = f"the region was given: {region.source}"
            given = Finding("region-given", "note", said, "taken as the region")
            surface = replace(surface, findings=(*surface.findings, given))
            mask = given_mask(surface, region.mask)
        elif region is not None:
            mask = given_mask(surface, region)
        if isinstance(p, StriatedMarkParameters):
            return striated_mark(surface, striated_mark_of(surface, self.kind, mask, p))
        if mask is None:
            return striated_mark(surface, land_of(surface, p))
        rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
        part = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
        cut = replace(surface, heights_um=np.ascontiguousarray(np.where(mask, surface.heights_um, np.nan)[part]))
        mark = striated_mark(cut, land_of(cut, p))
        whole = np.zeros(mask.shape, np.bool_)
        whole[part] = False if mark.region is None else mark.region
        origin_um = rows[0] * surface.spacing_um[0], columns[0] * surface.spacing_um[1]
        return replace(mark, region=whole, origin_um=(float(origin_um[0]), float(origin_um[1])))

    def signature(self, mark: Mark, parameters: StriatedParameters | None = None) -> Signature:
        """Return the signature of a mark, with the band that it was prepared with."""
        return signature_of(mark, self._band_um(self._used(parameters)))

    def compare(self, a: Mark, b: Mark, parameters: StriatedParameters | None = None) -> StriationComparison:
        """Compare two marks; exchanged marks give the same scores.

        Parameters
        ----------
        a, b : Mark
            Prepared by this method.
        parameters : StriatedParameters, optional
            From `parameters`; the usual ones when None.

        Returns
        -------
        StriationComparison
            Other parameters than the usual ones, and marks that were not prepared alike, are findings.
        """
        p, usual = self._used(parameters), self._used(None)
        found = compare_signatures(self.signature(a, p), self.signature(b, p), p.comparison)
        reason = found.insufficient or self._incomparable(a, b)
        if reason is not None and a.kind == b.kind:
            for name, mark in (("B", b), ("A", a)):
                if mark.insufficient is not None:
                    reason = f"mark {name} is insufficient: {mark.insufficient}"
        otherwise = unalike(a, b)
        changed = [] if p == usual else _changed(usual, p)
        own = f"compared with parameters other than those tested for {self.kind} marks: {'; '.join(changed)}"
        findings = (
            *((_own_parameters(own),) if changed else ()),
            *(() if otherwise is None or reason is not None else (otherwise,)),
            *found.findings,
        )
        return replace(found, insufficient=reason, findings=findings, provenance=self._provenance(a, b, p, found))

    def _incomparable(self, a: Mark, b: Mark) -> str | None:
        if a.surface_kind != b.surface_kind or a.surface_kind != "topography":
            return "striae are compared as topographies; an image shows the light, not their heights"
        return None

    def _provenance(self, a: Mark, b: Mark, p: StriatedParameters, found: StriationComparison) -> Provenance:
        assert found.provenance is not None
        parameters = {"mark kind": self.kind, "band_um": list(self._band_um(p)), **found.provenance.parameters}
        # "a" and "b" are those of the signatures.
        inputs = {"mark a": sha256_of_array(a.heights_um), "mark b": sha256_of_array(b.heights_um)}
        inputs |= found.provenance.inputs
        return replace(found.provenance, parameters=parameters, inputs=inputs)

    def comparison(self, parameters: StriatedParameters | None = None) -> Provenance:
        """Return method, version and parameters of a comparison, without inputs."""
        nothing = _nothing(self.kind)
        return _without_inputs(self.compare(nothing, nothing, parameters))

    def scores(self, comparison: StriationComparison) -> PairScore:
        """Return the scores of a comparison."""
        if comparison.insufficient is not None:
            return PairScore(None, None, None, None, None, comparison.insufficient)
        alike, agreement, a_in_b, b_in_a = (
            comparison.similarity, comparison.correlation, comparison.a_in_b, comparison.b_in_a,
        )  # fmt: skip
        assert alike is not None
        assert agreement is not None
        assert a_in_b is not None
        assert b_in_a is not None
        count, segments = _fewer((a_in_b.count, a_in_b.segments), (b_in_a.count, b_in_a.segments))
        correlation = None if agreement.insufficient is not None else float(agreement.correlation)
        return PairScore(
            count, segments, correlation, float(alike.score), None, length_mm=float(alike.overlap_um) * 1e-3
        )


#: What whole bullets are called where marks have a kind.
BULLET = "bullet"
_BULLETS_METHOD = "bullets, all lands against all, evidence of the best phase"
_BULLETS_VERSION = "1"


@dataclass(frozen=True)
class ScoredBullets:
    """The comparison of two whole bullets, as the evidence room takes it.

    Parameters
    ----------
    score : PairScore
        Of `Bullets.score`, or why there is none.
    provenance : Provenance
        Of `Bullets.comparison`.
    findings : tuple of Finding
    mark_kind : str
    """

    score: PairScore
    provenance: Provenance
    findings: tuple[Finding, ...] = ()
    mark_kind: str = BULLET

    @property
    def insufficient(self) -> str | None:
        """Why there is no score; None when there is."""
        return self.score.insufficient


@dataclass(frozen=True)
class Bullets:
    """How whole bullets are scored: by all their lands against all, in the best phase."""

    kind: str = BULLET
    mark_kind: str = "land engraved area"
    family: Family = "striated"
    score_texts: Mapping[Score, str] = field(
        default_factory=lambda: {
            "similarity": "similarity of the bullets in nats, over the common length of the best phase's lands",
            "count": "congruent matching profile segments (CMPS) of all pairs of the best phase",
            "correlation": "mean correlation of the pairs of the best phase",
        }
    )
    score_names: Mapping[Score, str] = field(
        default_factory=lambda: {
            "similarity": "similarity of the bullets (nats)",
            "count": "congruent segments of all lands (CMPS)",
            "correlation": "mean correlation of the lands",
        }
    )

    def comparison(self, of_lands: Provenance) -> Provenance:
        """Return method, version and parameters of a comparison of bullets whose lands were compared so."""
        parameters = {"lands": of_lands.method, "version of lands": of_lands.version, **of_lands.parameters}
        parameters["mark kind"] = self.kind
        return replace(of_lands, method=_BULLETS_METHOD, version=_BULLETS_VERSION, parameters=parameters)

    def score(self, bullets: BulletComparison, pairs: Sequence[PairScore]) -> PairScore:
        """Return the scores of two bullets.

        Parameters
        ----------
        bullets : BulletComparison
        pairs : sequence of PairScore
            Of the pairs of lands in its best phase.

        Returns
        -------
        PairScore
            Similarity in the best phase over the common length of its pairs, congruent segments of all of them, mean
            of their correlations.
        """
        if bullets.insufficient is not None:
            return PairScore(None, None, None, None, None, bullets.insufficient)
        scored = [pair for pair in pairs if pair.insufficient is None]
        correlations = [pair.accf for pair in scored if pair.accf is not None]
        return PairScore(
            sum(pair.count or 0 for pair in scored),
            sum(pair.cells or 0 for pair in scored),
            math.fsum(correlations) / len(correlations) if correlations else None,
            float(bullets.score),
            None,
            length_mm=bullets.overlap_um * 1e-3,
        )

    def scores(self, comparison: Any) -> PairScore:
        """Return the scores of `ScoredBullets`."""
        score: PairScore = comparison.score
        return score


_BULLETS = Bullets()


def scored_as(kind: str) -> Method | Bullets:
    """Return how a kind of mark, or whole bullets, are scored.

    Raises
    ------
    ParameterError
        When the kind is not known.

    Examples
    --------
    >>> scored_as("bullet").score_names["similarity"], scored_as("breech face").family
    ('similarity of the bullets (nats)', 'impressed')
    """
    return _BULLETS if kind == BULLET else method_of(kind)


def _changed(usual: StriatedParameters, used: StriatedParameters) -> list[str]:
    """Return what differs, by the names of `--set`."""
    of_scan = (dict(numbers(p.preparation, _OF_PREPARATION)) for p in (usual, used))
    others = (dict(numbers(p.comparison)) for p in (usual, used))
    return [*differences(*of_scan), *differences(*others)]


def _own_parameters(said: str) -> Finding:
    done = "compared with them; figures and reference populations of the usual ones do not hold"
    return Finding("own-parameters", "warning", said, done)


def _fewer(first: tuple[int, int], second: tuple[int, int]) -> tuple[int, int]:
    # More cells searched for the same count is the weaker finding, so a tie goes against common source.
    return min((first, second), key=lambda direction: (direction[0], -direction[1]))


def _nothing(kind: str, surface_kind: str = "topography") -> Mark:
    heights = np.full((1, 1), np.nan, np.float32)
    surface: Any = surface_kind
    return Mark(kind, heights, mark_type(kind).spacing_um, surface, insufficient="none")


def _without_inputs(comparison: Comparison) -> Provenance:
    assert comparison.provenance is not None
    return replace(comparison.provenance, inputs={})


#: Every kind of mark, in the order of `ballistics.surfaces.MARK_TYPES`.
METHODS: Mapping[str, Method] = {
    "breech face": Impressed("breech face"),
    "firing pin": Impressed("firing pin"),
    "ejector": Impressed("ejector"),
    "aperture shear": Striated("aperture shear"),
    "firing-pin drag": Striated("firing-pin drag"),
    "chamber": Striated("chamber"),
    "land engraved area": Striated("land engraved area"),
    "tool mark": Striated("tool mark"),
}


def mark_kinds() -> tuple[str, ...]:
    """Return the kinds of marks there are methods for.

    Examples
    --------
    >>> mark_kinds()[:3]
    ('breech face', 'firing pin', 'ejector')
    """
    return tuple(METHODS)


def method_of(kind: str) -> Method:
    """Return the method of a kind of mark.

    Raises
    ------
    ParameterError
        When the kind is not known.

    Examples
    --------
    >>> method_of("breech face").family, method_of("land engraved area").family
    ('impressed', 'striated')
    """
    if kind not in METHODS:
        raise ParameterError(f"mark type {kind!r} is not known; choose one of {', '.join(METHODS)}")
    return METHODS[kind]


def prepare(surface: Surface, mark: str = "breech face", region: Region | None = None, parameters: Any = None) -> Mark:
    """Prepare the mark of a surface, as its kind asks for.

    Parameters
    ----------
    surface : Surface
        As read.
    mark : str
        Kind of mark, one of `METHODS`.
    region : GivenRegion, or ndarray of bool, or str, or int, optional
        Where the mark is; see `ballistics.surfaces.prepare`.
    parameters : optional
        Of `Method.parameters`.

    Returns
    -------
    Mark
        Insufficient, with the reason, where the scan shows no such mark.

    Raises
    ------
    ParameterError
        For a kind that is not known, a region that does not fit, or when a region must be given and was not.
    """
    return method_of(mark).prepare(surface, region, parameters)


def compare(a: Mark, b: Mark, parameters: Any = None) -> Any:
    """Compare two marks, as their kind asks for.

    Parameters
    ----------
    a, b : Mark
        Prepared marks of one kind.
    parameters : optional
        Of `Method.parameters`; the usual ones by default.

    Returns
    -------
    Comparison
        An `ImpressionComparison` or a `StriationComparison`; insufficient, with the reason, when the marks cannot be
        compared.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> land = Mark("land engraved area", np.repeat(rng.normal(size=(1, 900)), 40, axis=0).astype(np.float32), 1.5625)
    >>> found = compare(land, land)
    >>> found.insufficient is None and pair_score(found).similarity > 100
    True
    """
    return method_of(a.kind).compare(a, b, parameters)


def pair_score(comparison: Comparison) -> PairScore:
    """Return the scores of a comparison; an insufficient one has none, and says why.

    Raises
    ------
    ParameterError
        When the comparison lacks what its scores stand on.

    Examples
    --------
    >>> pair_score(ImpressionComparison("breech face", insufficient="no overlap")).insufficient
    'no overlap'
    """
    return scored_as(comparison.mark_kind).scores(comparison)
