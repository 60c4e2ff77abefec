"""What a report of a case rests on, gathered from the log as it was at an entry: the same entry, the same report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from ballistics.casework import rules
from ballistics.casework.casebook import Casebook, Recorded, recorded
from ballistics.casework.cases import Case, Incident, Information, Item, Scan, Transfer
from ballistics.casework.examinations import Comparison, Conclusion, Observation, Resolution
from ballistics.casework.fields import AUTHORISER, EXAMINER, REVIEWER, Record
from ballistics.casework.quality_records import Calibration, Competence, Instrument, Nonconformity, Validation
from ballistics.casework.reviews import Authorisation, Report, Review
from ballistics.casework.standing import (
    CalibrationStanding,
    CompetenceStanding,
    ValidationStanding,
    calibration_at,
    competence_at,
    validation_at,
)
from ballistics.casework.test_fires import Firearm, Session, Shot
from ballistics.errors import CorruptFileError, ParameterError
from ballistics.records import LABORATORY, Head, RefusedError, SigningKey, View

Kind = TypeVar("Kind", bound=Record)
AUTHOR = "author"


@dataclass(frozen=True)
class TestFire:
    """A test fire that a report rests on, and how it came to be.

    Parameters
    ----------
    shot : Shot
        The shot that left the item.
    session : Session
        With which ammunition, when, by whom.
    firearm : Firearm
        The firearm.
    """

    shot: Shot
    session: Session
    firearm: Firearm


@dataclass(frozen=True)
class ReportScan:
    """A scan that a report rests on.

    Parameters
    ----------
    scan : Recorded of Scan
        The scan.
    instrument : Instrument
        What it was measured with.
    calibration : CalibrationStanding
        Of the instrument, when the scan was measured.
    test_fire : TestFire or None
        What was measured, where it is no item of the case.
    """

    scan: Recorded[Scan]
    instrument: Instrument
    calibration: CalibrationStanding
    test_fire: TestFire | None = None


@dataclass(frozen=True)
class ReportComparison:
    """A comparison that a report rests on.

    Parameters
    ----------
    comparison : Recorded of Comparison
        The comparison.
    scans : tuple of ReportScan
        The two scans; of several marks those of A and then those of B.
    validation : ValidationStanding
        Of this version of the method, when it was used.
    """

    comparison: Recorded[Comparison]
    scans: tuple[ReportScan, ...]
    validation: ValidationStanding

    @property
    def sides(self) -> tuple[tuple[ReportScan, ...], tuple[ReportScan, ...]]:
        """The scans of A and of B."""
        if len(self.scans) == 2:
            return self.scans[:1], self.scans[1:]
        item = self.scans[0].scan.record.item
        of_a = sum(scan.scan.record.item == item for scan in self.scans)
        return self.scans[:of_a], self.scans[of_a:]


@dataclass(frozen=True)
class ReportPerson:
    """Someone who had a part in a report.

    Parameters
    ----------
    operator, name : str
        Short name and name.
    part : str
        ``"author"``, ``"examiner"``, ``"reviewer"`` or ``"authoriser"``.
    at : str
        When, UTC.
    competence : CompetenceStanding or None
        For the methods of the report; None for an authoriser, of whom it is not asked.
    """

    operator: str
    name: str
    part: str
    at: str
    competence: CompetenceStanding | None


@dataclass(frozen=True)
class CaseReport:
    """Everything that a report of a case states, as the log said it at an entry.

    Parameters
    ----------
    library : str
        Identifier of the library that keeps the log.
    laboratory : mapping of str to str
        As the first entry of the log states it.
    head : Head
        The entry as of which the report is, and its hash.
    time : str
        When that entry was recorded, UTC.
    report : Recorded of Report
        The draft.
    draft : int
        Which draft it is, from 1.
    case : Recorded of Case
        The case.
    incidents, items, custody : tuple of Recorded
        All of the case.
    information : tuple of Recorded
        What was known beside the items; of a blind case only what had been shown to the author.
    information_withheld : int
        How many such records had not been shown to the author of a blind case.
    observations : tuple of Recorded
        What examiners saw on the items.
    comparisons : tuple of ReportComparison
        Those that the report names.
    conclusions : tuple of Recorded
        Those that the report names, and those that verify them.
    resolutions : tuple of Recorded
        Of disagreements between these.
    others : tuple of int
        Comparisons and conclusions of the case that the report does not name.
    review : Recorded of Review, or None
        The newest of this draft.
    authorisation : Recorded of Authorisation, or None
        Of this draft.
    persons : tuple of ReportPerson
        Who had which part.
    nonconformities : tuple of Recorded
        Records of work that was not as it should be, which name the case.
    """

    library: str
    laboratory: Mapping[str, str]
    head: Head
    time: str
    report: Recorded[Report]
    draft: int
    case: Recorded[Case]
    incidents: tuple[Recorded[Incident], ...]
    items: tuple[Recorded[Item], ...]
    custody: tuple[Recorded[Transfer], ...]
    information: tuple[Recorded[Information], ...]
    information_withheld: int
    observations: tuple[Recorded[Observation], ...]
    comparisons: tuple[ReportComparison, ...]
    conclusions: tuple[Recorded[Conclusion], ...]
    resolutions: tuple[Recorded[Resolution], ...]
    others: tuple[int, int]
    review: Recorded[Review] | None
    authorisation: Recorded[Authorisation] | None
    persons: tuple[ReportPerson, ...]
    nonconformities: tuple[Recorded[Nonconformity], ...]

    @property
    def is_lead(self) -> bool:
        """Whether it is a lead, which makes no evidential claim."""
        return self.report.record.kind != "evaluative"

    @property
    def scans(self) -> tuple[ReportScan, ...]:
        """The scans of its comparisons, each once."""
        found = {each.scan.record.id: each for comparison in self.comparisons for each in comparison.scans}
        return tuple(found.values())

    @property
    def test_fires(self) -> tuple[TestFire, ...]:
        """The test fires that it rests on, each once."""
        found = {each.test_fire.shot.id: each.test_fire for each in self.scans if each.test_fire is not None}
        return tuple(found.values())

    @property
    def kept_files(self) -> tuple[str, ...]:
        """SHA-256 of every file that it rests on, each once."""
        names = [scan.scan.record.file for scan in self.scans]
        for each in self.comparisons:
            record = each.comparison.record
            names += [record.result, *([record.population] if record.population else []), *record.populations]
        return tuple(dict.fromkeys(names))


def case_report(
    book: Casebook, report: str, *, as_of: int | None = None, reader: SigningKey | None = None
) -> CaseReport:
    """Gather what a report of a case states.

    Parameters
    ----------
    book : Casebook
        The laboratory's.
    report : str
        Identifier of the report.
    as_of : int, optional
        The last entry of the log that counts. By default the authorisation of the newest draft, so that an authorised
        report stays as it is; the end of the log while there is none.
    reader : SigningKey, optional
        Who asks. Needed for the draft of a blind case, which is hidden from an examiner to whom the scores were not
        shown.

    Returns
    -------
    CaseReport

    Raises
    ------
    ParameterError
        When there is no such report at that entry.
    RefusedError
        When it is the draft of a blind case and the reader must not see it, or is not named.
    """
    with book.log.view() as view:
        newest = view.head().number
        draft = view.current(Report.KIND, report)
        if as_of is not None and not 1 <= as_of <= newest:
            raise ParameterError(f"the log has entries 1 to {newest}, not {as_of}")
        authorised = None if draft is None else _of_draft(view, Authorisation, recorded(view, Report, draft))
        settled = newest if authorised is None else authorised.entry.number
        then = View(view.connection, settled if as_of is None else as_of)
        entry = then.current(Report.KIND, report)
        if entry is None:
            at = "" if as_of is None else f" at entry {as_of}"
            raise ParameterError(f"there is no report '{report}'{at}; `ballistics case show CASE` lists them")
        found = recorded(then, Report, entry)
        if _of_draft(then, Authorisation, found) is None:
            _check_reader(view, found.record.case, reader)
        return _gathered(then, found, book.library.identifier)


def _check_reader(view: View, case: str, reader: SigningKey | None) -> None:
    """Refuse the draft of a blind case to an examiner who has yet to conclude without it.

    A reviewer who does not examine must read the draft, and draws no conclusion that it could bend.
    """
    entry = view.current(Case.KIND, case)
    if entry is None or not entry.body["fields"].get("blind"):
        return
    owner = None if reader is None else view.operator(reader.identifier)
    if owner is None:
        raise RefusedError(
            f"case '{case}' is examined blind and its report is not authorised: say who reads the draft, by a key of "
            "this laboratory"
        )
    if EXAMINER in owner.roles and "scores" not in rules.shown_to(view, case, owner.operator):
        raise RefusedError(
            f"case '{case}' is examined blind: its draft is shown to {owner.name} after an observation and a "
            "conclusion of their own (`ballistics case add unmasking`)"
        )


def _gathered(view: View, report: Recorded[Report], library: str) -> CaseReport:
    case = report.record.case
    case_entry = view.current(Case.KIND, case)
    head = view.head()
    founded, newest = view.current(LABORATORY, LABORATORY), view.entry(head.number)
    if case_entry is None or founded is None or newest is None:
        raise CorruptFileError(f"report '{report.record.id}' is of case '{case}', which the log does not hold")
    made = recorded(view, Case, case_entry)
    quality = _Quality(view)
    comparisons = tuple(quality.comparison(_one(view, Comparison, name)) for name in report.record.comparisons)
    conclusions = _conclusions(view, case, report.record.conclusions)
    named = {each.record.id for each in conclusions}
    resolutions = [each for each in _all(view, Resolution, case) if named & set(each.record.conclusions)]
    information = _all(view, Information, case)
    shown = not made.record.blind or "information" in rules.shown_to(view, case, report.by.operator)
    review, authorisation = _of_draft(view, Review, report), _of_draft(view, Authorisation, report)
    all_comparisons, all_conclusions = view.records(Comparison.KIND, case), view.records(Conclusion.KIND, case)
    return CaseReport(
        library=library,
        laboratory={name: str(value) for name, value in founded.body.items() if name not in ("public", "library")},
        head=head,
        time=newest.time,
        report=report,
        draft=len(view.versions(Report.KIND, report.record.id)),
        case=made,
        incidents=_all(view, Incident, case),
        items=_all(view, Item, case),
        custody=tuple(sorted(_all(view, Transfer, case), key=lambda each: (each.record.at, each.entry.number))),
        information=information if shown else (),
        information_withheld=0 if shown else len(information),
        observations=_all(view, Observation, case),
        comparisons=comparisons,
        conclusions=conclusions,
        resolutions=tuple(resolutions),
        others=(len(all_comparisons) - len(set(report.record.comparisons)), len(all_conclusions) - len(conclusions)),
        review=review,
        authorisation=authorisation,
        persons=quality.persons(report, comparisons, conclusions, review, authorisation),
        nonconformities=tuple(each for each in _all(view, Nonconformity, "") if case in each.record.cases),
    )


class _Quality:
    """The quality records as a view shows them, asked for single things of a report."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.calibrations = [each.record for each in _all(view, Calibration, "")]
        self.validations = [each.record for each in _all(view, Validation, "")]
        self.competences = [each.record for each in _all(view, Competence, "")]

    def scan(self, identifier: str) -> ReportScan:
        scan = _one(self.view, Scan, identifier)
        instrument = _one(self.view, Instrument, scan.record.instrument).record
        standing = calibration_at(instrument, self.calibrations, scan.record.at)
        return ReportScan(scan, instrument, standing, self._test_fire(scan.record.item))

    def _test_fire(self, identifier: str) -> TestFire | None:
        if self.view.current(Item.KIND, identifier) is not None:
            return None
        shot = _one(self.view, Shot, identifier).record
        session = _one(self.view, Session, shot.session).record
        return TestFire(shot, session, _one(self.view, Firearm, session.firearm).record)

    def comparison(self, found: Recorded[Comparison]) -> ReportComparison:
        scans = tuple(map(self.scan, found.record.scans))
        record, at = found.record, found.entry.time
        return ReportComparison(found, scans, validation_at(record.method, record.version, self.validations, at))

    def persons(
        self,
        report: Recorded[Report],
        comparisons: Iterable[ReportComparison],
        conclusions: Iterable[Recorded[Conclusion]],
        review: Recorded[Review] | None,
        authorisation: Recorded[Authorisation] | None,
    ) -> tuple[ReportPerson, ...]:
        names = {name for each in comparisons for name in (each.comparison.record.method, each.comparison.record.mark)}
        parts: list[tuple[str, Recorded[Record]]] = [(AUTHOR, _plain(report))]
        parts += [(EXAMINER, _plain(each.comparison)) for each in comparisons]
        parts += [(EXAMINER, _plain(each)) for each in conclusions]
        parts += [] if review is None else [(REVIEWER, _plain(review))]
        parts += [] if authorisation is None else [(AUTHORISER, _plain(authorisation))]
        found: dict[tuple[str, str], ReportPerson] = {}
        for part, record in parts:
            by, at = record.by, record.entry.time
            asked = None if part == AUTHORISER else competence_at(by.operator, names, self.competences, at)
            person = ReportPerson(by.operator, by.name, part, at, asked)
            known = found.get((by.operator, part))
            # Of several acts the one that was not covered counts.
            if known is None or (known.competence and known.competence.state == "authorised"):
                found[by.operator, part] = person
        return tuple(found.values())


