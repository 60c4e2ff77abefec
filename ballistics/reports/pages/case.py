"""A report of a case as HTML and PDF: the same log, the same bytes, whatever was recorded since."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from ballistics.casework import Casebook, CaseReport, ReportComparison, case_report
from ballistics.errors import CorruptFileError, ParameterError
from ballistics.progress import Progress
from ballistics.records import SigningKey
from ballistics.reports.contents.case_blocks import CaseDocument
from ballistics.reports.contents.case_contents import CaseContents
from ballistics.reports.contents.case_document import case_document
from ballistics.reports.contents.kept_result import KeptResult, kept_result
from ballistics.reports.figures.kept_pair import KeptPictures, KeptScan, kept_pictures
from ballistics.reports.pages.case_pdf import case_pdf
from ballistics.reports.pages.rendering import css_text, rendered
from ballistics.reports.wording.case import CaseTexts

FORMATS = ("html", "pdf")


def case_pages(
    book: Casebook,
    report: str,
    formats: Sequence[str] = FORMATS,
    *,
    language: str | None = None,
    as_of: int | None = None,
    reader: SigningKey | None = None,
    progress: Progress | None = None,
) -> dict[str, bytes]:
    """Return a report of a case as the bytes of its pages.

    Parameters
    ----------
    book : Casebook
        The laboratory's.
    report : str
        Identifier of the report.
    formats : sequence of str
        ``"html"`` and ``"pdf"`` (extra ``pdf``).
    language : str, optional
        Of the fixed texts; that of the report by default.
    as_of : int, optional
        The last entry of the log that counts; see `ballistics.casework.case_report`.
    reader : SigningKey, optional
        Who reads it; needed for the draft of a blind case.
    progress : callable, optional
        Told how many entries of the log have been verified.

    Returns
    -------
    dict of str to bytes
        Format to page: the same entry of the log and the same version of this program give the same bytes.

    Raises
    ------
    ParameterError
        For another format or language, a report that there is not, or a lead that claims what a lead may not.
    RefusedError
        When the reader must not see the draft of a blind case.
    CorruptFileError
        When the log does not verify up to that entry, or a file that the report rests on was changed: no report is
        made of records that cannot be relied on.
    """
    unknown = [name for name in formats if name not in FORMATS]
    if unknown:
        raise ParameterError(f"a report of a case is written as {' or '.join(FORMATS)}, not as '{unknown[0]}'")
    gathered = case_report(book, report, as_of=as_of, reader=reader)
    _verify(book, gathered, progress)
    document = case_document(_contents(book, gathered, CaseTexts(language or gathered.report.record.language)))
    made = {"html": case_html, "pdf": case_pdf}
    return {name: made[name](document) for name in formats}


def case_html(document: CaseDocument) -> bytes:
    """Return a document of a case as one self-contained HTML file, without a script, to be printed on A4."""
    before, _, rest = document.page.partition("{page}")
    between, _, after = rest.partition("{pages}")
    parts = css_text(before), "counter(page)", css_text(between), "counter(pages)", css_text(after)
    values = {
        "document": document,
        "blocks": [(type(block).__name__, block) for block in document.blocks],
        "head": css_text(document.head),
        "foot": css_text(document.foot),
        "marks": css_text(" · ".join(document.watermarks)),
        "page": Markup(" ").join(map(Markup, parts)),
    }
    filters = {"base64": lambda data: base64.b64encode(data).decode("ascii")}
    return rendered("case.html", (), filters, values).encode("utf-8", "replace")


def _verify(book: Casebook, report: CaseReport, progress: Progress | None) -> None:
    """Refuse to report what cannot be relied on; what is wrong after the report's entry does not touch it."""
    found = book.verify(files=False, progress=progress).log
    faults = [fault.message for fault in found.faults if fault.number <= report.head.number]
    if faults:
        raise CorruptFileError(
            f"{book.log.where}: the log does not verify, so no report is made of it: {faults[0]} "
            f"({len(faults)} faults; `ballistics case verify` shows them all)"
        )
    for name in report.kept_files:
        fault = book.files.fault(name)
        if fault is not None:
            raise CorruptFileError(
                f"file {name[:12]}… that report '{report.report.record.id}' rests on: {fault}; no report is made "
                "without it: take it from a backup"
            )


def _contents(book: Casebook, report: CaseReport, texts: CaseTexts) -> CaseContents:
    results: dict[str, KeptResult] = {}
    pictures: dict[tuple[str, str], KeptPictures] = {}
    # A lead shows neither a result nor a picture of marks side by side, which would be read as one.
    for compared in () if report.is_lead else report.comparisons:
        record = compared.comparison.record
        results[record.id] = kept_result(book.files.read(record.result), compared)
        for kind, part in results[record.id].parts or ((record.mark, results[record.id]),):
            pictures[record.id, kind] = _pictures(book, compared, part)
    return CaseContents(report, results, pictures, texts)


def _pictures(book: Casebook, compared: ReportComparison, result: KeptResult) -> KeptPictures:
    sides = []
    for number, place in enumerate(result.shown):
        scan = compared.scans[place].scan.record
        mark = result.marks[number] if result.marks else None
        steps, digest = ((), "") if mark is None else (mark.steps, mark.mark_sha256)
        path: Path = book.files.path(scan.file)
        sides.append(KeptScan(path, scan.name, scan.units, scan.mark, steps, digest))
    return kept_pictures(sides[0], sides[1], result.pose)
