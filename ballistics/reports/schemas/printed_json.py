"""An identification of printed parts as JSON, after the published schema ``printed.schema.json``."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from importlib import resources
from typing import Any

from ballistics.printed import Candidate, FalseHitRate, JobFacts, ReferencePieces
from ballistics.reports.contents.identified_file import IdentifiedFile, SearchedCollection, is_symmetric, verdict_of
from ballistics.reports.contents.printed_pieces import named_files, pieces_json
from ballistics.reports.plain_values import plain
from ballistics.reports.wording.printed import LEAD

SCHEMA = "ballistics/printed/1"


def printed_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) that every document follows."""
    text = resources.files("ballistics.reports.schemas").joinpath("printed.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def printed_json(
    files: Sequence[IdentifiedFile], searched: SearchedCollection, pieces: Sequence[ReferencePieces] = ()
) -> bytes:
    """Return an identification as the bytes of a JSON file; the same files and collection give the same bytes.

    Parameters
    ----------
    files : sequence of IdentifiedFile
        What was searched for; files that were refused too.
    searched : SearchedCollection
        What was searched.
    pieces : sequence of ReferencePieces
        From `pieces_in` of the same files, whose numbers they have.

    Returns
    -------
    bytes
        UTF-8.
    """
    content = {
        "schema": SCHEMA,
        "nature": LEAD,
        "searched": {
            "other_file": searched.other or None,
            "references": len(searched.collection),
            "sha256": searched.sha256,
            "taxonomy": {"name": searched.taxonomy.name, "version": searched.taxonomy.version},
        },
        "files": [_file(file, searched) for file in files],
        "pieces": [pieces_json(group, named_files(files), searched.taxonomy) for group in pieces],
    }
    return (json.dumps(plain(content), indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode("utf-8", "replace")


def _file(file: IdentifiedFile, searched: SearchedCollection) -> dict[str, Any]:
    described, found = file.described, file.found
    reason = described.reason.removeprefix(f"{described.path}: ")
    return {
        "name": file.name,
        "sha256": described.sha256 or None,
        "format": described.format or None,
        "unit": described.unit or None,
        "error": f"{described.error}: {reason}" if found is None else None,
        "parts": [asdict(part) for part in described.parts],
        "metadata": dict(described.metadata),
        "jobs": [_job(job) for job in described.jobs],
        "findings": [asdict(finding) for finding in (*described.findings, *(() if found is None else found.findings))],
        "verdict": None if found is None else found.verdict,
        "sentence": verdict_of(file, searched),
        "threshold": None if found is None else found.threshold,
        "false_hits": None if found is None or found.false_hits is None else _false_hits(found.false_hits),
        "worth": None if found is None else max(found.worths.values()),
        "bodies_worth": None if found is None else {str(k): worth for k, worth in sorted(found.worths.items())},
        "plain_below": None if found is None else found.plain_below,
        "accepted": [] if found is None else [_candidate(c, searched) for c in found.accepted],
        "candidates": [] if found is None else [_candidate(c, searched) for c in found.candidates],
        "provenance": None if found is None else plain(found.provenance),
    }


def _job(job: JobFacts) -> dict[str, Any]:
    """Return what a print job says; all of its settings and commands are in `ballistics printed inspect --json`."""
    said = asdict(job)
    return {name: value for name, value in said.items() if name not in ("settings", "start_lines", "end_lines")}


def _false_hits(measured: FalseHitRate) -> dict[str, Any]:
    return {**asdict(measured), "rate": measured.rate, "upper": measured.upper}


def _candidate(candidate: Candidate, searched: SearchedCollection) -> dict[str, Any]:
    keys = searched.collection.references[candidate.row].keys
    return {
        "name": candidate.name,
        "category": candidate.category or None,
        "category_title": searched.taxonomy.title(candidate.category),
        "geometry_hash": None if keys is None else keys.exact,
        "metadata": dict(candidate.metadata),
        "relation": candidate.relation,
        "scale": candidate.scale,
        "mirrored": candidate.mirrored,
        "mirror_symmetric": is_symmetric(searched.collection, candidate),
        "query_share": candidate.query_share,
        "reference_share": candidate.reference_share,
        "tolerance_mm": candidate.tolerance_mm,
        "score": candidate.score,
        "coverage": candidate.coverage,
        "agreement": candidate.agreement,
        "detail": candidate.detail,
        "worth": candidate.worth,
        "too_plain": candidate.is_plain,
        "reference_worth": candidate.reference_worth,
        "alike": candidate.alike,
        "radii": candidate.radii,
        "exactness": candidate.exactness,
        "missing": candidate.missing,
        "added": candidate.added,
        "tied": candidate.is_tied,
        "straying": None if math.isnan(candidate.straying) else candidate.straying,
        "log_odds": dict(candidate.log_odds),
        "component": candidate.component,
        "pose": candidate.pose.tolist(),
    }
