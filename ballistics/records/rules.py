"""The rules that every log has: asked before an entry is written, and again when it is verified."""

from __future__ import annotations

from collections.abc import Callable

from ballistics.errors import CorruptFileError, ParameterError
from ballistics.records.entry import Entry
from ballistics.records.operators import ADMINISTRATOR, KEY, LABORATORY, VALID, Operator, operator_of
from ballistics.records.views import View


class RefusedError(ParameterError):
    """What was to be recorded breaks a rule: who may, in which order, of what exists. Nothing was recorded."""


#: A rule: raises `RefusedError` when an entry must not follow what the view shows.
Rule = Callable[[View, Entry], None]


def check_entry(view: View, entry: Entry) -> None:
    """Raise `RefusedError` when an entry breaks a rule that every log has, whatever is recorded in it."""
    operator = view.operator(entry.key)
    if operator is None:
        raise RefusedError(
            f"the key {entry.key[:12]}… is not one of this laboratory's: an administrator takes it in first "
            "(`ballistics case key take-in`)"
        )
    if operator.state != VALID:
        raise RefusedError(f"the key {entry.key[:12]}… of {operator.name} was revoked: use another one")
    known = view.newest(entry.kind, entry.record)
    if known is None and entry.supersedes:
        raise RefusedError(f"there is no {entry.kind} '{entry.record}' to amend")
    if known is not None:
        _check_amendment(entry, *known)
    if entry.group != (view.group(entry.case) or entry.group if entry.case else entry.kind):
        raise RefusedError(f"{entry.kind} '{entry.record}' is not in the group of the entries of case '{entry.case}'")
    if entry.kind == LABORATORY:
        raise RefusedError("a log states its laboratory once, in its first entry")
    if entry.kind == KEY:
        _check_key(view, entry, operator)


def _check_amendment(entry: Entry, number: int, case: str) -> None:
    if entry.supersedes == 0:
        raise RefusedError(
            f"{entry.kind} '{entry.record}' is recorded already, in entry {number}: nothing is written over; "
            "amend it, or choose another identifier"
        )
    if entry.supersedes != number:
        raise RefusedError(
            f"{entry.kind} '{entry.record}' was amended since you read it, in entry {number}: look at it again"
        )
    if case != entry.case:
        raise RefusedError(f"{entry.kind} '{entry.record}' belongs to case '{case}', not to '{entry.case}'")


def _check_key(view: View, entry: Entry, signer: Operator) -> None:
    if ADMINISTRATOR not in signer.roles:
        raise RefusedError(f"{signer.name} is no administrator: keys are taken in and revoked by one")
    if entry.case:
        raise RefusedError("a key belongs to no case")
    try:
        owner = operator_of(entry)
    except CorruptFileError as error:
        raise RefusedError(str(error)) from error
    if owner.key != entry.record:
        raise RefusedError("a key is known by the SHA-256 of its public half, which this is not")
    known = view.operator(owner.key)
    if known is None:
        return
    if known.state != VALID:
        raise RefusedError(f"the key of {known.name} was revoked, and stays so: make a new one")
    if known.operator != owner.operator:
        raise RefusedError(f"the key is that of operator '{known.operator}': what it signed is not made another's")
    if known.administers and not owner.administers:
        others = (operator_of(other) for other in view.records(KEY) if other.record != owner.key)
        if not any(other.administers for other in others):
            raise RefusedError(
                f"{known.name} is the last administrator, without whom no key could be taken in or revoked any more: "
                "take in the key of another administrator first"
            )
