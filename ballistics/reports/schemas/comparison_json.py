"""A comparison as JSON, after the published schema ``comparison.schema.json``: for scripts, archives and other labs."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

from ballistics.evidence import Weighed
from ballistics.findings import Finding
from ballistics.impressions import CellSearch, DirectionVerdict, ImpressionComparison, RuleResult, Similarity
from ballistics.provenance import Provenance, sha256_of_array
from ballistics.reports.contents.evaluation import Evaluation
from ballistics.reports.figures.cell_places import cell_names, cell_places
from ballistics.reports.plain_values import json_number, plain
from ballistics.reports.reported_scan import ReportedScan
from ballistics.surfaces import Mark, Pose, Surface

SCHEMA = "ballistics/comparison/1"


def comparison_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) that every document follows."""
    text = resources.files("ballistics.reports.schemas").joinpath("comparison.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def comparison_json(
    comparison: ImpressionComparison, a: ReportedScan, b: ReportedScan, *, evaluation: Evaluation | None = None
) -> bytes:
    """Return the comparison as the bytes of a JSON file; the same comparison gives the same bytes.

    Parameters
    ----------
    comparison : ImpressionComparison
        Of the marks of ``a`` and ``b``.
    a, b : ReportedScan
        What was compared.
    evaluation : Evaluation, optional
        Its weight of evidence; without one the document is a lead.

    Returns
    -------
    bytes
        UTF-8; the content is that of `comparison_document`.
    """
    return json_bytes(comparison_document(comparison, a, b, evaluation=evaluation))


