"""The first page of an evaluative report: what was asked, examined and found, what it means and what not, for all."""

from __future__ import annotations

from ballistics.reports.contents.case_blocks import Block, Heading, Paragraph, Points, Table
from ballistics.reports.contents.case_contents import (
    CaseContents,
    attentions,
    differ,
    spoken_time,
)

# A page of A4 has to hold it, in every language; what is longer stands in the report only.
_LONGEST_QUOTE, _MOST_ITEMS, _MOST_COMPARISONS, _MOST_CONCLUSIONS, _MOST_ATTENTIONS = 420, 6, 3, 4, 5
_LONGEST_LINE, _LONGEST_TITLE = 200, 120


def summary(contents: CaseContents) -> tuple[Block, ...]:
    """Return the blocks of the page."""
    report, t = contents.report, contents.texts
    case = report.case.record
    return (
        Paragraph(t("Summary for the prosecutor and the court"), "soft"),
        Heading(t("Case {case}: {title}", case=case.id, title=_short(case.title, _LONGEST_TITLE)), 1),
        *_notes(contents),
        Heading(t("What was asked"), 3),
        Paragraph(_short(case.request), "quote"),
        Paragraph(
            t("Asked by: {requester}, {day}.", requester=_short(case.requester, _LONGEST_LINE), day=case.received),
            "soft",
        ),
        Heading(t("What was examined"), 3),
        Points(_examined(contents)),
        Heading(t("What was found"), 3),
        Points(_found(contents)),
        Heading(t("What it means"), 3),
        *_means(contents),
        Heading(t("What it does not mean"), 3),
        Points(not_meant(contents)[:3]),
        Heading(t("Who checked it"), 3),
        checked(contents),
    )


def _notes(contents: CaseContents) -> tuple[Block, ...]:
    t = contents.texts
    said = attentions(contents)
    shown = list(said[:_MOST_ATTENTIONS])
    if len(said) > len(shown):
        shown.append(t("And {number} more: see the report.", number=len(said) - len(shown)))
    return (Points(tuple(_short(each, _LONGEST_LINE) for each in shown), "attention"),) if shown else ()


def _examined(contents: CaseContents) -> tuple[str, ...]:
    report, t = contents.report, contents.texts
    names = list(dict.fromkeys(name for each in report.comparisons for name in contents.items_of(each)))
    shown = [_short(contents.item_words(name), _LONGEST_LINE) for name in names[:_MOST_ITEMS]]
    rest = [t("And {number} more: see the report.", number=len(names) - len(shown))] if len(names) > len(shown) else []
    return (
        *shown,
        *rest,
        t("Items of the case: {all}; compared in this report: {some}.", all=len(report.items), some=len(names)),
    )


def _found(contents: CaseContents) -> tuple[str, ...]:
    report, t = contents.report, contents.texts
    said = []
    for compared in report.comparisons[:_MOST_COMPARISONS]:
        a, b = contents.items_of(compared)
        pair = t("{a} and {b}, {mark}:", a=a, b=b, mark=contents.mark_words(compared))
        said.append(" ".join([_short(pair, _LONGEST_LINE), *map(_short, contents.weight_sentences(compared))]))
    left = len(report.comparisons) - _MOST_COMPARISONS
    if left > 0:
        said.append(t("And {number} more: see the report.", number=left))
    for conclusion in report.conclusions[:_MOST_CONCLUSIONS]:
        record = conclusion.record
        words = t.word("conclusion scales", record.value)
        said.append(
            t("Verification by {name}: {value}.", name=conclusion.by.name, value=words)
            if record.verifies
            else t(
                "Conclusion of {name}: {value} (scale: {scale}).",
                name=conclusion.by.name,
                value=words,
                scale=record.scale,
            )
        )
    for resolution in report.resolutions:
        said.append(
            t(
                "Reported after the disagreement was resolved by {name}: {value}.",
                name=resolution.by.name,
                value=t.word("conclusion scales", resolution.record.value),
            )
        )
    if report.conclusions and not report.resolutions and not differ(report):
        verified = any(each.record.verifies for each in report.conclusions)
        said += [] if verified else [t("No second examiner has verified the conclusion.")]
    return tuple(said)


def _means(contents: CaseContents) -> tuple[Block, ...]:
    """Return propositions and the verbal equivalent, once for all comparisons where they are the same."""
    report, t = contents.report, contents.texts
    said: list[str] = []
    for compared in report.comparisons[:_MOST_COMPARISONS]:
        parts = contents.parts(compared)
        for kind, found in parts:
            wording = None if found.fault else contents.wording(found)
            if wording is None:
                continue
            said += wording.propositions
            about = " – ".join(contents.items_of(compared)) if len(report.comparisons) > 1 else ""
            about = ", ".join(filter(None, (about, contents.kind_words(kind) if len(parts) > 1 else "")))
            said += [f"{about}: {words}" if about else words for words in wording.words[:1]]
    if not said:
        said = [t("Without a likelihood ratio the comparison says nothing on the strength of the findings.")]
    blocks: list[Block] = [Points(tuple(dict.fromkeys(map(_short, said))), "strong")]
    blocks.append(Paragraph(_short(report.report.record.summary), "quote"))
    return tuple(blocks)


def not_meant(contents: CaseContents) -> tuple[str, ...]:
    """Return what readers take such findings for, and must not."""
    t = contents.texts
    return (
        t(
            "It is not the probability that one firearm was used: that depends on all the evidence, and is for the "
            "court."
        ),
        t("It does not say who fired, when, or how the item came to its place."),
        t("A small value is not an exclusion: one firearm can leave poor or different marks."),
        t(
            "It holds for the two propositions and the reference population stated; whether these fit the case is for "
            "the examiner to justify."
        ),
        t("It weighs one kind of mark; values of several marks of the same items must not be multiplied."),
    )


def checked(contents: CaseContents) -> Table:
    """Return who wrote, examined, reviewed and authorised the report, and up to where the log was verified."""
    report, t = contents.report, contents.texts
    rows = [(t.word("roles", person.part), person.name, spoken_time(person.at)) for person in report.persons]
    if report.review is None:
        rows.append((t.word("roles", "reviewer"), t("NOT REVIEWED"), ""))
    if report.authorisation is None:
        rows.append((t.word("roles", "authoriser"), t("NOT AUTHORISED"), ""))
    log = t("verified to entry {number}, no fault", number=report.head.number)
    rows.append((t("Log of the laboratory"), log, spoken_time(report.time)))
    return Table((), tuple(rows), (1.2, 2.2, 1.2))


def _short(text: str, most: int = _LONGEST_QUOTE) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
