"""Comparisons of striated marks, and of bullets, as JSON after the published schemas beside this file."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

from ballistics.provenance import sha256_of_array
from ballistics.reports.contents.evaluation import Evaluation
from ballistics.reports.plain_values import json_number, plain
from ballistics.reports.reported_striae import ReportedStriae
from ballistics.reports.schemas.comparison_json import (
    json_bytes,
    json_evaluation,
    json_findings,
    json_provenance,
    json_surface,
)
from ballistics.striations import (
    BulletComparison,
    CmpsResult,
    CmsResult,
    Land,
    LandEnd,
    Placement,
    Signature,
    StriationComparison,
)

STRIATION_SCHEMA = "ballistics/striation/1"
BULLETS_SCHEMA = "ballistics/bullets/1"


def striation_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of `striation_json`."""
    return _schema("striation.schema.json")


def bullets_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of `bullets_json`."""
    return _schema("bullets.schema.json")


def striation_json(
    comparison: StriationComparison, a: ReportedStriae, b: ReportedStriae, *, evaluation: Evaluation | None = None
) -> bytes:
    """Return a comparison of two striated marks as the bytes of a JSON file; the same comparison, the same bytes.

    Parameters
    ----------
    comparison : StriationComparison
        Of the signatures of ``a`` and ``b``.
    a, b : ReportedStriae
        What was compared.
    evaluation : Evaluation, optional
        Its weight of evidence; without one the document is a lead.

    Returns
    -------
    bytes
        Everything but the heights, which are named by their SHA-256. Missing numbers are null.
    """
    return json_bytes(
        {
            "schema": STRIATION_SCHEMA,
            "marks": {"a": _striae(a), "b": _striae(b)},
            "comparison": _comparison(comparison),
            "evaluation": None if evaluation is None else json_evaluation(evaluation),
        }
    )


def bullets_json(
    bullets: BulletComparison,
    a: Sequence[ReportedStriae | None],
    b: Sequence[ReportedStriae | None],
    pairs: Mapping[tuple[int, int], StriationComparison],
    *,
    evaluation: Evaluation | None = None,
) -> bytes:
    """Return a comparison of two bullets as the bytes of a JSON file; the same comparison gives the same bytes.

    Parameters
    ----------
    bullets : BulletComparison
    a, b : sequence of ReportedStriae or None
        Their lands in order; None for one that is missing.
    pairs : mapping of tuple of int to StriationComparison
        Pairs of lands that were compared in full, by their positions from 0.
    evaluation : Evaluation, optional
    """
    return json_bytes(
        {
            "schema": BULLETS_SCHEMA,
            "bullets": {name: [_striae(s) if s else None for s in lands] for name, lands in (("a", a), ("b", b))},
            "comparison": {
                "scores": [[json_number(value) for value in row] for row in bullets.scores],
                "phase": bullets.phase,
                "score": json_number(bullets.score),
                "phase_means": [json_number(value) for value in bullets.phase_means],
                "margin": json_number(bullets.margin),
                "pairs": bullets.pairs,
                "probability": json_number(bullets.probability),
                "insufficient": bullets.insufficient,
            },
            "pairs": [{"a": i, "b": j, "comparison": _comparison(pairs[i, j])} for i, j in sorted(pairs)],
            "evaluation": None if evaluation is None else json_evaluation(evaluation),
        }
    )


def _schema(name: str) -> dict[str, Any]:
    text = resources.files("ballistics.reports.schemas").joinpath(name).read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def _comparison(comparison: StriationComparison) -> dict[str, Any]:
    similarity, correlation, rank = comparison.similarity, comparison.correlation, comparison.chumbley
    coarse = comparison.coarse
    return {
        "mark_kind": comparison.mark_kind,
        "insufficient": comparison.insufficient,
        "similarity": None
        if similarity is None
        else {
            "score": json_number(similarity.score),
            "placement": _placement(similarity.placement),
            "evidence": json_number(similarity.evidence),
            "octaves": [plain(dataclasses.asdict(octave)) for octave in similarity.octaves],
            "overlap_um": json_number(similarity.overlap_um),
            "placements": similarity.placements,
            "insufficient": similarity.insufficient,
        },
        "correlation": None
        if correlation is None
        else {
            "correlation": json_number(correlation.correlation),
            "placement": _placement(correlation.placement),
            "common_points": correlation.common_points,
            "overlap_um": json_number(correlation.overlap_um),
            "insufficient": correlation.insufficient,
        },
        "cmps": {"a_in_b": _cmps(comparison.a_in_b), "b_in_a": _cmps(comparison.b_in_a)},
        "striae": _cms(comparison.striae),
        "chumbley": None
        if rank is None
        else {
            "score": json_number(rank.score),
            "same_shift_windows": len(rank.same_shift),
            "different_shift_windows": len(rank.different_shift),
            "insufficient": rank.insufficient,
        },
        "coarse_lines": None
        if coarse is None
        else {
            "coarse_score": json_number(coarse.coarse.score),
            "coarse_evidence": json_number(coarse.coarse.evidence),
            "coarse_placement": _placement(coarse.coarse.placement),
            "fine_evidence": json_number(coarse.fine_evidence),
            "fine_points": json_number(coarse.fine_points),
            "alone": coarse.alone,
        },
        "findings": json_findings(comparison.findings),
        "provenance": json_provenance(comparison.provenance),
    }


def _placement(placement: Placement | None) -> dict[str, Any] | None:
    return None if placement is None else {"lag_um": placement.lag_um, "stretch": placement.stretch}


def _cmps(found: CmpsResult | None) -> dict[str, Any] | None:
    return None if found is None else {"count": found.count, "segments": found.segments}


def _cms(found: CmsResult | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "cms": found.cms,
        "cnms": found.cnms,
        "matches": found.matches,
        "mismatches": found.mismatches,
        "distance_um": json_number(found.distance_um),
        "matched_height_um": json_number(found.matched_height_um),
    }


def _striae(striae: ReportedStriae) -> dict[str, Any]:
    return {
        "name": striae.name,
        "surface": None if striae.surface is None else json_surface(striae.surface),
        "land": None if striae.land is None else _land(striae.land),
        "signature": _signature(striae.signature),
        "findings": json_findings(striae.findings),
    }


def _signature(signature: Signature) -> dict[str, Any]:
    return {
        "kind": signature.kind,
        "points": len(signature.heights_um),
        "valid_points": signature.valid_points,
        "spacing_um": signature.spacing_um,
        "band_um": None if signature.band_um is None else list(signature.band_um),
        "sha256": sha256_of_array(signature.heights_um),
        "excluded": [plain(dataclasses.asdict(span)) for span in signature.excluded],
        "insufficient": signature.insufficient,
        "provenance": json_provenance(signature.provenance),
    }


def _land(land: Land) -> dict[str, Any]:
    arc = land.arc
    return {
        "turned": land.turned,
        "left": _end(land.left, land.scatter_um[0]),
        "right": _end(land.right, land.scatter_um[1]),
        "slant_deg": json_number(land.slant_deg),
        "arc": None
        if arc is None
        else {"radius_mm": json_number(arc.radius_mm), "apex_um": arc.apex_um, "sigma_um": arc.sigma_um},
        "first_band": None if land.first_band < 0 else land.first_band,
        "bands": [
            {"row_um": json_number(row), "lag_um": json_number(lag), "agreement": json_number(agreement)}
            for row, lag, agreement in zip(land.band_rows, land.lags_um, land.agreements, strict=True)
        ],
    }


def _end(end: LandEnd, scatter_um: float) -> dict[str, Any]:
    return {"place_um": json_number(end.place_um), "shoulder": end.shoulder, "scatter_um": json_number(scatter_um)}
