"""A lead: which items an investigation should have examined together, what to do next, and no claim on evidence."""

from __future__ import annotations

import re

from ballistics.errors import ParameterError
from ballistics.reports.contents.case_blocks import Block, Heading, Paragraph, Points, Table
from ballistics.reports.contents.case_contents import CaseContents, attentions
from ballistics.reports.contents.case_sections import custody, identification, integrity, items, review, scans

# What an author may not write into a lead: it would be read as evidence.
_CLAIMS = re.compile(
    r"\b(?:match(?:es|ed|ing)?|likelihood ratio|log10|nats|LR\s*[=:≥>]?\s*\d|"
    r"однос(?:от)? на веродостојност|однос веродостојности|odnos vjerodostojnosti|odnos verodostojnosti|"
    r"raport(?:ul|i)? (?:de verosimilitate|i gjasave|gjasash)|raporti i gjasave)",
    re.IGNORECASE,
)


def lead(contents: CaseContents) -> tuple[Block, ...]:
    """Return the blocks of a lead.

    Raises
    ------
    ParameterError
        When its author claims more than a lead may.
    """
    report, t = contents.report, contents.texts
    _refuse_claims(contents)
    said = attentions(contents)
    parts: tuple[tuple[str, tuple[Block, ...]], ...] = (
        (t("Items to be examined together"), _pairs(contents)),
        (t("What to do next"), (Points(_next(contents)),)),
        (t("What a lead does not say"), (Points(_limits(contents)),)),
        (t("Laboratory, case and request"), identification(contents)),
        (t("Items"), items(contents)),
        (t("Chain of custody"), custody(contents)),
        (t("Scans and instruments"), scans(contents)),
        (t("Review and authorisation"), review(contents)),
        (t("Integrity of the records"), integrity(contents)),
    )
    title = t("Lead {name}: case {case}", name=report.report.record.id, case=report.case.record.id)
    blocks: list[Block] = [
        Paragraph(t("For the investigation"), "soft"),
        Heading(title, 1),
        Points(
            (
                t(
                    "This is a lead, not evidence. It says where to look; it says nothing on whether marks have one "
                    "source, and it must not be used in court."
                ),
                *said,
            ),
            "attention",
        ),
    ]
    for number, (heading, own) in enumerate(parts, 1):
        blocks += [Heading(f"{number}  {heading}"), *own]
    return tuple(blocks)


def _refuse_claims(contents: CaseContents) -> None:
    record = contents.report.report.record
    for name, text in (("summary", record.summary), ("limits", record.limits)):
        found = _CLAIMS.search(text)
        if found is not None:
            raise ParameterError(
                f"'{name}' of lead '{record.id}' says '{found[0]}': a lead makes no evidential claim; amend its text, "
                "or write an evaluative report"
            )


def _pairs(contents: CaseContents) -> tuple[Block, ...]:
    report, t = contents.report, contents.texts
    if not report.comparisons:
        return (
            Paragraph(t("The lead names no pair of items; its author says:")),
            Paragraph(report.report.record.summary, "quote"),
        )
    rows = []
    for compared in report.comparisons:
        a, b = contents.items_of(compared)
        rows.append((contents.item_words(a), contents.item_words(b), contents.mark_words(compared)))
    return (
        Table((t("Item"), t("Item"), t("Mark to be looked at")), tuple(dict.fromkeys(rows)), (2.0, 2.0, 1.2)),
        Paragraph(report.report.record.summary, "quote"),
    )


def _next(contents: CaseContents) -> tuple[str, ...]:
    t = contents.texts
    return (
        t(
            "Have an examiner look at the items themselves: ask the laboratory for an evaluative report, naming case "
            "{case}.",
            case=contents.report.case.record.id,
        ),
        t("Take no measure against a person on this lead alone."),
        t("Look for what else connects the events: time, place, ammunition, witnesses, other items."),
        t("Keep the items sealed, and record every transfer of them."),
        t("Tell the laboratory what became of the lead."),
    )


def _limits(contents: CaseContents) -> tuple[str, ...]:
    t = contents.texts
    own = contents.report.report.record.limits
    return (
        t(
            "It was made to be fast. No examiner has drawn a conclusion for it, and its method leaves wrong pairs "
            "in and right pairs out."
        ),
        t("That items are not named in it does not mean that they have nothing to do with each other."),
        t("It says nothing on who used a firearm."),
        *([own] if own else []),
    )
