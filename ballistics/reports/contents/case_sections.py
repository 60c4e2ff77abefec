"""The sections of an evaluative report, in the order of ISO 21043-5's contents."""

from __future__ import annotations

from ballistics.casework import Conclusion, Recorded
from ballistics.reports.contents.case_blocks import Block, Heading, Paragraph, Points, Table, facts
from ballistics.reports.contents.case_contents import (
    CaseContents,
    attentions,
    calibration_words,
    competence_words,
    differ,
    instrument_words,
    spoken_time,
    validation_words,
)
from ballistics.reports.contents.case_findings import comparisons_found
from ballistics.reports.contents.case_summary import not_meant
from ballistics.reports.wording.case import CaseTexts


def sections(contents: CaseContents) -> tuple[Block, ...]:
    """Return the blocks of all sections, numbered."""
    t = contents.texts
    parts: tuple[tuple[str, tuple[Block, ...]], ...] = (
        (t("Laboratory, case and request"), (*identification(contents), *_in_own_words(contents))),
        (t("Propositions"), _propositions(contents)),
        (t("Items"), items(contents)),
        (t("Chain of custody"), custody(contents)),
        (t("Information considered"), _information(contents)),
        (t("Scans and instruments"), scans(contents)),
        (t("Methods, validation and competence"), _methods(contents)),
        (t("Observations"), _observations(contents)),
        (t("Findings"), comparisons_found(contents)),
        (t("Conclusions"), _conclusions(contents)),
        (t("Limits"), _limits(contents)),
        (t("Review and authorisation"), review(contents)),
        (t("Integrity of the records"), integrity(contents)),
    )
    blocks: list[Block] = [Heading(t("Evaluative report {name}", name=contents.report.report.record.id), 1)]
    for number, (title, own) in enumerate(parts, 1):
        blocks += [Heading(f"{number}  {title}"), *own]
    return tuple(blocks)


def identification(contents: CaseContents) -> tuple[Block, ...]:
    """Return who reports what to whom."""
    report, t = contents.report, contents.texts
    case, draft = report.case.record, report.report
    known = {"name": t("Laboratory"), "country": t("Country"), "accreditation": t("Accreditation")}
    laboratory = [(known.get(name, name), value) for name, value in report.laboratory.items()]
    rows = [
        *sorted(laboratory, key=lambda row: row[0] != t("Laboratory")),
        (
            t("Report"),
            t(
                "{name}, draft {number}, entry {entry} of the log",
                name=draft.record.id,
                number=report.draft,
                entry=draft.entry.number,
            ),
        ),
        (t("Author"), f"{draft.by.name}, {spoken_time(draft.entry.time)}"),
        (t("Case"), f"{case.id}: {case.title}"),
        (t("Requester"), case.requester),
        (t("Request"), case.request),
        (t("Request received"), spoken_time(case.received)),
        (t("Purpose"), t.word("purposes", case.purpose)),
        (t("Country or court"), case.jurisdiction),
    ]
    if not report.is_lead:
        rows.append(
            (
                t("Examination"),
                t("blind: scores and information were hidden until the examiner had concluded")
                if case.blind
                else t("not blind: scores and information were open to the examiner"),
            )
        )
    for incident in report.incidents:
        record = incident.record
        parts = (t.word("incident types", record.kind), spoken_time(record.date), record.place, record.description)
        rows.append((t("Incident {name}", name=record.id), "; ".join(part for part in parts if part)))
    return (facts(rows),)


def _in_own_words(contents: CaseContents) -> tuple[Block, ...]:
    t, said = contents.texts, contents.report.report.record.summary
    return Paragraph(t("In the author's words"), "strong"), Paragraph(said, "quote")


