"""Verification of a log: every entry altered, removed, put elsewhere, forged or cut off is found and named."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from ballistics.errors import BallisticsError, CorruptFileError
from ballistics.progress import Progress
from ballistics.records.entry import NOTHING_BEFORE, Entry, entry_of
from ballistics.records.keys import identifier_of, is_signed
from ballistics.records.log import (
    ADMINISTRATOR,
    KEY,
    LABORATORY,
    VALID,
    Head,
    Log,
    Operator,
    RefusedError,
    Rule,
    View,
    operator_of,
)
from ballistics.records.receipts import Receipt

_TELL_EVERY = 500


@dataclass(frozen=True)
class LogFault:
    """Something in a log that is not as it was recorded.

    Parameters
    ----------
    number : int
        Of the entry; 0 where it is about the log as such.
    what : str
        ``"altered"``, ``"removed"``, ``"inserted"``, ``"not signed"``, ``"not allowed"``, ``"cut"`` or ``"replaced"``.
    message : str
        What was found, in a sentence.
    """

    number: int
    what: str
    message: str


@dataclass(frozen=True)
class LogIntegrity:
    """What the verification of a log found.

    Parameters
    ----------
    head : Head
        The newest entry.
    faults : tuple of LogFault
        In the order of the entries.
    notes : tuple of str
        What an examiner must know although it is no fault.
    """

    head: Head
    faults: tuple[LogFault, ...]
    notes: tuple[str, ...]

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not self.faults


def verify_log(
    log: Log,
    library: str,
    receipts: Sequence[Receipt] = (),
    progress: Progress | None = None,
) -> LogIntegrity:
    """Verify a log from its first entry to its last.

    Each entry is held against its hash, the hash of the entry before it, the columns it is searched by, its signature
    by a key that was valid then, and the rules of the log and of the rooms that record in it.

    Parameters
    ----------
    log : Log
        With the rule of the room that records.
    library : str
        Identifier of the library that holds it.
    receipts : sequence of Receipt
        Heads that were written down elsewhere.
    progress : callable, optional
        Told the stage, how many are done, and how many there are.
    """
    with log.view() as view:
        n_entries = view.head().number
        checking = _Checking(log.rule, view)
        for done, row in enumerate(log.rows(), 1):
            checking.take(row)
            if progress is not None and (done % _TELL_EVERY == 0 or done == n_entries):
                progress("verifying entries", done, n_entries)
    head = Head(checking.last, checking.before)
    faults = [*checking.faults, *_against(receipts, library, checking)]
    return LogIntegrity(head, tuple(sorted(faults, key=lambda fault: fault.number)), tuple(checking.notes))


class _Checking:
    """The state of a verification as it goes through the rows."""

    def __init__(self, rule: Rule | None, view: View) -> None:
        self.rule = rule
        self.view = view
        self.last, self.before = 0, NOTHING_BEFORE
        self.hashes: dict[int, str] = {}
        self.faults: list[LogFault] = []
        self.notes: list[str] = []
        self.operators: dict[str, Operator] = {}
        # The newest entry of each record: its number and its case.
        self.newest: dict[tuple[str, str], tuple[int, str]] = {}

    def take(self, row: Any) -> None:
        number = int(row.number)
        self._gap(number)
        followed, self.last, self.before = self.before, number, str(row.hash)
        self.hashes[number] = self.before
        found = len(self.faults)
        try:
            data = row.content.encode("utf-8", "surrogatepass")
            if sha256(data).hexdigest() != row.hash:
                self._add(number, "altered", f"entry {number} is not as it was recorded: {_named(row)}")
            entry = entry_of(data, f"entry {number}")
        except (BallisticsError, AttributeError) as error:
            if len(self.faults) == found:
                self._add(number, "altered", f"entry {number} is not as it was recorded: {error}")
            return
        if entry.number != number:
            self._add(number, "inserted", f"entry {number} was recorded as entry {entry.number}: it was put elsewhere")
        elif entry.previous != followed and len(self.faults) == found:
            self._add(number, "inserted", f"entry {number} ({_named(row)}) does not follow the one before it")
        if (row.kind, row.record, row.case_id) != (entry.kind, entry.record, entry.case):
            self._add(number, "altered", f"entry {number}: its columns say {_named(row)}, not {entry.kind} "
                                         f"'{entry.record}' of case '{entry.case}'")  # fmt: skip
        self._signature(row, entry)
        if len(self.faults) == found:
            self._rules(entry)
        self._learn(entry)

    def _gap(self, number: int) -> None:
        if number == self.last + 2:
            self._add(self.last + 1, "removed", f"entry {self.last + 1} was removed")
        elif number > self.last + 2:
            self._add(self.last + 1, "removed", f"entries {self.last + 1} to {number - 1} were removed")
        elif number <= self.last:
            self._add(number, "inserted", f"entry {number} has a number that a log does not give")

    def _signature(self, row: Any, entry: Entry) -> None:
        owner = self._owner(entry)
        if owner is None:
            self._add(entry.number, "not signed", f"entry {entry.number} ({_named(row)}) is signed by a key that the "
                                                  "laboratory never took in")  # fmt: skip
        elif not is_signed(owner.public, row.hash, str(row.signature)):
            self._add(entry.number, "not signed", f"entry {entry.number} ({_named(row)}): the signature is not that of "
                                                  f"{owner.name}")  # fmt: skip
        elif owner.state != VALID:
            self._add(entry.number, "not signed", f"entry {entry.number} ({_named(row)}) is signed by a key of "
                                                  f"{owner.name} that had been revoked")  # fmt: skip

    def _owner(self, entry: Entry) -> Operator | None:
        if entry.number > 2:
            return self.operators.get(entry.key)
        # The log begins with a laboratory that states the key, and the record of that key.
        try:
            public = bytes.fromhex(entry.body["public"])
        except (KeyError, TypeError, ValueError):
            return None
        is_founder = identifier_of(public) == entry.key and entry.kind == (LABORATORY if entry.number == 1 else KEY)
        return Operator(entry.key, "", "the founder", (ADMINISTRATOR,), public, VALID) if is_founder else None

    def _rules(self, entry: Entry) -> None:
        known, case = self.newest.get((entry.kind, entry.record), (0, entry.case))
        if entry.supersedes != known or case != entry.case:
            self._add(entry.number, "not allowed", f"entry {entry.number}: {entry.kind} '{entry.record}' does not "
                                                   f"follow its entry {known}")  # fmt: skip
        if entry.number > 2 and entry.kind in (LABORATORY, KEY):
            signer = self.operators[entry.key]
            if entry.kind == LABORATORY or ADMINISTRATOR not in signer.roles:
                self._add(entry.number, "not allowed", f"entry {entry.number}: {signer.name} was no administrator, who "
                                                       "alone takes in keys")  # fmt: skip
        if self.rule is None or entry.number <= 2:
            return
        try:
            self.rule(View(self.view.connection, before=entry.number), entry)
        except RefusedError as error:
            self._add(entry.number, "not allowed", f"entry {entry.number} should have been refused: {error}")
        except CorruptFileError:
            pass  # an earlier entry cannot be read, which is told where it stands

    def _learn(self, entry: Entry) -> None:
        self.newest[entry.kind, entry.record] = entry.number, entry.case
        if entry.kind != KEY:
            return
        try:
            owner = operator_of(entry)
        except CorruptFileError as error:
            self._add(entry.number, "altered", str(error))
            return
        self.operators[entry.record] = owner
        doubtful = entry.body.get("doubtful_since")
        if owner.state != VALID and doubtful:
            self.notes.append(
                f"the key of {owner.name} was revoked in entry {entry.number}: "
                f"what it signed since {doubtful} is in doubt"
            )

    def _add(self, number: int, what: str, message: str) -> None:
        self.faults.append(LogFault(number, what, message))


def _against(receipts: Iterable[Receipt], library: str, checking: _Checking) -> Iterable[LogFault]:
    for receipt in receipts:
        of = f"a receipt of {receipt.time}"
        if receipt.library != library:
            yield LogFault(0, "replaced", f"{of} is of another library ({receipt.library}, here {library})")
        elif receipt.number > checking.last:
            yield LogFault(checking.last + 1, "cut", f"{of} names {receipt.number} entries, here are {checking.last}: "
                                                     "its end was cut off, or an older copy was put back")  # fmt: skip
        elif receipt.number and checking.hashes.get(receipt.number) != receipt.hash:
            yield LogFault(receipt.number, "replaced", f"{of} names another entry {receipt.number} than the log: it "
                                                       "was made anew up to there")  # fmt: skip


def _named(row: Any) -> str:
    return f"{row.kind} '{row.record}'" + (f" of case '{row.case_id}'" if row.case_id else "")
