"""What the parts of a document of a case share: the report, what was kept of its comparisons, and how it is said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ballistics.casework import CaseReport, Item, Recorded, ReportComparison, ReportPerson, ReportScan
from ballistics.evidence import Wording, format_ratio, phrase
from ballistics.reports.contents.kept_result import KeptResult
from ballistics.reports.figures.kept_pair import KeptPictures
from ballistics.reports.wording.case import CaseTexts


@dataclass(frozen=True)
class CaseContents:
    """A report of a case with all that it shows.

    Parameters
    ----------
    report : CaseReport
        From the log.
    results : mapping of str to KeptResult
        By identifier of the comparison; none for a lead.
    pictures : mapping of (str, str) to KeptPictures
        By identifier of the comparison, and kind of mark.
    texts : CaseTexts
        The fixed texts.
    """

    report: CaseReport
    results: Mapping[str, KeptResult]
    pictures: Mapping[tuple[str, str], KeptPictures]
    texts: CaseTexts

    def result(self, compared: ReportComparison) -> KeptResult:
        """Return the kept result of a comparison."""
        return self.results[compared.comparison.record.id]

    def parts(self, compared: ReportComparison) -> tuple[tuple[str, KeptResult], ...]:
        """Return what was weighed: kind of mark and result, several of two heads."""
        found = self.result(compared)
        return found.parts or ((compared.comparison.record.mark, found),)

    def wording(self, found: KeptResult) -> Wording | None:
        """Return the sentences of the weight of a result; None where nothing was weighed."""
        return None if found.weight is None else phrase(found.weight, self.texts.language, found.scale)

    def weight_sentences(self, compared: ReportComparison) -> tuple[str, ...]:
        """Return the likelihood ratio with interval and bound, or why there is none; of all marks where several are."""
        found, record = self.result(compared), compared.comparison.record
        if not found.parts:
            return self.weight_of(found, record.no_lr)
        t = self.texts
        if found.together is None:
            said = t("All marks together: no likelihood ratio is stated: {reason}.", reason=record.no_lr.rstrip("."))
        else:
            low, high = (format_ratio(value, t.language) for value in found.bounds or (0.0, 0.0))
            said = t(
                "All marks together: likelihood ratio {ratio}, within the bounds {low} to {high} that pairs of scans "
                "known in every reference support.",
                ratio=format_ratio(found.together, t.language),
                low=low,
                high=high,
            )
        of_parts = [f"{self.kind_words(kind)}: {' '.join(self.weight_of(part, ''))}" for kind, part in found.parts]
        return (said, *of_parts)

    def weight_of(self, found: KeptResult, no_lr: str) -> tuple[str, ...]:
        """Return the likelihood ratio of one result, or why there is none.

        Parameters
        ----------
        found : KeptResult
            Of one kind of mark.
        no_lr : str
            Why nothing was weighed, as recorded.
        """
        t = self.texts
        if found.fault:
            return (t("No likelihood ratio is stated: {reason}.", reason=found.fault),)
        wording = self.wording(found)
        if wording is not None:
            return wording.number
        reason = found.insufficient or no_lr or t("no reference population was used")
        return (t("No likelihood ratio is stated: {reason}.", reason=reason.rstrip(".")),)

    def items_of(self, compared: ReportComparison) -> tuple[str, str]:
        """Return the identifiers of what was compared."""
        a, b = (side[0].scan.record.item for side in compared.sides)
        return a, b

    def item(self, identifier: str) -> Recorded[Item] | None:
        """Return an item of the case; None for a test fire of the reference collection."""
        return next((each for each in self.report.items if each.record.id == identifier), None)

    def item_words(self, identifier: str) -> str:
        """Return what an item is, in a few words."""
        found = self.item(identifier)
        fire = next((each for each in self.report.test_fires if each.shot.id == identifier), None)
        if found is None and fire is not None:
            of = fire.firearm
            words = ", ".join(part for part in (f"{of.make} {of.model}", of.calibre, of.serial) if part)
            return self.texts(
                "{name}: test fire of firearm {firearm} ({words})", name=identifier, firearm=of.id, words=words
            )
        if found is None:
            return identifier
        calibre = f", {found.record.calibre}" if found.record.calibre else ""
        return f"{identifier}: {self.texts.word('item types', found.record.kind)}{calibre}"

    def mark_words(self, compared: ReportComparison) -> str:
        """Return which mark was compared."""
        return self.kind_words(compared.comparison.record.mark)

    def kind_words(self, kind: str) -> str:
        """Return the name of a kind of mark."""
        return self.texts.word("mark types", kind)


def spoken_time(time: str) -> str:
    """Return a time of the log as a reader wants to see it.

    Examples
    --------
    >>> spoken_time("2026-11-30T21:04:05Z"), spoken_time("2026-11")
    ('2026-11-30 21:04 UTC', '2026-11')
    """
    return f"{time[:10]} {time[11:16]} UTC" if len(time) == 20 and time.endswith("Z") else time.replace("T", " ")


def instrument_words(scan: ReportScan) -> str:
    """Return which instrument measured a scan."""
    made = scan.instrument
    return f"{made.id}: {made.make} {made.model}, {made.serial}"


def calibration_words(scan: ReportScan, t: CaseTexts) -> str:
    """Return whether the instrument was calibrated when it measured a scan."""
    found, standing = scan.calibration.calibration, scan.calibration.state
    if standing == "not in service":
        return t("OUT OF SERVICE since {day}", day=scan.instrument.withdrawn)
    if found is None:
        return t("NO CALIBRATION is recorded that was made before")
    values = {"day": found.on, "due": found.due, "certificate": found.certificate, "by": found.by}
    if standing == "failed":
        return t("CALIBRATION FAILED on {day}, certificate {certificate}", **values)
    if standing == "overdue":
        return t("OVERDUE: calibrated {day}, valid until {due}, certificate {certificate}, {by}", **values)
    return t("calibrated {day}, valid until {due}, certificate {certificate}, {by}", **values)


def validation_words(compared: ReportComparison, t: CaseTexts) -> str:
    """Return whether the version of the method had been validated when it was used."""
    found, standing = compared.validation.validation, compared.validation.state
    if found is None:
        return t("NO VALIDATION of this version is recorded")
    values = {"day": found.on, "study": found.id}
    if standing == "failed":
        return t("VALIDATION FAILED: study {study}, {day}", **values)
    if standing == "later":
        return t("NOT VALIDATED when it was used: study {study} was concluded on {day}", **values)
    return t("validated: study {study}, concluded {day}", **values)


def competence_words(person: ReportPerson, t: CaseTexts) -> str:
    """Return whether a person was authorised for the method."""
    if person.competence is None:
        return ""
    found = person.competence.competence
    if found is None:
        return t("NO AUTHORISATION for the method is recorded")
    if person.competence.state == "lapsed":
        return t(
            "NOT AUTHORISED at that time: authorisation {name} from {since} to {until}",
            name=found.id,
            since=found.since,
            until=found.until or "–",
        )
    return t("authorised since {since}: {basis}", since=found.since, basis=found.basis)


def attentions(contents: CaseContents) -> tuple[str, ...]:
    """Return what a reader must know before all else, a sentence each."""
    report, t = contents.report, contents.texts
    said: list[str] = []
    uncalibrated: dict[tuple[str, str], list[str]] = {}
    for scan in report.scans:
        if scan.calibration.state != "calibrated":
            state = scan.instrument.id, calibration_words(scan, t)
            uncalibrated.setdefault(state, []).append(scan.scan.record.id)
    for (instrument, words), names in uncalibrated.items():
        said.append(
            t(
                "Scan {scan}, instrument {instrument}: {state}.",
                scan=", ".join(names),
                instrument=instrument,
                state=words,
            )
        )
    for compared in report.comparisons:
        if compared.validation.state != "validated":
            record = compared.comparison.record
            said.append(
                t(
                    "Method {method}, version {version}: {state}.",
                    method=record.method,
                    version=record.version,
                    state=validation_words(compared, t),
                )
            )
    for person in report.persons:
        if person.competence is not None and person.competence.state != "authorised":
            said.append(t("{name}: {state}.", name=person.name, state=competence_words(person, t)))
    for transfer in report.custody:
        if transfer.record.seal_intact == "no":
            said.append(
                t(
                    "A seal was not intact on {day}: item {items}.",
                    day=spoken_time(transfer.record.at),
                    items=", ".join(transfer.record.items),
                )
            )
    if not report.is_lead:
        said += _of_comparisons(contents)
    for each in report.nonconformities:
        said.append(t("Work that was not as it should be is on record for this case: {name}.", name=each.record.id))
    if report.review is not None and report.review.record.outcome != "accepted":
        said.append(t("The reviewer returned this draft."))
    return tuple(dict.fromkeys(said))


def _of_comparisons(contents: CaseContents) -> list[str]:
    report, t = contents.report, contents.texts
    said = []
    for compared in report.comparisons:
        found, name = contents.result(compared), compared.comparison.record.id
        if found.fault:
            said.append(t("Comparison {name}: {reason}.", name=name, reason=found.fault))
        serious = sum(finding.severity == "serious" for finding in found.findings)
        if serious:
            said.append(
                t("Comparison {name}: serious findings, {number}; they stand in the report.", name=name, number=serious)
            )
    for conclusion in report.conclusions:
        if conclusion.record.after_unmasking:
            said.append(
                t(
                    "Conclusion {name} was recorded after scores or information on the case had been shown.",
                    name=conclusion.record.id,
                )
            )
    if differ(report) and not report.resolutions:
        said.append(t("The examiners disagree, and the disagreement has not been resolved."))
    return said


def differ(report: CaseReport) -> bool:
    """Return whether a verification differs from the conclusion that it verifies."""
    values = {each.record.id: (each.record.scale, each.record.value) for each in report.conclusions}
    return any(
        values[each.record.verifies] != values[each.record.id]
        for each in report.conclusions
        if each.record.verifies in values
    )
