"""The HTML report of a comparison: one self-contained file that an examiner can look at, check and print."""

from __future__ import annotations

import hashlib
import math
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ballistics.impressions import HEADLINE_RULE, CellSearch, DirectionVerdict, ImpressionComparison, RuleResult
from ballistics.reports.contents.case_lines import CaseLines
from ballistics.reports.contents.evaluation import Evaluation, evaluation_figures, refuse_half_translated
from ballistics.reports.contents.pair_contents import metadata_rows, reading_options, references_of, serious_findings
from ballistics.reports.figures.cell_places import CellPlace, cell_names, cell_places
from ballistics.reports.figures.comparison import comparison_figures
from ballistics.reports.pages.rendering import rendered, running_lines
from ballistics.reports.plain_values import plain
from ballistics.reports.reported_scan import ReportedScan
from ballistics.reports.schemas.comparison_json import comparison_json
from ballistics.reports.wording.comparison import (
    RULE_EXPLANATIONS,
    counts_sentence,
    limits,
    regular_marks_sentence,
    score_text,
    similarity_sentence,
    unit_of,
)
from ballistics.reports.wording.values import with_minus
from ballistics.surfaces import Pose

# Edges of the bars of a histogram: of correlations, and of −log₁₀ of probabilities.
_BINS, _CHANCE_BINS = np.round(np.linspace(-0.2, 1.0, 25), 2), np.linspace(0.0, 12.0, 25)


@dataclass(frozen=True)
class _Bin:
    """One bar of a histogram of cells: lower edge, congruent and other cells in it."""

    low: float
    congruent: int
    other: int


@dataclass(frozen=True)
class _CellMap:
    """One rule in one direction, ready to be drawn; ``tiled`` and ``searched`` are "a" or "b".

    The bars count the cells by what the rule judges them by, ``measure``, which must reach ``threshold``.
    """

    rule: str
    tiled: str
    searched: str
    count: int
    n_cells: int
    reference: Pose
    places: list[CellPlace]
    bins: list[_Bin]
    highest_bin: int
    measure: str
    threshold: float
    bin_width: float

    def shown(self, place: CellPlace) -> str:
        """Return the number that stands in a cell."""
        if self.measure == "correlation":
            return with_minus(f"{place.correlation:.3f}")
        return f"{_rarity(place.chance):.1f}"