def _propositions(contents: CaseContents) -> tuple[Block, ...]:
    report, t = contents.report, contents.texts
    blocks: list[Block] = []
    if report.case.record.propositions:
        blocks.append(Paragraph(t("Of the case, as they were agreed with the requester:")))
        blocks.append(Points(report.case.record.propositions, "quote"))
    parts = [part for each in report.comparisons for _, part in contents.parts(each)]
    weighed = [wording.propositions for part in parts if (wording := contents.wording(part)) is not None]
    if weighed:
        blocks.append(Paragraph(t("Weighed by the likelihood ratio:")))
        blocks.append(Points(tuple(dict.fromkeys(text for pair in weighed for text in pair))))
    return tuple(blocks) or (Paragraph(t("No propositions were stated, and none were weighed.")),)


def items(contents: CaseContents) -> tuple[Block, ...]:
    """Return what was received, how packed, sealed and marked."""
    report, t = contents.report, contents.texts
    if not report.items:
        return (Paragraph(t("No item is on record.")), *_test_fires(contents))
    rows = []
    for each in report.items:
        item = each.record
        what = ", ".join(
            part for part in (t.word("item types", item.kind), item.calibre, item.make, item.model) if part
        )
        serial = [t("serial number {serial}", serial=item.serial)] if item.serial else []
        condition = [t.word("marking conditions", item.condition)] if item.condition else []
        found = "; ".join(part for part in (item.found_at, spoken_time(item.found_on), item.incident) if part)
        packed = "; ".join(part for part in (item.packaging, item.seal) if part)
        rows.append((item.id, what, "; ".join((item.description, *serial, *condition)), found, packed))
    headings = t("Item"), t("What it is"), t("Description, condition"), t("Found"), t("Packaging, seal")
    return (Table(headings, tuple(rows), (0.9, 1.3, 2.0, 1.3, 1.1)), *_test_fires(contents))


def _test_fires(contents: CaseContents) -> tuple[Block, ...]:
    """Return where the reference items come from that are no items of the case."""
    report, t = contents.report, contents.texts
    rows = []
    for fire in report.test_fires:
        of, session = fire.firearm, fire.session
        serial = t("serial number {serial}", serial=of.serial) if of.serial else ""
        words = ", ".join(part for part in (of.id, of.make, of.model, of.calibre, serial, of.item) if part)
        rows.append(
            (
                fire.shot.id,
                words,
                session.ammunition,
                f"{session.id}\n{spoken_time(session.date)}",
                f"{session.operator}; {session.place}",
            )
        )
    if not rows:
        return ()
    headings = t("Test fire"), t("Firearm"), t("Ammunition"), t("Session"), t("Who, where")
    return (Table(headings, tuple(rows), (0.9, 2.0, 1.3, 1.2, 1.2)),)


def custody(contents: CaseContents) -> tuple[Block, ...]:
    """Return who had which item, when and where."""
    report, t = contents.report, contents.texts
    if not report.custody:
        return (Paragraph(t("No transfer of an item is on record.")),)
    rows = []
    for each in report.custody:
        link = each.record
        passed = " → ".join(part for part in (link.given_by, link.taken_by) if part)
        who = "; ".join(part for part in (link.by, passed, link.note) if part)
        intact = {"yes": t("intact before"), "no": t("NOT INTACT before"), "not known": t("not known if intact")}
        seal = "; ".join(part for part in (link.seal, intact.get(link.seal_intact, link.seal_intact)) if part)
        event = t.word("custody events", link.event)
        rows.append((spoken_time(link.at), event, ", ".join(link.items), link.place, who, seal))
    headings = t("When"), t("What"), t("Items"), t("Where"), t("Who"), t("Seal")
    return (Table(headings, tuple(rows), (1.1, 0.9, 0.9, 1.1, 1.4, 1.2)),)


def _information(contents: CaseContents) -> tuple[Block, ...]:
    report, t = contents.report, contents.texts
    if report.information_withheld:
        return (
            Paragraph(
                t(
                    "Records of information on the case that were not shown to the author: {number}. They are "
                    "not in this report.",
                    number=report.information_withheld,
                )
            ),
        )
    if not report.information:
        return (Paragraph(t("No information beside the items is on record.")),)
    rows = [(each.record.id, each.record.known, each.record.source) for each in report.information]
    return (Table((t("Record"), t("What is known"), t("From")), tuple(rows), (0.8, 3.0, 1.2)),)


