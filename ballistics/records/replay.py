"""The log said again, entry by entry, in memory: what a verification holds each entry against."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from ballistics.records.entry import NOTHING_BEFORE, Entry, entry_of
from ballistics.records.operators import KEY, Operator
from ballistics.records.views import Head, View

#: How many entries are kept as they were read; of all others only their bytes are.
_KEPT = 4096


class Replay(View):
    """A view of the entries that were said so far; it asks no database, so that a verification takes linear time.

    Parameters
    ----------
    whole : bool
        Whether what the entries say is kept; otherwise only what the log itself needs.
    """

    def __init__(self, whole: bool) -> None:
        self._whole = whole
        self._head = Head(0, NOTHING_BEFORE)
        self._contents: dict[int, bytes] = {}
        # Rules ask again and again for the records of the case at hand.
        self._recent: dict[int, Entry] = {}
        self._hashes: dict[int, str] = {}
        # Of each record the first version, and of amended ones the others: few are, and lists are dear.
        self._first: dict[tuple[str, str], int] = {}
        self._later: dict[tuple[str, str], list[int]] = {}
        # Of each kind, and of each kind in each case: the newest entry of each record, in the order of the first.
        self._of_kind: dict[tuple[str, str | None], dict[str, int]] = defaultdict(dict)
        self._all_of: dict[str, list[int]] = defaultdict(list)
        self._of_case: dict[str, list[int]] = defaultdict(list)
        self._cases: dict[tuple[str, str], str] = {}
        self._groups: dict[str, str] = {}
        self._operators: dict[str, Operator] = {}

    def say(self, entry: Entry) -> None:
        """Take an entry as the next that the log says."""
        number, name = entry.number, (entry.kind, entry.record)
        if self._first.setdefault(name, number) != number:
            self._later.setdefault(name, []).append(number)
        self._cases[name] = entry.case
        if entry.case:
            self._groups.setdefault(entry.case, entry.group)
        if self._whole or entry.kind == KEY:
            self._contents[number] = self._keep(entry).content
            self._of_kind[entry.kind, None][entry.record] = number
        if self._whole:
            self._of_kind[entry.kind, entry.case][entry.record] = number
            self._all_of[entry.kind].append(number)
            self._of_case[entry.case].append(number)

    def take_in(self, owner: Operator) -> None:
        """Take a key as its owner's."""
        self._operators[owner.key] = owner

    def go_to(self, head: Head) -> None:
        """Take a row's number and hash as the newest of the log."""
        self._head = head
        self._hashes[head.number] = head.hash

    def current(self, kind: str, record: str) -> Entry | None:
        """See `View.current`."""
        number = self._newest(kind, record)
        return None if number is None else self._entry(number)

    def newest(self, kind: str, record: str) -> tuple[int, str] | None:
        """See `View.newest`."""
        number = self._newest(kind, record)
        return None if number is None else (number, self._cases[kind, record])

    def versions(self, kind: str, record: str) -> list[Entry]:
        """See `View.versions`."""
        name = (kind, record)
        numbers = (self._first[name], *self._later.get(name, ())) if name in self._first else ()
        return [self._entry(number) for number in numbers]

    def records(self, kind: str, case: str | None = None) -> list[Entry]:
        """See `View.records`."""
        return [self._entry(number) for number in self._of_kind.get((kind, case), {}).values()]

    def every(self, kind: str) -> Iterator[Entry]:
        """See `View.every`."""
        return map(self._entry, self._all_of[kind])

    def of_case(self, case: str) -> list[Entry]:
        """See `View.of_case`."""
        return [self._entry(number) for number in self._of_case.get(case, ())]

    def operator(self, key: str) -> Operator | None:
        """See `View.operator`."""
        return self._operators.get(key)

    def group(self, case: str) -> str | None:
        """See `View.group`."""
        return self._groups.get(case)

    def entry(self, number: int) -> Entry | None:
        """See `View.entry`."""
        return self._entry(number) if number in self._contents else None

    def hash_of(self, number: int) -> str | None:
        """See `View.hash_of`."""
        return self._hashes.get(number)

    def head(self) -> Head:
        """See `View.head`."""
        return self._head

    def _newest(self, kind: str, record: str) -> int | None:
        later = self._later.get((kind, record))
        return later[-1] if later else self._first.get((kind, record))

    def _entry(self, number: int) -> Entry:
        found = self._recent.get(number)
        if found is None:
            found = self._keep(entry_of(self._contents[number], f"entry {number} of the log"))
        return found

    def _keep(self, entry: Entry) -> Entry:
        if len(self._recent) >= _KEPT:
            del self._recent[next(iter(self._recent))]
        self._recent[entry.number] = entry
        return entry