def comparison_report(
    comparison: ImpressionComparison,
    a: ReportedScan,
    b: ReportedScan,
    *,
    evaluation: Evaluation | None = None,
    case: CaseLines | None = None,
) -> str:
    """Return the report as the text of one HTML file.

    Everything is inside the file: pictures as data URIs, style and script inline. The same comparison of the same
    scans gives the same bytes: no date, no path, no random name.

    Parameters
    ----------
    comparison : ImpressionComparison
        Of the marks of ``a`` and ``b``, also when it is insufficient.
    a, b : ReportedScan
        What was compared.
    evaluation : Evaluation, optional
        Its weight of evidence. Only with a likelihood ratio is the report an evaluative one; else it is a lead.
    case : CaseLines, optional
        Case, exhibits and examiner, at the head of the page and of every printed page.

    Raises
    ------
    ParameterError
        For an evaluation in another language than English: the rest of the page would not be in it.

    Examples
    --------
    >>> import numpy as np
    >>> from ballistics.impressions.comparing import compare
    >>> from ballistics.surfaces.surface import Mark, Surface
    >>> small = Surface(np.random.default_rng(1).normal(size=(120, 120)), (6.25, 6.25))
    >>> scan = ReportedScan("a.x3p", small, Mark("breech face", small.heights_um.astype(np.float32), 6.25))
    >>> html = comparison_report(compare(scan.mark, scan.mark), scan, scan)
    >>> "INSUFFICIENT" in html
    True
    """
    refuse_half_translated(evaluation)
    lines = case or CaseLines()
    maps = list(_cell_maps(comparison))
    weighed = () if evaluation is None else evaluation.weighed.findings
    json_sha256 = hashlib.sha256(comparison_json(comparison, a, b, evaluation=evaluation)).hexdigest()
    evaluated = evaluation is not None and evaluation.evaluated
    title = f"Comparison of two {comparison.mark_kind} marks"
    values = {
        "running": running_lines(title, (a.name, b.name), lines, evaluated, json_sha256),
        "comparison": comparison,
        "scans": {"a": a, "b": b},
        "marks_sha256": _mark_hashes(comparison),
        "figures": comparison_figures(a, b, comparison.pose),
        "serious": serious_findings(
            (("Weight of evidence", weighed), ("Comparison", comparison.findings), ("A", a.findings), ("B", b.findings))
        ),
        "similarity_sentence": similarity_sentence(comparison),
        "sentence": counts_sentence(comparison),
        "regular_sentence": regular_marks_sentence(comparison),
        "headline_rule": HEADLINE_RULE,
        "rule_explanations": RULE_EXPLANATIONS,
        "limits": limits(None if evaluation is None else evaluation.weighed.result.status),
        "evaluation": evaluation,
        "evaluation_figures": () if evaluation is None else evaluation_figures(evaluation),
        "metadata": metadata_rows(a.surface, b.surface),
        "same_steps": _steps(a) == _steps(b),
        "maps": maps,
        "tables": [] if not maps else [_cell_table(comparison, "a"), _cell_table(comparison, "b")],
        "searches": {"a": comparison.a_in_b, "b": comparison.b_in_a},
        "references": references_of(
            (
                *(made for scan in (a, b) for made in (scan.surface.provenance, scan.mark.provenance)),
                comparison.provenance,
                None if evaluation is None else evaluation.weighed.result.provenance,
            )
        ),
        "command": _command(a, b, evaluation, lines),
        "case": lines,
        "json_sha256": json_sha256,
    }
    filters = {"score": score_text, "unit": unit_of, "shift": _shift}
    return rendered("comparison.html", ["microscope.js", "comparison.js"], filters, values)


def _cell_maps(comparison: ImpressionComparison) -> Iterator[_CellMap]:
    """Return every rule in both directions, when cells were judged."""
    if comparison.pose is None or comparison.a_in_b is None or comparison.b_in_a is None:
        return
    for rule in comparison.rules.values():
        yield _cell_map(rule, "a", comparison.a_in_b, rule.a_in_b)
        yield _cell_map(rule, "b", comparison.b_in_a, rule.b_in_a)


def _cell_map(rule: RuleResult, tiled: str, search: CellSearch, verdict: DirectionVerdict) -> _CellMap:
    places = cell_places(search, verdict)
    if verdict.chances is not None and verdict.chance_level is not None:
        measure, edges, threshold = "rarity", _CHANCE_BINS, _rarity(verdict.chance_level)
        values = np.array([_rarity(chance) for chance in verdict.chances])
    else:
        measure, edges, threshold = "correlation", _BINS, float(rule.parameters["correlation"])
        values = verdict.correlations
    bins = _histogram(values, verdict.congruent, edges)
    # What is drawn last lies on top: congruent cells must not be hidden by the others.
    places.sort(key=lambda place: ("no place", "not congruent", "congruent").index(place.verdict))
    highest = max((b.congruent + b.other for b in bins), default=0)
    searched = "b" if tiled == "a" else "a"
    return _CellMap(
        rule.rule, tiled, searched, verdict.count, search.n_cells, verdict.reference, places, bins, max(highest, 1),
        measure, threshold, float(edges[1] - edges[0]),
    )  # fmt: skip


def _rarity(chance: float) -> float:
    """Return −log₁₀ of a probability: 3 for one in a thousand."""
    return -math.log10(max(chance, 1e-300)) + 0.0 if math.isfinite(chance) else math.nan


