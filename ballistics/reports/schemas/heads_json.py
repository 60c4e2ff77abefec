"""A whole-head comparison as JSON: one document of `comparison_json` for each kind of mark."""

from __future__ import annotations

from ballistics.impressions import HeadComparison
from ballistics.reports.contents.reported_scan import ReportedScan
from ballistics.reports.schemas.comparison_json import comparison_document, json_bytes
from ballistics.surfaces import Surface

SCHEMA = "ballistics/heads/1"


def heads_json(heads: HeadComparison, names: tuple[str, str], surfaces: tuple[Surface, Surface]) -> bytes:
    """Return a whole-head comparison as the bytes of a JSON file; the same comparison gives the same bytes.

    Parameters
    ----------
    heads : HeadComparison
    names : tuple of str
        What the scans are called.
    surfaces : tuple of Surface
        What was compared.

    Returns
    -------
    bytes
        ``compared`` lists the kinds for which a comparison is stated; ``marks`` holds every kind's comparison, each a
        document of the schema of `comparison_json`.
    """
    sides = (heads.marks_a, heads.marks_b)
    documents = {
        kind: comparison_document(
            comparison,
            *(ReportedScan(n, s, marks[kind]) for n, s, marks in zip(names, surfaces, sides, strict=True)),
        )
        for kind, comparison in heads.comparisons.items()
    }
    document = {"schema": SCHEMA, "compared": list(heads.compared), "marks": documents}
    return json_bytes(document)
