"""A search as CSV and as JSON, the latter after the published schema ``search.schema.json``."""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib import resources
from typing import TYPE_CHECKING, Any

from ballistics.files import csv_bytes
from ballistics.reports.plain_values import plain

if TYPE_CHECKING:
    from ballistics.search import LibraryLead, SearchResult

SCHEMA = "ballistics/search/1"
NATURE = "lead: marks to look at first; no opinion on source, no weight of evidence"


def search_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) that every document follows."""
    text = resources.files("ballistics.reports.schemas").joinpath("search.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def search_json(result: SearchResult) -> bytes:
    """Return a search as the bytes of a JSON file; the same search of the same library gives the same bytes."""
    content = {
        "schema": SCHEMA,
        "nature": NATURE,
        "library": result.library,
        "questioned": {
            "scan": result.scan,
            "identity": result.identity,
            "array_sha256": result.array_sha256,
            "mark_kind": result.mark_kind,
            "insufficient": result.insufficient,
        },
        "filter": {name: list(values) for name, values in result.where.items()},
        "counts": {
            "marks": result.n_marks,
            "searched": result.n_searched,
            "compared": result.n_compared,
            "passed_over": dict(result.passed_over),
        },
        "same_scan": [entry.id for entry in result.same_scan],
        "percentile": asdict(result.background) if result.background is not None else None,
        "no_percentile": result.no_percentile,
        "leads": [_lead(lead) for lead in result.leads],
        "provenance": plain(result.provenance),
    }
    return (json.dumps(plain(content), indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode("utf-8", "replace")


def _lead(lead: LibraryLead) -> dict[str, Any]:
    entry = lead.entry
    return {
        "rank": lead.rank,
        "mark": entry.id,
        "scan": entry.scan,
        "identity": entry.identity,
        "array_sha256": entry.array_sha256,
        "description": asdict(entry.description),
        "similarity": lead.similarity,
        "accf": lead.accf,
        "overlap_fraction": lead.overlap_fraction,
        "insufficient": lead.insufficient,
        "template_score": lead.template_score,
        "count": lead.count,
        "cells": lead.cells,
        "different_source_at_or_above": lead.at_or_above,
        "percentile": lead.percentile,
        "pose": None if lead.pose is None else asdict(lead.pose),
        "prepared_alike": lead.prepared_alike,
    }


def search_csv(result: SearchResult) -> bytes:
    """Return the leads as a CSV table, UTF-8 with a mark that spreadsheets need to read it as such."""
    rows = [_flat(_lead(lead)) for lead in result.leads]
    names = list(rows[0]) if rows else ["rank", "mark", "scan"]
    return csv_bytes(names, ([row[name] for name in names] for row in rows), spreadsheet=True)


def _flat(lead: dict[str, Any]) -> dict[str, Any]:
    description = lead.pop("description")
    pose = lead.pop("pose") or {"theta_deg": None, "dx_um": None, "dy_um": None}
    return {**lead, **pose, **description}
