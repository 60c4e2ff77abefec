"""A report of a case as a document: lead, or evaluative report with its summary first."""

from __future__ import annotations

from dataclasses import replace

from ballistics.reports.contents.case_blocks import Block, CaseDocument, NewPage, Paragraph, Points
from ballistics.reports.contents.case_contents import CaseContents, spoken_time
from ballistics.reports.contents.case_lead import lead
from ballistics.reports.contents.case_sections import sections
from ballistics.reports.contents.case_summary import summary
from ballistics.reports.wording.case import language_named

_LONGEST_HEAD = 90


def case_document(contents: CaseContents) -> CaseDocument:
    """Return the document of a report.

    Parameters
    ----------
    contents : CaseContents
        The report, what was kept of its comparisons, and the language.

    Raises
    ------
    ParameterError
        For a lead whose author claims what a lead may not.
    """
    report, t = contents.report, contents.texts
    draft = report.report
    if report.is_lead:
        title = t("Lead {name}: case {case}", name=draft.record.id, case=report.case.record.id)
        blocks: tuple[Block, ...] = lead(contents)
        watermarks: tuple[str, ...] = (t("LEAD – NOT EVIDENCE"),)
    else:
        title = t("Evaluative report {name}", name=draft.record.id)
        blocks = (*summary(contents), NewPage(), *sections(contents))
        watermarks = ()
    if report.authorisation is None:
        watermarks = (*watermarks, t("DRAFT – NOT AUTHORISED"))
    name = report.laboratory.get("name", "")
    head = " · ".join(part for part in (name, title, t("Case {case}", case=report.case.record.id)) if part)
    foot = t("As of entry {number} of the log, {time}", number=report.head.number, time=spoken_time(report.time))
    return CaseDocument(
        title=f"{title} · {t('Case {case}', case=report.case.record.id)}",
        language=t.language,
        author=draft.by.name,
        time=report.time,
        watermarks=watermarks,
        head=_short(head),
        foot=f"{foot} · {report.head.hash[:16]}…",
        # The counts are put in where the pages are set.
        page=t("page {page} of {pages}", page="{page}", pages="{pages}"),
        blocks=_with_notes(contents, blocks),
    )


def _with_notes(contents: CaseContents, blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """Put what is to be said on the language behind the last block."""
    t, stated = contents.texts, contents.report.report.record.language
    notes = [
        t(
            "What persons wrote in the records, and what the program noticed of single files, stands here as it was "
            "recorded."
        )
    ]
    if stated != t.language:
        notes.append(
            t(
                "A translation: the report that is reviewed and authorised is in the language {language}.",
                language=language_named(stated),
            )
        )
    if not t.is_confirmed:
        unconfirmed = t("Translation to be confirmed by the laboratory.")
        notes.append(unconfirmed)
        first = blocks[0]
        assert isinstance(first, Paragraph)
        blocks = (replace(first, text=f"{first.text} · {unconfirmed}"), *blocks[1:])
    return (*blocks, Points(tuple(notes), "soft"))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_HEAD else text[: _LONGEST_HEAD - 1] + "…"
