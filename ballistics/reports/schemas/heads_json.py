"""A whole-head comparison as JSON: one document for each kind of mark, of the schema of its kind."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ballistics.evidence import JointWeight
from ballistics.heads import HeadComparison
from ballistics.impressions import ImpressionComparison
from ballistics.methods import Striated, method_of
from ballistics.reports.contents.evaluation import Evaluation
from ballistics.reports.plain_values import plain
from ballistics.reports.reported_scan import ReportedScan
from ballistics.reports.reported_striae import ReportedStriae
from ballistics.reports.schemas.comparison_json import comparison_document, json_bytes
from ballistics.reports.schemas.striation_json import striation_json
from ballistics.striations import StriationComparison
from ballistics.surfaces import Surface

SCHEMA = "ballistics/heads/1"


def heads_json(
    heads: HeadComparison,
    names: tuple[str, str],
    surfaces: tuple[Surface, Surface],
    evaluations: Mapping[str, Evaluation] | None = None,
    joint: JointWeight | None = None,
) -> bytes:
    """Return a whole-head comparison as the bytes of a JSON file; the same comparison gives the same bytes.

    Parameters
    ----------
    heads : HeadComparison
    names : tuple of str
        What the scans are called.
    surfaces : tuple of Surface
        What was compared.
    evaluations : mapping of str to Evaluation, optional
        The weight of each kind of mark that has one.
    joint : JointWeight, optional
        That of all marks together.

    Returns
    -------
    bytes
        ``compared`` lists the kinds for which a comparison is stated; ``marks`` holds every kind's comparison, each a
        document of the schema of `comparison_json`, or for striated marks of `striation_json`; ``joint``, with one.
    """
    sides = (heads.marks_a, heads.marks_b)
    weighed = evaluations or {}
    documents: dict[str, Any] = {}
    for kind, comparison in heads.comparisons.items():
        marks = [side[kind] for side in sides]
        if isinstance(comparison, StriationComparison):
            method = method_of(kind)
            assert isinstance(method, Striated)
            a, b = (ReportedStriae(n, method.signature(m), s) for n, s, m in zip(names, surfaces, marks, strict=True))
            documents[kind] = json.loads(striation_json(comparison, a, b, evaluation=weighed.get(kind)))
        elif isinstance(comparison, ImpressionComparison):
            scans = [ReportedScan(n, s, m) for n, s, m in zip(names, surfaces, marks, strict=True)]
            documents[kind] = comparison_document(comparison, scans[0], scans[1], evaluation=weighed.get(kind))
    return heads_document(documents, heads.compared, joint)


def heads_document(marks: Mapping[str, Any], compared: Iterable[str], joint: JointWeight | None = None) -> bytes:
    """Return the comparisons of the marks of two heads, whichever scans they were taken from, as such a file.

    Parameters
    ----------
    marks : mapping
        Kind of mark to the document of its comparison.
    compared : iterable of str
        The kinds for which a comparison is stated.
    joint : JointWeight, optional
        The weight of all marks together.
    """
    document = {"schema": SCHEMA, "compared": list(compared), "marks": dict(marks)}
    return json_bytes(document if joint is None else {**document, "joint": plain(joint)})
