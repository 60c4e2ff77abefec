"""What assessors ask for against what is on record: requirement -> record -> met or missing.

The requirements are a data file in our own words with clause numbers; a laboratory puts its own `requirements.json`
into the folder of its library. A requirement names one of the checks below, or ``any:KIND``: at least one record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ballistics.casework.casebook import Casebook
from ballistics.casework.cases import Case, Item, Scan, Transfer
from ballistics.casework.examinations import Comparison, Conclusion, Observation
from ballistics.casework.quality_records import Nonconformity, Proficiency
from ballistics.casework.quality_state import QualityRecords
from ballistics.casework.reviews import Authorisation, Release, Review
from ballistics.casework.rules import KINDS
from ballistics.errors import CorruptFileError
from ballistics.files import load_json

SCHEMA = "ballistics/requirements"
_STANDARD = Path(__file__).with_name("requirements.json")
_OWN = "requirements.json"
_MOST_BYTES = 1 << 20
_ANY = "any:"


@dataclass(frozen=True)
class Requirement:
    """One thing that assessors ask for.

    Parameters
    ----------
    standard, clause : str
        Where it stands.
    requires : str
        What, in our own words.
    check : str
        How it is looked for in the records.
    """

    standard: str
    clause: str
    requires: str
    check: str


@dataclass(frozen=True)
class Answer:
    """What the records say to a requirement.

    Parameters
    ----------
    requirement : Requirement
    records : str
        Which records answer it.
    missing : tuple of str
        What is missing, a sentence each; empty where it is met.
    """

    requirement: Requirement
    records: str
    missing: tuple[str, ...]

    @property
    def met(self) -> bool:
        """Whether nothing is missing."""
        return not self.missing


def quality_gap(book: Casebook, on: str) -> list[Answer]:
    """Hold the records of a laboratory against the requirements.

    Parameters
    ----------
    book : Casebook
    on : str
        The day of the question, ``2026-11-30``.

    Returns
    -------
    list of Answer
        In the order of the file.

    Raises
    ------
    CorruptFileError
        When the laboratory's own file is not a file of requirements.
    """
    own = book.library.folder / _OWN
    answers = []
    for requirement in read_requirements(own if own.is_file() else _STANDARD):
        if requirement.check.startswith(_ANY):
            records, missing = _any(book, requirement.check.removeprefix(_ANY))
        else:
            records, missing = _CHECKS[requirement.check](book, on)
        answers.append(Answer(requirement, records, tuple(missing)))
    return answers


def read_requirements(path: Path) -> list[Requirement]:
    """Read a file of requirements.

    Raises
    ------
    CorruptFileError
        When it is none, or names a check that there is not.
    """
    content = load_json(path, "a file of requirements", most_bytes=_MOST_BYTES)
    try:
        if content["schema"] != SCHEMA:
            raise KeyError("schema")
        found = [
            Requirement(*(str(each[name]) for name in ("standard", "clause", "requires", "check")))
            for each in content["requirements"]
        ]
    except (KeyError, TypeError) as error:
        raise CorruptFileError(
            f"{path} is not a file of requirements ({SCHEMA}): {error} is missing or wrong"
        ) from error
    for each in found:
        known = each.check.removeprefix(_ANY) in KINDS if each.check.startswith(_ANY) else each.check in _CHECKS
        if not known:
            raise CorruptFileError(
                f"{path}: clause {each.clause} names the check '{each.check}'; there are: {', '.join(_CHECKS)}, "
                "any:KIND"
            )
    return found


_Found = tuple[str, list[str]]


def _any(book: Casebook, kind: str) -> _Found:
    n = len(book.all(KINDS[kind]))
    return f"{n} × {kind}", [] if n else [f"no {kind} is recorded"]


def _competence(book: Casebook, on: str) -> _Found:
    comparisons, known = book.all(Comparison), _known(book)
    missing = []
    for each in comparisons:
        found = known.competence(each.by.operator, each.record.method, each.record.mark, each.entry.time)
        missing += [] if found is None else [f"comparison {each.record.id}: {found.message}"]
    return f"{len(known.competences)} authorisations, {len(comparisons)} comparisons", missing


def _validation(book: Casebook, on: str) -> _Found:
    used = sorted({(each.record.method, each.record.version) for each in book.all(Comparison)})
    known = _known(book)
    found = [known.validation(method, version, on) for method, version in used]
    return f"{len(used)} versions of methods used", [each.message for each in found if each is not None]


def _calibration_now(book: Casebook, on: str) -> _Found:
    known = _known(book)
    in_use = [each.id for each in known.instruments.values() if not each.withdrawn]
    found = [(name, known.calibration(name, on)) for name in in_use]
    missing = [f"instrument {name}: not calibrated on {on}" for name, finding in found if finding is not None]
    return f"{len(in_use)} instruments in use", missing


def _calibration_at_use(book: Casebook, on: str) -> _Found:
    scans, known = [each.record for each in book.all(Scan)], _known(book)
    found = [(scan.id, known.calibration(scan.instrument, scan.at)) for scan in scans]
    return f"{len(scans)} scans", [f"scan {name}: {each.message}" for name, each in found if each is not None]


def _known(book: Casebook) -> QualityRecords:
    with book.log.view() as view:
        return QualityRecords.of(view)


def _custody(book: Casebook, on: str) -> _Found:
    moved: set[str] = set()
    for each in book.all(Transfer):
        if each.record.event in ("received", "seized", "recovered"):
            moved |= set(each.record.items)
    items = [each.record.id for each in book.all(Item)]
    return f"{len(items)} items", [f"item {item}: how it came is not recorded" for item in items if item not in moved]


def _comparison_files(book: Casebook, on: str) -> _Found:
    found = [each.record for each in book.all(Comparison)]
    faults = [(each.id, book.files.fault(each.result)) for each in found]
    return f"{len(found)} comparisons", [f"comparison {name}: {fault}" for name, fault in faults if fault is not None]


def _proficiency(book: Casebook, on: str) -> _Found:
    year = f"{int(on[:4]) - 1}{on[4:10]}"
    tested = {each.record.operator for each in book.all(Proficiency) if each.record.on[:10] >= year}
    examiners = sorted({each.by.operator for each in book.all(Conclusion)})
    return f"{len(examiners)} examiners", [
        f"{name}: no proficiency test since {year}" for name in examiners if name not in tested
    ]


def _reports(book: Casebook, on: str) -> _Found:
    released = [each.record for each in book.all(Release)]
    reviewed = {each.record.id for each in book.all(Review) if each.record.outcome == "accepted"}
    authorised = {each.record.id: each.record.review for each in book.all(Authorisation)}
    missing = [each.id for each in released if authorised.get(each.authorisation) not in reviewed]
    return f"{len(released)} reports released", [f"release {name}: no accepted review" for name in missing]


def _nonconformity(book: Casebook, on: str) -> _Found:
    found = [each.record for each in book.all(Nonconformity)]
    return f"{len(found)} recorded", [f"nonconformity {each.id}: not closed" for each in found if not each.closed]


def _log(book: Casebook, on: str) -> _Found:
    found = book.verify(files=False).log
    return f"{found.head.number} entries", [fault.message for fault in found.faults]


def _retention(book: Casebook, on: str) -> _Found:
    years = book.settings().retention_years
    return f"{years} years" if years else "settings", [] if years else [
        "the time for which records are kept is not stated"
    ]


def _observations(book: Casebook, on: str) -> _Found:
    observed = {each.record.case for each in book.all(Observation)}
    compared = sorted({each.record.case for each in book.all(Comparison)})
    cases = len(book.all(Case))
    return f"{cases} cases", [f"case {name}: nothing was observed" for name in compared if name not in observed]


_CHECKS: Mapping[str, Callable[[Casebook, str], _Found]] = {
    "calibration at use": _calibration_at_use,
    "calibration now": _calibration_now,
    "comparison files": _comparison_files,
    "competence": _competence,
    "custody": _custody,
    "log": _log,
    "nonconformity": _nonconformity,
    "observations": _observations,
    "proficiency": _proficiency,
    "reports": _reports,
    "retention": _retention,
    "validation": _validation,
}
