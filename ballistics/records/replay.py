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
        self._numbers: dict[tuple[str, str], list[int]] = defaultdict(list)
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
        self._numbers[name].append(number)
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
        numbers = self._numbers.get((kind, record))
        return self._entry(numbers[-1]) if numbers else None

    def newest(self, kind: str, record: str) -> tuple[int, str] | None:
        """See `View.newest`."""
        numbers = self._numbers.get((kind, record))
        return (numbers[-1], self._cases[kind, record]) if numbers else None

    def versions(self, kind: str, record: str) -> list[Entry]:
        """See `View.versions`."""
        return [self._entry(number) for number in self._numbers.get((kind, record), ())]

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