def json_bytes(document: Mapping[str, Any]) -> bytes:
    """Return a document as the bytes of a file, without NaN."""
    return (json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode("utf-8", "replace")


def comparison_document(
    comparison: ImpressionComparison, a: ReportedScan, b: ReportedScan, *, evaluation: Evaluation | None = None
) -> dict[str, Any]:
    """Return everything of a comparison but the heights, as plain values.

    Parameters
    ----------
    comparison : ImpressionComparison
        Of the marks of ``a`` and ``b``.
    a, b : ReportedScan
        What was compared.
    evaluation : Evaluation, optional
        Its weight of evidence; without one the document is a lead.

    Returns
    -------
    dict
        Missing numbers (NaN) are None; arrays of a file's metadata are named by shape and SHA-256.
    """
    return {
        "schema": SCHEMA,
        "scans": {"a": _scan(a), "b": _scan(b)},
        "comparison": {
            "mark_kind": comparison.mark_kind,
            "insufficient": comparison.insufficient,
            "pose": None if comparison.pose is None else _pose(comparison.pose),
            "accf": json_number(comparison.accf),
            "overlap_um2": json_number(comparison.overlap_um2),
            "overlap_fraction": json_number(comparison.overlap_fraction),
            "similarity": _similarity(comparison.similarity),
            "cells": {
                "a_in_b": _cells(comparison.a_in_b),
                "b_in_a": _cells(comparison.b_in_a),
            },
            "rules": {name: _rule(rule, comparison) for name, rule in comparison.rules.items()},
            "regular_marks": {
                "a_in_b": _patterns(comparison.a_in_b),
                "b_in_a": _patterns(comparison.b_in_a),
            },
            "findings": json_findings(comparison.findings),
            "provenance": json_provenance(comparison.provenance),
        },
        "evaluation": None if evaluation is None else json_evaluation(evaluation),
    }


def _similarity(similarity: Similarity | None) -> dict[str, Any] | None:
    if similarity is None:
        return None
    return {
        "score": json_number(similarity.score),
        "search_cost": json_number(similarity.search_cost),
        "independent_areas": json_number(similarity.independent_areas),
        "needed_areas": json_number(similarity.needed_areas),
        "insufficient": similarity.insufficient,
        "octaves": [plain(dataclasses.asdict(octave)) for octave in similarity.octaves],
    }


def _pose(pose: Pose) -> dict[str, Any]:
    return {
        "theta_deg": json_number(pose.theta_deg),
        "dx_um": json_number(pose.dx_um),
        "dy_um": json_number(pose.dy_um),
    }


def json_findings(findings: Sequence[Finding]) -> list[dict[str, str]]:
    """Return findings as plain values."""
    return [dataclasses.asdict(finding) for finding in findings]


def json_provenance(provenance: Provenance | None) -> Any:
    """Return how a result came to be, as plain values."""
    return None if provenance is None else plain(provenance)


def json_evaluation(evaluation: Evaluation) -> dict[str, Any]:
    """Return what was weighed, with what, and what came out."""
    result, system = evaluation.weighed.result, evaluation.weighed.system
    band = None if result.log10_lr is None else evaluation.scale.band(result.log10_lr)
    value = result.log10_lr
    return {
        "status": result.status,
        "reason": result.reason,
        "log10_lr": value,
        "lr": None if value is None else math.pow(10.0, value),
        "interval_log10_lr": None if result.interval is None else list(result.interval),
        "bound": result.bound,
        "bounds": None if result.bounds is None else dataclasses.asdict(result.bounds),
        "propositions": dataclasses.asdict(result.propositions),
        "score": _weighed_score(evaluation.weighed),
        "beside": [_beside(other) for other in evaluation.weighed.beside],
        "findings": json_findings(evaluation.weighed.findings),
        "model": system.model,
        "population": {
            "name": result.population,
            "source": system.population.source,
            "sha256": system.population.hash,
            "same_source_pairs": result.n_same,
            "different_source_pairs": result.n_different,
            "firearms": result.n_firearms,
            "conditions": system.population.conditions.to_dict(),
        },
        "populations_not_used": list(evaluation.weighed.not_used),
        "cautions": list(result.cautions),
        "verbal_scale": {
            "name": evaluation.scale.name,
            "version": evaluation.scale.version,
            "source": evaluation.scale.source,
            "words": None if band is None else band.words,
        },
        "language": evaluation.language,
        "sentences": list(evaluation.wording.sentences),
        "provenance": json_provenance(result.provenance),
    }


def _weighed_score(weighed: Weighed) -> dict[str, Any]:
    result = weighed.result
    length = {} if result.length_mm is None else {"length_mm": result.length_mm}
    return {"name": weighed.score, "value": result.score, "cells": result.cells, "area_mm2": result.area_mm2, **length}


def _beside(weighed: Weighed) -> dict[str, Any]:
    """Return a score that stands beside the one that carries the evidence."""
    result = weighed.result
    return {
        "score": _weighed_score(weighed),
        "status": result.status,
        "reason": result.reason,
        "log10_lr": result.log10_lr,
        "bounds": None if result.bounds is None else dataclasses.asdict(result.bounds),
        "model": weighed.system.model,
        "population": result.population,
        "population_sha256": weighed.system.population.hash,
    }


def _scan(scan: ReportedScan) -> dict[str, Any]:
    return {"name": scan.name, "surface": json_surface(scan.surface), "mark": _mark(scan.mark)}


def json_surface(surface: Surface) -> dict[str, Any]:
    """Return everything of a scan but its heights, as plain values."""
    return {
        "kind": surface.kind,
        "shape": list(surface.heights_um.shape),
        "spacing_um": [json_number(value) for value in surface.spacing_um],
        "valid_fraction": surface.valid_fraction,
        "metadata": plain(surface.metadata),
        "findings": json_findings(surface.findings),
        "provenance": json_provenance(surface.provenance),
    }


def _mark(mark: Mark) -> dict[str, Any]:
    return {
        "kind": mark.kind,
        "surface_kind": mark.surface_kind,
        "shape": list(mark.heights_um.shape),
        "spacing_um": mark.spacing_um,
        "origin_um": [json_number(value) for value in mark.origin_um],
        "area_um2": mark.area_um2,
        "sha256": sha256_of_array(mark.heights_um),
        "steps": [
            {"name": step.name, "parameters": plain(step.parameters), "outcome": plain(step.outcome)}
            for step in mark.steps
        ],
        "insufficient": mark.insufficient,
        "findings": json_findings(mark.findings),
        "provenance": json_provenance(mark.provenance),
    }


def _cells(search: CellSearch | None) -> list[dict[str, Any]] | None:
    if search is None:
        return None
    return [
        {
            "name": name,
            "row": int(search.rows[k]),
            "column": int(search.columns[k]),
            "centre_x_um": json_number(search.centres_x_um[k]),
            "centre_y_um": json_number(search.centres_y_um[k]),
            "valid_fraction": json_number(search.valid_fractions[k]),
            "turn_deg": json_number(search.grid_theta_deg),
            "theta_deg": json_number(search.thetas_deg[k]),
            "x_um": json_number(search.xs_um[k]),
            "y_um": json_number(search.ys_um[k]),
            "correlation": json_number(search.correlations[k]),
            "overlap": json_number(search.overlaps[k]),
            "regular_share": None if search.regular is None else json_number(search.regular.shares[k]),
            "remaining_correlation": None if search.regular is None else json_number(search.regular.remaining[k]),
            "explained_by_regular_marks": search.regular is not None and bool(search.regular.explained[k]),
        }
        for k, name in enumerate(cell_names(search))
    ]


def _patterns(search: CellSearch | None) -> Any:
    return None if search is None or search.regular is None else plain(search.regular.patterns)


def _rule(rule: RuleResult, comparison: ImpressionComparison) -> dict[str, Any]:
    return {
        "score": json_number(rule.score),
        "parameters": plain(rule.parameters),
        "source": rule.source,
        "a_in_b": _verdict(rule.a_in_b, comparison.a_in_b),
        "b_in_a": _verdict(rule.b_in_a, comparison.b_in_a),
    }


def _verdict(verdict: DirectionVerdict, search: CellSearch | None) -> dict[str, Any] | None:
    if search is None:
        return None
    return {
        "count": verdict.count,
        "explained_by_regular_marks": search.explained_count(verdict),
        "reference": _pose(verdict.reference),
        "chance_level": None if verdict.chance_level is None else json_number(verdict.chance_level),
        "cells": [
            {
                "name": place.name,
                "congruent": bool(verdict.congruent[k]),
                "theta_deg": json_number(verdict.thetas_deg[k]),
                "x_um": json_number(verdict.xs_um[k]),
                "y_um": json_number(verdict.ys_um[k]),
                "correlation": json_number(verdict.correlations[k]),
                "chance": json_number(place.chance),
                "found_x_um": json_number(place.found_x_um),
                "found_y_um": json_number(place.found_y_um),
            }
            for k, place in enumerate(cell_places(search, verdict))
        ],
    }
