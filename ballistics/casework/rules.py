"""The rules of casework: who may record what, in which order, about what.

They are asked before an entry is written, and again for every entry when the log is verified.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise

from ballistics.casework.cases import Attachment, Case, Incident, Information, Item, Scan, Transfer
from ballistics.casework.examinations import CARTRIDGE_HEAD, Comparison, Conclusion, Observation, Resolution, Unmasking
from ballistics.casework.fields import Record
from ballistics.casework.quality_records import (
    Calibration,
    Competence,
    Instrument,
    Nonconformity,
    Proficiency,
    Settings,
    Validation,
)
from ballistics.casework.reviews import Authorisation, Disclosure, Release, Report, Review
from ballistics.casework.test_fires import Firearm, Session, Shot
from ballistics.errors import CorruptFileError
from ballistics.methods import BULLET
from ballistics.records import Entry, Operator, RefusedError, View

KINDS: Mapping[str, type[Record]] = {
    kind.KIND: kind
    for kind in (
        Case, Information, Incident, Item, Transfer, Scan, Attachment,
        Observation, Comparison, Conclusion, Unmasking, Resolution,
        Report, Review, Authorisation, Release, Disclosure,
        Firearm, Session, Shot,
        Instrument, Calibration, Competence, Validation, Proficiency, Nonconformity, Settings,
    )
}  # fmt: skip


def fields_of(entry: Entry) -> Record:
    """Return the record that an entry of casework states.

    Raises
    ------
    CorruptFileError
        When it is not the entry of a record of casework.
    """
    found: Record | None = entry.readings.get("casework")
    if found is None:
        kind = KINDS.get(entry.kind)
        stated = entry.body.get("fields")
        if kind is None or not isinstance(stated, dict):
            raise CorruptFileError(f"entry {entry.number} of the log is no record of casework: {entry.kind}")
        # Rules ask again for the transfers and the reports of a case.
        found = entry.readings["casework"] = kind.of(entry.record, stated)
    return found


def check(view: View, entry: Entry) -> None:
    """Raise `RefusedError` when an entry of casework breaks a rule; entries of other rooms are not looked at."""
    if entry.kind not in KINDS:
        return
    try:
        record = fields_of(entry)
    except CorruptFileError as error:
        raise RefusedError(str(error)) from error
    signer = view.operator(entry.key)
    if signer is None:
        raise RefusedError("the key that signs is not one of this laboratory's")
    if not set(record.BY) & set(signer.roles):
        raise RefusedError(
            f"{signer.name} is {', '.join(signer.roles) or 'without a role'}: a record of the kind '{record.KIND}' is "
            f"made by one who is {' or '.join(record.BY)}"
        )
    if entry.case != case_of(record):
        raise RefusedError(f"{record.KIND} '{record.id}' states case '{case_of(record)}', its entry '{entry.case}'")
    if entry.supersedes and not str(entry.body.get("reason", "")).strip():
        raise RefusedError("a record is amended with a reason: state it")
    _check_references(view, record)
    specific = _SPECIFIC.get(record.KIND)
    if specific is not None:
        specific(view, record, signer, entry)


def case_of(record: Record) -> str:
    """Return the case that a record belongs to; empty where it belongs to none."""
    return record.id if isinstance(record, Case) else str(getattr(record, "case", ""))


def _check_references(view: View, record: Record) -> None:
    case = case_of(record)
    for name, (kinds, identifiers) in record.named_records().items():
        for identifier in identifiers:
            found = [entry for kind in kinds if (entry := view.current(kind, identifier)) is not None]
            if not found:
                raise RefusedError(f"'{name}' of {record.KIND} '{record.id}' names '{identifier}': there is no such "
                                   f"{' or '.join(kinds)}")  # fmt: skip
            if case and found[0].case not in ("", case):
                raise RefusedError(f"'{name}' of {record.KIND} '{record.id}' names '{identifier}' of case "
                                   f"'{found[0].case}'")  # fmt: skip


def authors(view: View, kind: str, identifier: str) -> set[str]:
    """Return the short names of all who signed a version of a record.

    Parameters
    ----------
    view : View
        Of the log.
    kind, identifier : str
        Of the record.
    """
    found = (view.operator(entry.key) for entry in view.versions(kind, identifier))
    return {operator.operator for operator in found if operator is not None}


def shown_to(view: View, case: str, operator: str) -> set[str]:
    """Return what has been shown to an operator of a blind case.

    Parameters
    ----------
    view : View
        Of the log.
    case : str
        Its identifier.
    operator : str
        Short name.
    """
    shown: set[str] = set()
    for entry in view.records(Unmasking.KIND, case):
        signer = view.operator(entry.key)
        if signer is not None and signer.operator == operator:
            shown |= set(entry.body["fields"].get("shown", ()))
    return shown


def _transfer(view: View, record: Record, signer: Operator, entry: Entry) -> None:
    assert isinstance(record, Transfer)
    final = {"destroyed", "released"}
    for earlier in view.records(Transfer.KIND, record.case):
        past = fields_of(earlier)
        assert isinstance(past, Transfer)
        gone = set(past.items) & set(record.items)
        if gone and past.event in final and past.id != record.id:
            raise RefusedError(f"item '{min(gone)}' was {past.event} in entry {earlier.number}: nothing follows that")


def _comparison(view: View, record: Record, signer: Operator, entry: Entry) -> None:
    assert isinstance(record, Comparison)
    if record.mark in (BULLET, CARTRIDGE_HEAD):
        _check_sides(view, record)
    elif len(set(record.scans)) != 2:
        raise RefusedError(f"comparison '{record.id}' names {len(set(record.scans))} scans, it compares two")


def _check_sides(view: View, record: Comparison) -> None:
    """Check that the scans of several marks are those of one item, and after them those of another."""
    found = (view.current(Scan.KIND, scan) for scan in record.scans)
    items = [str(entry.body["fields"].get("item")) for entry in found if entry is not None]
    changes = sum(a != b for a, b in pairwise(items))
    if len(set(record.scans)) != len(record.scans) or len(set(items)) != 2 or changes != 1:
        raise RefusedError(
            f"comparison '{record.id}' names scans of {len(set(items))} items: it compares those of one, named first, "
            "with those of another"
        )


def _conclusion(view: View, record: Record, signer: Operator, entry: Entry) -> None:
    assert isinstance(record, Conclusion)
    seen = _observed(view, record.case, signer.operator)
    missing = [item for item in record.items if item not in seen]
    if missing:
        raise RefusedError(
            f"{signer.name} has recorded no observation of item '{missing[0]}': what is seen on the items is recorded "
            "before a conclusion"
        )
    if record.verifies and signer.operator in authors(view, Conclusion.KIND, record.verifies):
        raise RefusedError(f"{signer.name} drew conclusion '{record.verifies}': another examiner verifies it")
    if not _is_blind(view, record.case):
        return
    if entry.supersedes and signer.operator not in authors(view, Conclusion.KIND, record.id):
        raise RefusedError("the conclusion of a blind case is amended by who drew it; others record their own")
    after = bool(shown_to(view, record.case, signer.operator))
    if after != record.after_unmasking:
        raise RefusedError(
            f"{'scores or information had' if after else 'nothing had'} been shown to {signer.name}: 'after_unmasking' "
            f"must say {'yes' if after else 'no'}"
        )


def _unmasking(view: View, record: Record, signer: Operator, entry: Entry) -> None:
    assert isinstance(record, Unmasking)
    if signer.operator not in authors(view, Conclusion.KIND, record.conclusion):
        raise RefusedError(
            f"conclusion '{record.conclusion}' is not {signer.name}'s own: draw one before anything is shown"
        )


def _resolution(view: View, record: Record, signer: Operator, entry: Entry) -> None:
    assert isinstance(record, Resolution)
    if len(set(record.conclusions)) < 2:
        raise RefusedError("a disagreement has two conclusions or more: name them")
    for conclusion in record.conclusions:
        if signer.operator in authors(view, Conclusion.KIND, conclusion):
            raise RefusedError(
                f"{signer.name} drew conclusion '{conclusion}': a third person resolves the disagreement"
            )


def _report(view: View, record: Record, signer: Operator, entry: Entry) -> None:
    assert isinstance(record, Report)
    if record.kind == "evaluative" and not record.comparisons:
        raise RefusedError("an evaluative report rests on comparisons: name them")
    if (
        _is_blind(view, record.case)
        and record.comparisons
        and "scores" not in shown_to(view, record.case, signer.operator)
    ):
        raise RefusedError(
            f"the scores of the blind case '{record.case}' have not been shown to {signer.name}, who therefore cannot "
            "report them: conclude first, then `ballistics case add unmasking`"
        )


def _review(view: View, record: Record, signer: Operator, entry: Entry) -> None:
    assert isinstance(record, Review)
    _check_draft(view, record.report, record.report_entry)
    if signer.operator in _wrote(view, record.report):
        raise RefusedError(
            f"{signer.name} wrote report '{record.report}' or drew a conclusion in it: another one reviews it"
        )


def _authorisation(view: View, record: Record, signer: Operator, entry: Entry) -> None:
    assert isinstance(record, Authorisation)
    _check_draft(view, record.report, record.report_entry)
    reviewed = view.current(Review.KIND, record.review)
    assert reviewed is not None  # references were checked
    review = fields_of(reviewed)
    assert isinstance(review, Review)
    if (review.report, review.report_entry, review.outcome) != (record.report, record.report_entry, "accepted"):
        raise RefusedError(f"review '{record.review}' did not accept this draft of report '{record.report}'")
    if signer.operator in _wrote(view, record.report) | authors(view, Review.KIND, record.review):
        raise RefusedError(f"{signer.name} wrote or reviewed report '{record.report}': a third person authorises it")


def _release(view: View, record: Record, signer: Operator, entry: Entry) -> None:
    assert isinstance(record, Release)
    authorised = view.current(Authorisation.KIND, record.authorisation)
    assert authorised is not None
    authorisation = fields_of(authorised)
    assert isinstance(authorisation, Authorisation)
    if authorisation.report != record.report:
        raise RefusedError(f"authorisation '{record.authorisation}' is of report '{authorisation.report}'")
    _check_draft(view, record.report, authorisation.report_entry)


def _check_draft(view: View, report: str, number: float | None) -> None:
    current = view.current(Report.KIND, report)
    assert current is not None
    if number != current.number:
        raise RefusedError(
            f"report '{report}' stands in entry {current.number}, entry {number} was reviewed or authorised: look "
            "at the draft as it is now"
        )


def _wrote(view: View, report: str) -> set[str]:
    found = authors(view, Report.KIND, report)
    entry = view.current(Report.KIND, report)
    assert entry is not None
    for conclusion in entry.body["fields"].get("conclusions", ()):
        found |= authors(view, Conclusion.KIND, conclusion)
    return found


def _observed(view: View, case: str, operator: str) -> set[str]:
    seen: set[str] = set()
    for entry in view.records(Observation.KIND, case):
        signer = view.operator(entry.key)
        if signer is not None and signer.operator == operator:
            seen |= set(entry.body["fields"].get("items", ()))
    return seen


def _is_blind(view: View, case: str) -> bool:
    entry = view.current(Case.KIND, case)
    return entry is not None and bool(entry.body["fields"].get("blind"))


def _case(view: View, record: Record, signer: Operator, entry: Entry) -> None:
    assert isinstance(record, Case)
    before = view.current(Case.KIND, record.id)
    if before is not None and bool(before.body["fields"].get("blind")) and not record.blind:
        raise RefusedError(
            f"case '{record.id}' is blind, and stays so: what was hidden is shown by unmasking, on record"
        )


_SPECIFIC: Mapping[str, Callable[[View, Record, Operator, Entry], None]] = {
    Case.KIND: _case,
    Transfer.KIND: _transfer,
    Comparison.KIND: _comparison,
    Conclusion.KIND: _conclusion,
    Unmasking.KIND: _unmasking,
    Resolution.KIND: _resolution,
    Report.KIND: _report,
    Review.KIND: _review,
    Authorisation.KIND: _authorisation,
    Release.KIND: _release,
}