def _histogram(values: NDArray[np.float64], chosen: NDArray[np.bool_], edges: NDArray[np.float64]) -> list[_Bin]:
    """Count the cells by a value; the outermost bins also take everything beyond them."""
    inside = np.clip(values, edges[0], edges[-1] - 1e-9)
    known = np.isfinite(inside)
    congruent, _ = np.histogram(inside[known & chosen], edges)
    other, _ = np.histogram(inside[known & ~chosen], edges)
    return [_Bin(float(low), int(yes), int(no)) for low, yes, no in zip(edges[:-1], congruent, other, strict=True)]


def _cell_table(comparison: ImpressionComparison, tiled: str) -> dict[str, Any]:
    """Return one row for each cell: place, agreement, and the verdict under every rule."""
    search = comparison.a_in_b if tiled == "a" else comparison.b_in_a
    assert search is not None
    verdicts = [_direction(rule, tiled) for rule in comparison.rules.values()]
    rows = [
        {
            "name": name,
            "numbers": [
                _cell_number(values[k], digits)
                for values, digits in (
                    (search.centres_x_um / 1000, 2),
                    (search.centres_y_um / 1000, 2),
                    (100 * search.valid_fractions, 0),
                    (np.where(np.isfinite(search.correlations), search.thetas_deg, np.nan), 1),
                    (search.xs_um, 0),
                    (search.ys_um, 0),
                    (search.correlations, 3),
                    (100 * search.overlaps, 0),
                    *_regular_columns(search),
                )
            ],
            "verdicts": [_verdict_of(verdict, k) for verdict in verdicts],
        }
        for k, name in enumerate(cell_names(search))
    ]
    headings = ["x, mm", "y, mm", "filled, %", "turn, °", "Δx, µm", "Δy, µm", "correlation", "overlap, %"]
    if _regular_columns(search):
        headings += ["along lines, %", "without lines"]
    return {"tiled": tiled, "searched": "b" if tiled == "a" else "a", "headings": headings, "rows": rows}


def _regular_columns(search: CellSearch) -> list[tuple[NDArray[np.float64], int]]:
    """Return the two columns of the table that stand only where regular marks were found."""
    if search.regular is None or not search.regular.patterns:
        return []
    return [(100 * search.regular.shares, 0), (search.regular.remaining, 3)]


def _direction(rule: RuleResult, tiled: str) -> DirectionVerdict:
    return rule.a_in_b if tiled == "a" else rule.b_in_a


def _verdict_of(verdict: DirectionVerdict, k: int) -> str:
    if not math.isfinite(verdict.correlations[k]):
        return "no place"
    return "congruent" if bool(verdict.congruent[k]) else "not congruent"


def _cell_number(value: float, digits: int) -> tuple[str, str]:
    """Return what to show, and what to sort by."""
    if not math.isfinite(value):
        return "–", "-1e9"
    return with_minus(f"{value:.{digits}f}"), f"{value:.6g}"


def _mark_hashes(comparison: ImpressionComparison) -> dict[str, str]:
    inputs = comparison.provenance.inputs if comparison.provenance is not None else {}
    return {"a": inputs.get("mark a", ""), "b": inputs.get("mark b", "")}


def _steps(scan: ReportedScan) -> list[Any]:
    return [(step.name, plain(step.parameters)) for step in scan.mark.steps]


def _command(a: ReportedScan, b: ReportedScan, evaluation: Evaluation | None, case: CaseLines) -> str:
    """Return the command that makes this report again."""
    words = ["ballistics", "compare", a.name, b.name, "--mark", a.mark.kind]
    words += [*reading_options(a.surface, "a"), *reading_options(b.surface, "b")]
    words += [*([] if evaluation is None else evaluation.options), *case.options]
    return shlex.join([*words, "--report", "report.html", "--json", "comparison.json"])


def _shift(pose: Pose) -> str:
    """Return a shift in words without minus signs."""
    if not math.isfinite(pose.dx_um) or not math.isfinite(pose.dy_um):
        return "undefined"
    across = f"{abs(pose.dx_um):.0f} µm to the {'right' if pose.dx_um >= 0 else 'left'}"
    return f"{across}, {abs(pose.dy_um):.0f} µm {'down' if pose.dy_um >= 0 else 'up'}"
