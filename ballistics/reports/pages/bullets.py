"""The HTML report of two bullets: all lands against all, the best phase, and each of its pairs to open."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ballistics.findings import Finding
from ballistics.reports.contents.case_lines import CaseLines
from ballistics.reports.contents.evaluation import Evaluation, evaluation_figures, refuse_half_translated
from ballistics.reports.contents.pair_contents import references_of, serious_findings
from ballistics.reports.figures.agreement import AgreementCells, agreement_cells
from ballistics.reports.figures.aligned_signatures import AlignedSignatures, aligned_signatures
from ballistics.reports.figures.land_matrix import matrix_rows, phase_bars
from ballistics.reports.figures.land_steps import BAND_COLOURS, LandSteps, land_steps
from ballistics.reports.figures.striated_pair import HEIGHT_COLOURS, SEAM, StriatedPair, striated_pair
from ballistics.reports.pages.rendering import rendered, running_lines
from ballistics.reports.pages.striation import colour_scale
from ballistics.reports.reported_striae import ReportedStriae
from ballistics.reports.schemas.striation_json import bullets_json
from ballistics.reports.wording.striation import (
    BULLETS_LIMIT,
    bullets_sentence,
    chance_sentence,
    counts_of_striae,
    striation_limits,
    striation_sentence,
)
from ballistics.striations import BulletComparison, StriationComparison

# Several pairs stand on one page: their pictures are smaller than those of a page for one pair.
_LARGEST_POINTS = 640


@dataclass(frozen=True, eq=False)
class _OpenedPair:
    """One pair of lands of the best phase, ready to be drawn; positions from 0."""

    row: int
    column: int
    comparison: StriationComparison
    sentence: str
    counts: str
    picture: StriatedPair | None
    signatures: AlignedSignatures | None
    agreements: dict[str, AgreementCells | None]


@dataclass(frozen=True, eq=False)
class _OpenedLand:
    """One land of a bullet; ``bullet`` is "a" or "b"."""

    bullet: str
    number: int
    striae: ReportedStriae | None
    steps: LandSteps | None


def bullets_report(
    bullets: BulletComparison,
    a: Sequence[ReportedStriae | None],
    b: Sequence[ReportedStriae | None],
    pairs: Mapping[tuple[int, int], StriationComparison],
    *,
    names: tuple[str, str] = ("bullet A", "bullet B"),
    evaluation: Evaluation | None = None,
    case: CaseLines | None = None,
) -> str:
    """Return the report as the text of one HTML file; the same comparison of the same lands gives the same bytes.

    Parameters
    ----------
    bullets : BulletComparison
        Of the signatures of ``a`` and ``b``, also when it is insufficient.
    a, b : sequence of ReportedStriae or None
        Their lands in order; None for one that is missing.
    pairs : mapping of tuple of int to StriationComparison
        The pairs of lands to open, by their positions in ``a`` and ``b`` from 0: those of the best phase.
    names : tuple of str
        What the bullets are called.
    evaluation : Evaluation, optional
        Its weight of evidence; without a likelihood ratio the report is a lead.
    case : CaseLines, optional
        Case, exhibits and examiner.

    Raises
    ------
    ParameterError
        For an evaluation in another language than English.
    """
    refuse_half_translated(evaluation)
    lines = case or CaseLines()
    json_sha256 = hashlib.sha256(bullets_json(bullets, a, b, pairs, evaluation=evaluation)).hexdigest()
    evaluated = evaluation is not None and evaluation.evaluated
    weighed = () if evaluation is None else evaluation.weighed.findings
    lands = [
        _OpenedLand(letter, k, striae, None if striae is None else land_steps(striae, _LARGEST_POINTS))
        for letter, side in (("a", a), ("b", b))
        for k, striae in enumerate(side, 1)
    ]
    findings: list[tuple[str, Sequence[Finding]]] = [
        (f"{land.bullet.upper()}{land.number}", land.striae.findings) for land in lands if land.striae is not None
    ]
    findings += [(f"A{i + 1} and B{j + 1}", pair.findings) for (i, j), pair in sorted(pairs.items())]
    values = {
        "running": running_lines("Comparison of two bullets", names, lines, evaluated, json_sha256),
        "bullets": bullets,
        "names": names,
        "case": lines,
        "sentence": bullets_sentence(bullets),
        "chance": chance_sentence(bullets),
        "matrix": matrix_rows(bullets),
        "bars": phase_bars(bullets),
        "opened": [_opened(i, j, pairs[i, j], a[i], b[j]) for i, j in sorted(pairs)],
        "lands": lands,
        "findings": findings,
        "serious": serious_findings([("Weight of evidence", weighed), *findings]),
        "limits": (BULLETS_LIMIT, *striation_limits(None if evaluation is None else evaluation.weighed.result.status)),
        "evaluation": evaluation,
        "evaluation_figures": () if evaluation is None else evaluation_figures(evaluation),
        "seam": SEAM,
        "height_scale": colour_scale(HEIGHT_COLOURS),
        "band_scale": colour_scale(BAND_COLOURS),
        "provenance": next((pair.provenance for _, pair in sorted(pairs.items())), None),
        "references": references_of(
            (
                *(land.striae.signature.provenance for land in lands if land.striae is not None),
                *(pair.provenance for pair in pairs.values()),
                None if evaluation is None else evaluation.weighed.result.provenance,
            )
        ),
        "json_sha256": json_sha256,
    }
    return rendered("bullets.html", ["microscope.js"], {}, values)


def _opened(
    row: int, column: int, comparison: StriationComparison, a: ReportedStriae | None, b: ReportedStriae | None
) -> _OpenedPair:
    sentence, counts = striation_sentence(comparison), counts_of_striae(comparison)
    if a is None or b is None or comparison.placement is None:
        return _OpenedPair(row, column, comparison, sentence, counts, None, None, {})
    picture = striated_pair(a, b, comparison.placement, _LARGEST_POINTS)
    sides = None if picture is None else (picture.frame.left_um, picture.frame.left_um + picture.frame.width_um)
    signatures = aligned_signatures(comparison, a.signature, b.signature, sides)
    placement = comparison.placement
    agreements = {"a": agreement_cells(a, b, placement, True), "b": agreement_cells(b, a, placement, False)}
    return _OpenedPair(row, column, comparison, sentence, counts, picture, signatures, agreements)
