"""The HTML report of a comparison of striated marks: one self-contained file to look at, check and print."""

from __future__ import annotations

import hashlib
import shlex

import numpy as np

from ballistics.reports.contents.case_lines import CaseLines
from ballistics.reports.contents.evaluation import Evaluation, evaluation_figures, refuse_half_translated
from ballistics.reports.contents.pair_contents import metadata_rows, reading_options, references_of, serious_findings
from ballistics.reports.figures.agreement import agreement_cells
from ballistics.reports.figures.aligned_signatures import aligned_signatures
from ballistics.reports.figures.land_steps import BAND_COLOURS, land_steps
from ballistics.reports.figures.pictures import palette_of
from ballistics.reports.figures.striated_pair import HEIGHT_COLOURS, SEAM, striated_pair
from ballistics.reports.figures.striated_steps import striated_steps
from ballistics.reports.pages.rendering import rendered, running_lines
from ballistics.reports.reported_striae import ReportedStriae
from ballistics.reports.schemas.striation_json import striation_json
from ballistics.reports.wording.striation import counts_of_striae, kind_in_plural, striation_limits, striation_sentence
from ballistics.striations import StriationComparison


def striation_report(
    comparison: StriationComparison,
    a: ReportedStriae,
    b: ReportedStriae,
    *,
    evaluation: Evaluation | None = None,
    case: CaseLines | None = None,
) -> str:
    """Return the report as the text of one HTML file.

    Everything is inside the file: pictures as data URIs, style and script inline. The same comparison of the same
    marks gives the same bytes: no date, no path, no random name.

    Parameters
    ----------
    comparison : StriationComparison
        Of the signatures of ``a`` and ``b``, also when it is insufficient.
    a, b : ReportedStriae
        What was compared; marks without a scan have no pictures but their signatures.
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
    >>> from ballistics.striations import Signature, compare_signatures
    >>> x = np.cumsum(np.random.default_rng(1).normal(size=800)) * 0.1
    >>> marks = [ReportedStriae(name, Signature(x, 1.5625)) for name in ("a", "b")]
    >>> page = striation_report(compare_signatures(marks[0].signature, marks[1].signature), *marks)
    >>> "The marks agree by" in page
    True
    """
    refuse_half_translated(evaluation)
    lines = case or CaseLines()
    placement = comparison.placement
    picture = None if placement is None else striated_pair(a, b, placement)
    sides = None if picture is None else (picture.frame.left_um, picture.frame.left_um + picture.frame.width_um)
    weighed = () if evaluation is None else evaluation.weighed.findings
    json_sha256 = hashlib.sha256(striation_json(comparison, a, b, evaluation=evaluation)).hexdigest()
    evaluated = evaluation is not None and evaluation.evaluated
    title = f"Comparison of two {kind_in_plural(comparison.mark_kind)}"
    hashes = comparison.provenance.inputs if comparison.provenance is not None else {}
    values = {
        "running": running_lines(title, (a.name, b.name), lines, evaluated, json_sha256),
        "title": title,
        "comparison": comparison,
        "scans": {"a": a, "b": b},
        "case": lines,
        "signatures_sha256": {letter: hashes.get(letter, "") for letter in "ab"},
        "picture": picture,
        "seam": SEAM if picture is None else picture.seam,
        "signatures": aligned_signatures(comparison, a.signature, b.signature, sides),
        "agreements": {}
        if placement is None
        else {"a": agreement_cells(a, b, placement, True), "b": agreement_cells(b, a, placement, False)},
        "steps": {"a": land_steps(a), "b": land_steps(b)},
        "short_steps": {"a": striated_steps(a), "b": striated_steps(b)},
        "height_scale": colour_scale(HEIGHT_COLOURS),
        "band_scale": colour_scale(BAND_COLOURS),
        "serious": serious_findings(
            (("Weight of evidence", weighed), ("Comparison", comparison.findings), ("A", a.findings), ("B", b.findings))
        ),
        "sentence": striation_sentence(comparison),
        "counts": counts_of_striae(comparison),
        "limits": striation_limits(None if evaluation is None else evaluation.weighed.result.status),
        "evaluation": evaluation,
        "evaluation_figures": () if evaluation is None else evaluation_figures(evaluation),
        "metadata": metadata_rows(a.surface, b.surface),
        "references": references_of(
            (
                *(side.surface.provenance for side in (a, b) if side.surface is not None),
                *(side.signature.provenance for side in (a, b)),
                comparison.provenance,
                None if evaluation is None else evaluation.weighed.result.provenance,
            )
        ),
        "command": _command(comparison, a, b, evaluation, lines),
        "json_sha256": json_sha256,
    }  # fmt: skip
    return rendered("striation.html", ["microscope.js"], {}, values)


def colour_scale(colours: str) -> list[str]:
    """Return nine colours of a scale for its legend."""
    palette = palette_of(colours)
    return ["#{:02x}{:02x}{:02x}".format(*palette[k]) for k in np.linspace(0, 254, 9).astype(int)]


def _command(
    comparison: StriationComparison,
    a: ReportedStriae,
    b: ReportedStriae,
    evaluation: Evaluation | None,
    case: CaseLines,
) -> str:
    """Return the command that makes this report again; empty where a mark did not come from a file."""
    if a.surface is None or b.surface is None:
        return ""
    words = ["ballistics", "compare", a.name, b.name, "--mark", comparison.mark_kind]
    words += [*reading_options(a.surface, "a"), *reading_options(b.surface, "b")]
    words += [*([] if evaluation is None else evaluation.options), *case.options]
    return shlex.join([*words, "--report", "report.html", "--json", "comparison.json"])