def scans(contents: CaseContents) -> tuple[Block, ...]:
    """Return what was measured with what, and whether that was calibrated then."""
    report, t = contents.report, contents.texts
    rows = []
    for each in report.scans:
        scan = each.scan.record
        measured = f"{spoken_time(scan.at)}, {scan.by}"
        mark = t.word("mark types", scan.mark)
        rows.append(
            (
                f"{scan.id}\n{mark}",
                f"{scan.name}\nSHA-256 {scan.file}",
                f"{instrument_words(each)}\n{measured}",
                calibration_words(each, t),
            )
        )
    if not rows:
        return (Paragraph(t("The report rests on no scan.")),)
    headings = t("Scan, mark"), t("File"), t("Instrument, measured"), t("Calibration at that time")
    return (Table(headings, tuple(rows), (1.0, 1.8, 1.4, 1.6)),)


def _methods(contents: CaseContents) -> tuple[Block, ...]:
    report, t = contents.report, contents.texts
    rows: dict[tuple[str, ...], None] = {}
    settings: list[str] = []
    for each in report.comparisons:
        record = each.comparison.record
        mark = contents.mark_words(each)
        rows[record.method, record.version, mark, validation_words(each, t)] = None
        settings += [f"{record.id}: {text}" for text in record.settings]
    methods = Table((t("Method"), t("Version"), t("Mark"), t("Validation")), tuple(rows), (1.6, 0.6, 0.9, 2.0))
    usual = t("All parameters are those of the method; they stand in the kept results.")
    changed = Points((t("Parameters that were set otherwise:"), *settings)) if settings else Paragraph(usual)
    versions = dict(pair for each in report.comparisons for pair in contents.result(each).versions)
    packages = ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))
    people = [
        (f"{person.name} ({person.operator})", t.word("roles", person.part), competence_words(person, t))
        for person in report.persons
        if person.competence is not None
    ]
    return (
        methods,
        changed,
        *([Paragraph(t("Programs: {packages}.", packages=packages), "soft")] if packages else []),
        Table((t("Person"), t("Part"), t("Authorisation for the method")), tuple(people), (1.4, 0.9, 2.8)),
    )


def _observations(contents: CaseContents) -> tuple[Block, ...]:
    report, t = contents.report, contents.texts
    if not report.observations:
        return (Paragraph(t("No observation is on record.")),)
    rows = [
        (
            f"{each.by.name}\n{spoken_time(each.entry.time)}",
            ", ".join(each.record.items),
            t.word("suitability", each.record.suitability),
            each.record.seen,
        )
        for each in report.observations
    ]
    note = Paragraph(t("Recorded by each examiner on the items themselves, before any conclusion."), "soft")
    headings = t("Examiner"), t("Items"), t("Marks for comparison"), t("What was seen")
    return note, Table(headings, tuple(rows), (1.2, 1.0, 1.0, 2.4))


def _conclusions(contents: CaseContents) -> tuple[Block, ...]:
    report, t = contents.report, contents.texts
    if not report.conclusions:
        return (Paragraph(t("The report states no conclusion of an examiner on a scale.")),)
    rows = tuple(_conclusion(each, t) for each in report.conclusions)
    headings = t("Examiner"), t("Items"), t("Conclusion"), t("Reasons")
    blocks: list[Block] = [Table(headings, rows, (1.4, 1.0, 1.4, 2.2))]
    if differ(report):
        blocks.append(Points((t("The examiners disagree; both conclusions stand."),), "attention"))
    for each in report.resolutions:
        record = each.record
        blocks.append(
            Paragraph(
                t(
                    "Resolution by {name}, {time}: {value}.",
                    name=each.by.name,
                    time=spoken_time(each.entry.time),
                    value=t.word("conclusion scales", record.value),
                ),
                "strong",
            )
        )
        blocks.append(Paragraph(record.reasons, "quote"))
    blocks.append(
        Paragraph(
            t(
                "A conclusion on such a scale is the examiner's opinion. It is not the verbal equivalent "
                "of the likelihood ratio, which stands with the findings."
            ),
            "soft",
        )
    )
    return tuple(blocks)


