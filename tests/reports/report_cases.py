"""Comparisons to report on: one simulated pair of each kind, small enough for a test."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import islice

import numpy as np
from prepared_marks import made_once

from ballistics.findings import Finding
from ballistics.impressions.comparing import compare
from ballistics.impressions.comparison import ImpressionComparison
from ballistics.reports.reported_scan import ReportedScan, reported_scan
from ballistics.surfaces.preparation.preparing import prepare
from ballistics.surfaces.simulation.heads import simulate_population
from ballistics.surfaces.surface import Surface

Case = tuple[ImpressionComparison, ReportedScan, ReportedScan]


@cache
def _scans() -> tuple[ReportedScan, ...]:
    return made_once("reported-heads", _simulated)


def _simulated() -> tuple[ReportedScan, ...]:
    heads = islice(simulate_population(2, 2, 11, breech_faces=("granular",), spacing_um=12.5), 3)
    return tuple(reported_scan(f"case-{k}.x3p", head.surface, prepare(head.surface)) for k, head in enumerate(heads, 1))


@cache
def case(kind: str) -> Case:
    """Return a "same-source", "different-source" or "insufficient" comparison."""
    first, second, other = _scans()
    if kind == "insufficient":
        flat = Surface(np.zeros((200, 240)), (20.0, 20.0))
        other = reported_scan("flat.x3p", flat, prepare(flat))
    b = second if kind == "same-source" else other
    return made_once(f"heads-compared-{kind}", lambda: compare(first.mark, b.mark)), first, b


INJECTION = '<script>window.injected=1</script><img src=x onerror="window.injected=1">\'"&]]>{{7*7}}'


def hostile_case() -> Case:
    """Return a comparison whose every text from outside tries to become markup."""
    comparison, a, b = case("same-source")
    surface = replace(
        a.surface,
        metadata={INJECTION: INJECTION, "mask": np.zeros((50, 50), np.uint8)},
        findings=(Finding(INJECTION, "serious", INJECTION, INJECTION),),
    )
    return comparison, replace(a, name=INJECTION + ".x3p", surface=surface), b
