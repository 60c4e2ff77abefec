"""Verification of a log: every entry altered, removed, put elsewhere, forged or cut off is found and named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from ballistics.errors import BallisticsError, CorruptFileError
from ballistics.progress import Progress
from ballistics.records.entry import Entry, chained, entry_of, now
from ballistics.records.keys import is_signed
from ballistics.records.log import Log
from ballistics.records.operators import KEY, VALID, Operator, founder_of, is_founding, operator_of
from ballistics.records.receipts import Receipt
from ballistics.records.replay import Replay
from ballistics.records.rules import RefusedError, Rule, check_entry
from ballistics.records.views import Head, Row, rows_of

_AT_ONCE = 500
_MOST_SHOWN = 10


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
    by a key that was valid then, and the rules of the log and of the room that records in it. The first two are held
    against each other: the laboratory's founder states the key that signs both.

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
        checking, done = _Checking(log.rule, library), 0
        for rows in _several(rows_of(view.connection), _AT_ONCE):
            checking.take(rows)
            done += len(rows)
            if progress is not None:
                progress("verifying entries", done, n_entries)
    faults = [*checking.faults, *_against(receipts, library, checking.said)]
    return LogIntegrity(
        checking.said.head(), tuple(sorted(faults, key=lambda fault: fault.number)), tuple(checking.notes())
    )


class _Checking:
    """The state of a verification as it goes through the rows."""

    def __init__(self, rule: Rule | None, library: str) -> None:
        self.rule = rule
        self.library = library
        self.said = Replay(whole=rule is not None)
        self.founder: Operator | None = None
        self.groups: dict[str, str] = {}
        self.faults: list[LogFault] = []
        self.clock = _Clock()
        #: Of the rows at hand: public keys with the hashes that they signed, and the signatures.
        self.signed: set[tuple[bytes, str, str]] = set()

    def take(self, rows: Sequence[Row]) -> None:
        read = [(row, self._read(row)) for row in rows]
        # One after the other: between other work each takes a quarter longer, as its tables must be fetched again.
        self.signed = {
            (owner.public, row.hash, row.signature)
            for row, entry in read
            if isinstance(entry, Entry)
            and (owner := self.said.operator(entry.key)) is not None
            and is_signed(owner.public, row.hash, row.signature)
        }
        for row, entry in read:
            self._take(row, entry)

    def _read(self, row: Row) -> Entry | BallisticsError:
        try:
            return entry_of(row.content, f"entry {row.number}")
        except BallisticsError as error:
            return error

    def _take(self, row: Row, read: Entry | BallisticsError) -> None:
        before, found = self.said.head(), len(self.faults)
        if type(row.number) is not int:
            self._add(before.number + 1, "inserted", f"after entry {before.number} stands a row without a number")
            return
        self._gap(row.number, before.number)
        if isinstance(read, BallisticsError):
            self._add(row.number, "altered", f"entry {row.number} is not as it was recorded: {_named(row)}: {read}")
        else:
            entry = read
            self._place(row, entry, before, found)
            self._signature(row, entry)
            if len(self.faults) == found:
                self._rules(entry)
            self._learn(entry, {fault.what for fault in self.faults[found:]})
        self.said.go_to(Head(row.number, row.hash))

    def notes(self) -> Iterable[str]:
        yield from self.clock.notes()
        administrators = 0
        for entry in self.said.records(KEY):
            owner = self.said.operator(entry.record)
            if owner is None:
                continue
            administrators += owner.administers
            if owner.doubtful_since:
                n, first = self.clock.signed_since(owner.key, owner.doubtful_since)
                yield (
                    f"the key of {owner.name} was revoked in entry {entry.number}: what it signed since "
                    f"{owner.doubtful_since} is in doubt" + (f" ({n} entries, the first is {first})" if n else "")
                )
        if administrators == 1:
            yield "there is only one administrator: without that key none could be taken in or revoked any more"

    def _gap(self, number: int, last: int) -> None:
        if number == last + 2:
            self._add(last + 1, "removed", f"entry {last + 1} was removed")
        elif number > last + 2:
            self._add(last + 1, "removed", f"entries {last + 1} to {number - 1} were removed")
        elif number <= last:
            self._add(number, "inserted", f"entry {number} has a number that a log does not give")

    def _place(self, row: Row, entry: Entry, before: Head, found: int) -> None:
        number = row.number
        # Row by row, as if the entry before it were that which it names: each fault is told where it is.
        if chained(entry.previous, entry.digest, entry.tag) != row.hash:
            self._add(number, "altered", f"entry {number} is not as it was recorded: {_named(row)}")
        if entry.number != number:
            self._add(number, "inserted", f"entry {number} was recorded as entry {entry.number}: it was put elsewhere")
        elif entry.previous != before.hash and len(self.faults) == found:
            self._add(number, "inserted", f"entry {number} ({_named(row)}) does not follow the one before it")
        if (row.kind, row.record, row.case) != (entry.kind, entry.record, entry.case):
            self._add(number, "altered", f"entry {number}: its columns say {_named(row)}, not {entry.kind} "
                                         f"'{entry.record}' of case '{entry.case}'")  # fmt: skip

    def _signature(self, row: Row, entry: Entry) -> None:
        if row.number == 1:
            self.founder = founder_of(entry)
            # Logs that were begun by earlier versions of this program name none.
            of = entry.body.get("library", self.library)
            if of != self.library:
                self._add(1, "replaced", f"the log is of another library ({of!s:.60}, here {self.library}): it was "
                                         "put here")  # fmt: skip
        owner = self.founder if row.number <= 2 else self.said.operator(entry.key)
        if owner is None or owner.key != entry.key:
            fault = " is signed by a key that the laboratory never took in"
        elif not self._is_signed(owner.public, row):
            fault = f": the signature is not that of {owner.name}"
        elif owner.state != VALID:
            fault = f" is signed by a key of {owner.name} that had been revoked"
        else:
            return
        self._add(row.number, "not signed", f"entry {row.number} ({_named(row)}){fault}")

    def _is_signed(self, public: bytes, row: Row) -> bool:
        return (public, row.hash, row.signature) in self.signed or is_signed(public, row.hash, row.signature)

    def _rules(self, entry: Entry) -> None:
        number = entry.number
        if number <= 2:
            if number == 2 and not (self.founder and is_founding(entry, self.founder)):
                self._add(number, "not allowed", "entry 2 does not take in the founder's key as an administrator's")
            return
        if entry.case and self.groups.setdefault(entry.group, entry.case) != entry.case:
            self._add(number, "not allowed", f"entry {number} ({entry.kind} '{entry.record}') of case '{entry.case}' "
                                             f"is in the group of case '{self.groups[entry.group]}'")  # fmt: skip
        try:
            check_entry(self.said, entry)
            if self.rule is not None:
                self.rule(self.said, entry)
        except RefusedError as error:
            self._add(number, "not allowed", f"entry {number} should have been refused: {error}")
        except CorruptFileError:
            pass  # an earlier entry cannot be read, which is told where it stands
        except (KeyError, TypeError, AttributeError, AssertionError):
            # A rule met an earlier entry that was altered, which is told where it stands.
            if not self.faults:
                raise

    def _learn(self, entry: Entry, faults: set[str]) -> None:
        self.clock.take(entry)
        # What no valid key signed, or no rule allowed, is told and then passed over: it is not what the log says.
        if faults & {"not signed", "not allowed"}:
            return
        self.said.say(entry)
        if entry.kind == KEY:
            try:
                owner = operator_of(entry)
            except CorruptFileError as error:
                self._add(entry.number, "altered", str(error))
                return
            if owner.key == entry.record:
                self.said.take_in(owner)

    def _add(self, number: int, what: str, message: str) -> None:
        self.faults.append(LogFault(number, what, message))


class _Clock:
    """What the times of the entries say: which key signed when, and where a clock was set back."""

    def __init__(self) -> None:
        self.signed: dict[str, list[tuple[str, int]]] = {}
        self.last = ""
        self.back: list[int] = []

    def take(self, entry: Entry) -> None:
        self.signed.setdefault(entry.key, []).append((entry.time, entry.number))
        if entry.time < self.last:
            self.back.append(entry.number)
        self.last = entry.time

    def signed_since(self, key: str, since: str) -> tuple[int, int]:
        found = [number for time, number in self.signed.get(key, ()) if time >= since]
        return len(found), min(found, default=0)

    def notes(self) -> Iterable[str]:
        if self.back:
            shown = ", ".join(str(number) for number in self.back[:_MOST_SHOWN])
            more = f" and {len(self.back) - _MOST_SHOWN} more" if len(self.back) > _MOST_SHOWN else ""
            yield f"a clock had been set back: entries dated earlier than the one before them are {shown}{more}"
        if self.last > now():
            yield f"the newest entry is dated {self.last}, later than this computer's clock says it is"


def _several(rows: Iterator[Row], most: int) -> Iterator[list[Row]]:
    while some := list(islice(rows, most)):
        yield some


def _against(receipts: Iterable[Receipt], library: str, said: Replay) -> Iterable[LogFault]:
    last = said.head().number
    for receipt in receipts:
        of = f"a receipt of {receipt.time}"
        if receipt.library != library:
            yield LogFault(0, "replaced", f"{of} is of another library ({receipt.library}, here {library})")
        elif receipt.number > last:
            yield LogFault(last + 1, "cut", f"{of} names {receipt.number} entries, here are {last}: its end was cut "
                                            "off, or an older copy was put back")  # fmt: skip
        elif receipt.number and said.hash_of(receipt.number) != receipt.hash:
            yield LogFault(receipt.number, "replaced", f"{of} names another entry {receipt.number} than the log: it "
                                                       "was made anew up to there")  # fmt: skip


def _named(row: Row) -> str:
    return f"{row.kind} '{row.record}'" + (f" of case '{row.case}'" if row.case else "")