def _conclusion(found: Recorded[Conclusion], t: CaseTexts) -> tuple[str, ...]:
    record = found.record
    part = t("verifies {name}", name=record.verifies) if record.verifies else t("first examiner")
    value = f"{t.word('conclusion scales', record.value)}\n({record.scale})"
    if record.after_unmasking:
        value += "\n" + t("RECORDED AFTER scores or information had been shown")
    who = f"{found.by.name}\n{record.id}, {part}\n{spoken_time(found.entry.time)}"
    return who, ", ".join(record.items), value, record.reasons


def _limits(contents: CaseContents) -> tuple[Block, ...]:
    report, t = contents.report, contents.texts
    blocks: list[Block] = []
    if report.report.record.limits:
        blocks.append(Paragraph(report.report.record.limits, "quote"))
    said = attentions(contents)
    blocks += [Points(said, "attention")] if said else []
    blocks.append(Points((*not_meant(contents), *_others(contents))))
    for each in report.nonconformities:
        parts = (each.record.what, each.record.action)
        blocks.append(Paragraph(f"{each.record.id}: " + "; ".join(part for part in parts if part), "quote"))
    return tuple(blocks) or (Paragraph(t("None is stated.")),)


def _others(contents: CaseContents) -> tuple[str, ...]:
    t = contents.texts
    n_comparisons, n_conclusions = contents.report.others
    if not n_comparisons and not n_conclusions:
        return (t("The case holds no other comparison and no other conclusion than those stated."),)
    return (
        t(
            "The case also holds records that this report does not state: comparisons, {comparisons}; conclusions, "
            "{conclusions}.",
            comparisons=n_comparisons,
            conclusions=n_conclusions,
        ),
    )


def review(contents: CaseContents) -> tuple[Block, ...]:
    """Return who reviewed and authorised this draft, and what was checked."""
    report, t = contents.report, contents.texts
    found, allowed = report.review, report.authorisation
    rows: list[tuple[str, str]] = [
        (t("Author"), f"{report.report.by.name}, {spoken_time(report.report.entry.time)}"),
        (
            t("Review"),
            t("NOT REVIEWED")
            if found is None
            else f"{t.word('review outcomes', found.record.outcome)}: {found.by.name}, {spoken_time(found.entry.time)}",
        ),
    ]
    if found is not None:
        rows.append((t("Checked"), "; ".join(t.word("review checks", each) for each in found.record.checked)))
        rows.append((t("Note of the reviewer"), found.record.note))
    rows.append(
        (
            t("Authorisation"),
            t("NOT AUTHORISED") if allowed is None else f"{allowed.by.name}, {spoken_time(allowed.entry.time)}",
        )
    )
    if allowed is not None:
        rows.append((t("Note of the authoriser"), allowed.record.note))
    same = t("Author, reviewer and authoriser are three persons; review and authorisation are of exactly this draft.")
    return facts(rows), Paragraph(same, "soft")


def integrity(contents: CaseContents) -> tuple[Block, ...]:
    """Return what the log was when the report was made, so that it can be held against the log later."""
    report, t = contents.report, contents.texts
    digits = report.head.hash
    groups = [digits[start : start + 8] for start in range(0, 64, 8)]
    said = t(
        "Every record is an entry of the laboratory's log, signed by who made it and bound to all entries "
        "before. The log was verified from its first entry to entry {number}: nothing was altered, removed or put in. "
        "The files that this report rests on are the files that were recorded.",
        number=report.head.number,
    )
    how = t(
        "To check it: `ballistics case verify` with this receipt. The same report can be made again, byte "
        "for byte, with `ballistics case report LABORATORY {report} --as-of {number}`.",
        report=report.report.record.id,
        number=report.head.number,
    )
    receipt = facts(
        [
            (t("Library"), report.library),
            (t("Entries"), str(report.head.number)),
            (t("Hash of the last"), " ".join(groups)),
            (t("Time of the last"), spoken_time(report.time)),
        ]
    )
    return Paragraph(said), receipt, Paragraph(how, "soft")