def _plain(found: Recorded[Kind]) -> Recorded[Record]:
    return Recorded(found.record, found.entry, found.by)


def _conclusions(view: View, case: str, named: Iterable[str]) -> tuple[Recorded[Conclusion], ...]:
    """Return conclusions by name, each followed by those that verify it: a dissent is never left out."""
    every = _all(view, Conclusion, case)
    found: dict[str, Recorded[Conclusion]] = {}
    waiting = list(named)
    while waiting:
        name = waiting.pop(0)
        if name not in found:
            found[name] = _one(view, Conclusion, name)
            first = found[name].record.verifies
            after = [each.record.id for each in every if each.record.verifies == name]
            waiting = [*([first] if first else []), *after, *waiting]
    return tuple(sorted(found.values(), key=lambda each: (bool(each.record.verifies), _first(view, each))))


def _first(view: View, found: Recorded[Conclusion]) -> int:
    return view.versions(Conclusion.KIND, found.record.id)[0].number


ReviewKind = TypeVar("ReviewKind", Review, Authorisation)


def _of_draft(view: View, kind: type[ReviewKind], report: Recorded[Report]) -> Recorded[ReviewKind] | None:
    """Return the newest review or authorisation of exactly this draft."""
    own = [
        each
        for each in _all(view, kind, report.record.case)
        if (each.record.report, each.record.report_entry) == (report.record.id, report.entry.number)
    ]
    return max(own, key=lambda each: each.entry.number, default=None)


def _all(view: View, kind: type[Kind], case: str) -> tuple[Recorded[Kind], ...]:
    return tuple(recorded(view, kind, entry) for entry in view.records(kind.KIND, case))


def _one(view: View, kind: type[Kind], identifier: str) -> Recorded[Kind]:
    entry = view.current(kind.KIND, identifier)
    if entry is None:
        raise CorruptFileError(f"the log names {kind.KIND} '{identifier}', which it does not hold")
    return recorded(view, kind, entry)
