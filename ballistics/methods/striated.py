"""The method of striated marks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from ballistics.comparison import PairScore, Score
from ballistics.findings import Finding
from ballistics.methods.method import Family, Method, Region, fewer
from ballistics.provenance import Provenance, sha256_of_array
from ballistics.settings import differences, numbers, with_numbers
from ballistics.striations import (
    STRIATED_BANDS_UM,
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
from ballistics.surfaces import GivenRegion, Mark, Surface, given_mask, unalike

# What `--set` names so is of the preparation; all other names are of the comparison.
_OF_PREPARATION = "preparation."


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
class Striated(Method):
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
        if surface_kind not in ("topography", "profile"):
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
        nothing = Surface(np.full((1, 1), np.nan), (1.0, 1.0))
        provenance = self.prepare(nothing, None, parameters).provenance
        assert provenance is not None
        return replace(provenance, inputs={})

    def prepare(
        self, surface: Surface, region: Region | None = None, parameters: StriatedParameters | None = None
    ) -> Mark:
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

    def scores(self, comparison: StriationComparison) -> PairScore:
        if comparison.insufficient is not None:
            return PairScore(None, None, None, None, None, comparison.insufficient)
        alike, agreement, a_in_b, b_in_a = (
            comparison.similarity, comparison.correlation, comparison.a_in_b, comparison.b_in_a,
        )  # fmt: skip
        assert alike is not None
        assert agreement is not None
        assert a_in_b is not None
        assert b_in_a is not None
        count, segments = fewer((a_in_b.count, a_in_b.segments), (b_in_a.count, b_in_a.segments))
        correlation = None if agreement.insufficient is not None else float(agreement.correlation)
        return PairScore(
            count, segments, correlation, float(alike.score), None, length_mm=float(alike.overlap_um) * 1e-3
        )


def _changed(usual: StriatedParameters, used: StriatedParameters) -> list[str]:
    """Return what differs, by the names of `--set`."""
    of_scan = (dict(numbers(p.preparation, _OF_PREPARATION)) for p in (usual, used))
    others = (dict(numbers(p.comparison)) for p in (usual, used))
    return [*differences(*of_scan), *differences(*others)]


def _own_parameters(said: str) -> Finding:
    done = "compared with them; figures and reference populations of the usual ones do not hold"
    return Finding("own-parameters", "warning", said, done)
