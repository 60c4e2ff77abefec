"""What an evaluative report says of each comparison: what was found, how it was weighed, and its pictures."""

from __future__ import annotations

from ballistics.casework import ReportComparison
from ballistics.evidence import format_ratio
from ballistics.reports.contents.case_blocks import (
    Block,
    Heading,
    Paragraph,
    PictureBlock,
    PictureRow,
    Points,
    Table,
    facts,
)
from ballistics.reports.contents.case_contents import (
    CaseContents,
    spoken_time,
)
from ballistics.reports.contents.kept_result import KeptResult


def comparisons_found(contents: CaseContents) -> tuple[Block, ...]:
    """Return what was found in each comparison of the report."""
    blocks: list[Block] = []
    for compared in contents.report.comparisons:
        blocks += _finding(contents, compared)
    return tuple(blocks)


def _finding(contents: CaseContents, compared: ReportComparison) -> list[Block]:
    t, record, found = contents.texts, compared.comparison.record, contents.result(compared)
    a, b = contents.items_of(compared)
    title = t(
        "Comparison {name}: A is {a}, B is {b}; {mark}", name=record.id, a=a, b=b, mark=contents.mark_words(compared)
    )
    by = t(
        "Made by {name}, {time}.", name=compared.comparison.by.name, time=spoken_time(compared.comparison.entry.time)
    )
    blocks: list[Block] = [Heading(title, 3), Paragraph(by, "soft")]
    if found.fault:
        blocks.append(Points((t("Comparison {name}: {reason}.", name=record.id, reason=found.fault),), "attention"))
    if found.parts:
        blocks.append(Points(contents.weight_sentences(compared)[:1], "strong"))
    for kind, part in contents.parts(compared):
        if found.parts:
            blocks.append(Heading(contents.kind_words(kind), 4))
        blocks += [*_pictures(contents, compared, kind, part), *_weighed(contents, compared, part)]
    rows = tuple(
        (t.word("severities", finding.severity), finding.message, finding.action)
        for finding in sorted(found.findings, key=lambda finding: finding.severity != "serious")
        if finding.severity != "note"
    )
    if rows:
        headings = t("Weight"), t("What the program noticed"), t("What was done about it")
        blocks.append(Table(headings, rows, (0.7, 2.6, 2.0)))
    notes = sum(finding.severity == "note" for finding in found.findings)
    if notes:
        blocks.append(Paragraph(t("Notes of no weight, in the kept result: {number}.", number=notes), "soft"))
    return blocks


def _weighed(contents: CaseContents, compared: ReportComparison, found: KeptResult) -> list[Block]:
    """Return the figures of one kind of mark, and what they weigh."""
    t, blocks = contents.texts, list[Block]()
    if found.insufficient:
        blocks.append(Paragraph(t("No comparison is stated: {reason}.", reason=found.insufficient), "strong"))
    if found.figures:
        blocks.append(Table((), tuple((t(name), value) for name, value in found.figures), (1.6, 2.6)))
    several = bool(contents.result(compared).parts)
    blocks.append(Points(contents.weight_of(found, "" if several else compared.comparison.record.no_lr), "strong"))
    wording = None if found.fault else contents.wording(found)
    if wording is not None and found.weight is not None:
        # That the translation is to be confirmed is said once, of the whole document.
        unconfirmed = t("Translation to be confirmed by the laboratory.")
        said = (*wording.words, *(text for text in wording.basis if text != unconfirmed))
        blocks += [Points(said), _basis(contents, compared, found)]
        if found.weight.cautions:
            blocks.append(Points(found.weight.cautions))
    return blocks


def _basis(contents: CaseContents, compared: ReportComparison, found: KeptResult) -> Table:
    t = contents.texts
    assert found.weight is not None
    bounds, language = found.weight.bounds, contents.texts.language
    return facts(
        [
            (
                t("Bounds that the population supports"),
                ""
                if bounds is None
                else f"{format_ratio(bounds.lower, language)} – {format_ratio(bounds.upper, language)} ({bounds.rule})",
            ),
            (t("Model"), found.model),
            (t("SHA-256 of the population"), found.population_sha256),
            (t("SHA-256 of the kept result"), compared.comparison.record.result),
            (
                t("Other scores of the same marks"),
                t(
                    "weighed beside it: {number}; they stand in the kept result and must not be multiplied",
                    number=found.beside,
                )
                if found.beside
                else "",
            ),
        ]
    )


def _pictures(contents: CaseContents, compared: ReportComparison, kind: str, part: KeptResult) -> list[Block]:
    t, found = contents.texts, contents.pictures.get((compared.comparison.record.id, kind))
    if found is None or not found.pngs:
        return [Paragraph(t("The scans cannot be shown here; they are named by their hashes."), "soft")]
    names = [f"{scan.scan.record.item} – {scan.scan.record.name}" for scan in (compared.scans[k] for k in part.shown)]
    row = PictureRow(
        tuple(
            PictureBlock(png, f"{letter}: {name} ({size:.1f} mm)")
            for letter, png, name, size in zip("AB", found.pngs, names, found.sizes_mm, strict=True)
        )
    )
    said = (
        t(
            "The marks as they were compared, B turned and shifted onto A; light from the upper left, heights "
            "exaggerated alike. The picture is for orientation; it is no finding."
        )
        if found.registered
        else t(
            "The scans as they were measured, not turned onto each other; light from the upper left. The picture is "
            "for orientation; it is no finding."
        )
    )
    return [row, Paragraph(said, "soft")]
