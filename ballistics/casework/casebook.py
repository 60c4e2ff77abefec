"""The casebook of a laboratory: its cases, test fires and quality records, in the signed log of its library."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from ballistics.casework import rules
from ballistics.casework.cases import Case, Information, Item
from ballistics.casework.code_lists import CodeLists
from ballistics.casework.examinations import Comparison, Conclusion
from ballistics.casework.fields import ROLES, Record
from ballistics.casework.quality_records import Settings
from ballistics.casework.test_fires import Session
from ballistics.errors import ParameterError
from ballistics.library import LibraryStore
from ballistics.progress import Progress
from ballistics.records import (
    ADMINISTRATOR,
    KEY,
    REVOKED,
    Entry,
    Log,
    LogIntegrity,
    Operator,
    Receipt,
    RefusedError,
    SigningKey,
    View,
    identifier_of,
    key_body,
    operator_of,
    receipt_of,
    remember_head,
    seen_head,
    verify_log,
)

Kind = TypeVar("Kind", bound=Record)
_SETTINGS = "settings"
_CLASSES = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_REPEATED_GROUP = re.compile(r"\)(?:[*+{])")
# All but an exact number, {4}, and what a group begins with, (?:.
_REPEATED = re.compile(r"[*+]|\{\d*,\d*\}|(?<!\()\?")
_MOST_REPEATED = 4


@dataclass(frozen=True)
class Recorded(Generic[Kind]):
    """A record as the log holds it.

    Parameters
    ----------
    record : Record
        Its fields.
    entry : Entry
        The entry that states its newest version.
    by : Operator
        Who signed that.
    """

    record: Kind
    entry: Entry
    by: Operator


@dataclass(frozen=True)
class CaseworkIntegrity:
    """What the verification of a casebook found.

    Parameters
    ----------
    log : LogIntegrity
        The state of the signed log.
    files : tuple of str
        What is wrong with kept files, a sentence each.
    n_files : int
        How many files the records name.
    """

    log: LogIntegrity
    files: tuple[str, ...]
    n_files: int

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return self.log.clean and not self.files


class Casebook:
    """The cases of a laboratory, kept in the database of its library.

    Everything is an entry of a signed, append-only log: nothing is overwritten, an amendment supersedes. Files are kept
    under their SHA-256 beside the library's arrays. Open it with `Casebook.open`; use it as a context manager.

    Examples
    --------
    >>> import tempfile
    >>> from ballistics.records import make_key
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     key = make_key(Path(folder) / "ab.json", "a long passphrase")
    ...     LibraryStore.create(Path(folder) / "laboratory").close()
    ...     with Casebook.open(Path(folder) / "laboratory") as book:
    ...         _ = book.begin(key, "AB", "A. B.", {"name": "Laboratory"})
    ...         _ = book.take_in(key, key.public, "AB", "A. B.", ("examiner",))
    ...         asked = {"requester": "Police", "request": "One weapon?", "purpose": "lead", "received": "2026"}
    ...         _ = book.record(key, Case("C-1", title="Find", **asked))
    ...         book.get(Case, "C-1").record.title, book.verify().clean
    ('Find', True)
    """

    def __init__(self, library: LibraryStore) -> None:
        self.library = library
        self.log = Log(library.engine, str(library.folder), rules.check)
        self.lists = CodeLists(library.folder / "lists")
        self.files = library.files
        self._has_written = False

    @classmethod
    def open(cls, folder: str | Path, database: str | None = None) -> Self:
        """Open the casebook of a library; errors as of `LibraryStore.open`."""
        return cls(LibraryStore.open(folder, database))

    def close(self) -> None:
        """Close the database; where something was recorded, the head of the log is remembered."""
        if self._has_written:
            self.remember()
        self.library.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def begin(self, key: SigningKey, operator: str, name: str, laboratory: Mapping[str, str]) -> Entry:
        """Begin the log of a laboratory; whoever does is its first administrator.

        Parameters
        ----------
        key : SigningKey
            Of the administrator.
        operator, name : str
            Short name, and name, of the administrator.
        laboratory : mapping
            What is known of the laboratory: ``name``, ``country``, ``accreditation`` …
        """
        self._has_written = True
        return self.log.begin(key, operator, name, {**laboratory, "library": self.library.identifier})

    def take_in(
        self, administrator: SigningKey, public: bytes, operator: str, name: str, roles: Sequence[str]
    ) -> Entry:
        """Take in an operator's key, or change the roles of one.

        Parameters
        ----------
        administrator : SigningKey
            Who takes it in.
        public : bytes
            The public half of the key.
        operator, name : str
            Short name, and name, of its owner.
        roles : sequence of str
            Of `ROLES`, or administrator.

        Raises
        ------
        ParameterError
            For a role that there is not.
        RefusedError
            When the key that signs is no administrator's.
        """
        for role in roles:
            if role not in (*ROLES, ADMINISTRATOR):
                raise ParameterError(f"there is no role '{role}'; there are: {', '.join((*ROLES, ADMINISTRATOR))}")
        with self.log.view() as view:
            known = view.current(KEY, identifier_of(public))
        kept = {ADMINISTRATOR} & set(operator_of(known).roles) if known is not None else set()
        body = key_body(operator, name, tuple({*roles, *kept}), public)
        return self._append(administrator, KEY, identifier_of(public), body, "", 0 if known is None else known.number)

    def revoke(self, administrator: SigningKey, key: str, reason: str, doubtful_since: str = "") -> Entry:
        """Revoke a key that was lost or stolen, or whose owner has left; what it signed before stays.

        Parameters
        ----------
        administrator : SigningKey
            Who revokes it.
        key : str
            Identifier of the key.
        reason : str
            Why.
        doubtful_since : str
            From when on what it signed is in doubt; empty where nothing is.
        """
        with self.log.view() as view:
            known = view.current(KEY, key)
        if known is None:
            raise RefusedError(f"there is no key '{key}'")
        body = {**known.body, "state": REVOKED, "reason": reason, "doubtful_since": doubtful_since}
        return self._append(administrator, KEY, key, body, "", known.number)

    def record(self, key: SigningKey, record: Record) -> Entry:
        """Record something new; when this returns, it is on the disk.

        Raises
        ------
        ParameterError
            When a field is missing or not as it must be, or a file that it names is not kept.
        RefusedError
            When it is recorded already, or a rule forbids it.
        """
        return self._put(key, record, "", 0)

    def amend(self, key: SigningKey, record: Record, reason: str, supersedes: int | None = None) -> Entry:
        """Record another version of a record; the earlier ones stay.

        Parameters
        ----------
        key : SigningKey
            Of who amends it.
        record : Record
            All its fields as they are to be.
        reason : str
            Why.
        supersedes : int, optional
            The entry that the change was made from; default the newest. Give it where a person has looked at it.
        """
        if supersedes is None:
            supersedes = self.get(type(record), record.id).entry.number
        return self._put(key, record, reason, supersedes)

    def get(self, kind: type[Kind], identifier: str) -> Recorded[Kind]:
        """Return the newest version of a record.

        Raises
        ------
        ParameterError
            When there is none.
        """
        with self.log.view() as view:
            entry = view.current(kind.KIND, identifier)
            if entry is None:
                raise ParameterError(f"there is no {kind.KIND} '{identifier}'")
            return recorded(view, kind, entry)

    def all(self, kind: type[Kind], case: str | None = None) -> list[Recorded[Kind]]:
        """Return the newest versions of all records of a kind, of a case or of all, as first recorded."""
        with self.log.view() as view:
            return [recorded(view, kind, entry) for entry in view.records(kind.KIND, case)]

    def history(self, kind: type[Kind], identifier: str) -> list[Recorded[Kind]]:
        """Return all versions of a record, the oldest first."""
        with self.log.view() as view:
            return [recorded(view, kind, entry) for entry in view.versions(kind.KIND, identifier)]

    def settings(self) -> Settings:
        """Return the laboratory's own rules; all empty where none were recorded."""
        with self.log.view() as view:
            entry = view.current(Settings.KIND, _SETTINGS)
            return Settings(_SETTINGS) if entry is None else recorded(view, Settings, entry).record

    def information(self, case: str, key: SigningKey) -> list[Recorded[Information]]:
        """Return what is known of a case beside its exhibits.

        Raises
        ------
        RefusedError
            When the case is blind and it was not shown to the owner of the key.
        """
        self._check_shown(case, key, "information")
        return self.all(Information, case)

    def result(self, comparison: str, key: SigningKey) -> tuple[Recorded[Comparison], bytes]:
        """Return a comparison with its result, JSON.

        Raises
        ------
        RefusedError
            When the case is blind and scores were not shown to the owner of the key.
        CorruptFileError
            When the file of the result is missing or was changed.
        """
        found = self.get(Comparison, comparison)
        self._check_shown(found.record.case, key, "scores")
        return found, self.files.read(found.record.result)

    def verify(
        self, receipts: Sequence[Receipt] = (), files: bool = True, progress: Progress | None = None
    ) -> CaseworkIntegrity:
        """Verify every entry of the log, and every file that a record names.

        Parameters
        ----------
        receipts : sequence of Receipt
            Heads that were written down elsewhere; the newest that this user has seen is added.
        files : bool
            Whether to hash the files too.
        progress : callable, optional
            Told the stage, how many are done, and how many there are.
        """
        seen = seen_head(self.library.identifier)
        found = verify_log(self.log, self.library.identifier, (*receipts, *(() if seen is None else (seen,))), progress)
        names = self._named_files() if files else {}
        faults = []
        for done, (name, by) in enumerate(sorted(names.items()), 1):
            fault = self.files.fault(name)
            if fault is not None:
                faults.append(f"file {name[:12]}… of {by}: {fault}")
            if progress is not None:
                progress("verifying files", done, len(names))
        if found.clean:
            self.remember()
        return CaseworkIntegrity(found, tuple(faults), len(names))

    def remember(self) -> str | None:
        """Keep the head of the log as the newest that this user has seen.

        Returns
        -------
        str or None
            What the user must be told: the log was cut, put back or made anew since. None when it was not.
        """
        return remember_head(self.library.identifier, self.log)

    def receipt(self) -> Receipt:
        """Return the receipt of the log as it is now."""
        return receipt_of(self.library.identifier, self.log.head())

    def _named_files(self) -> Mapping[str, str]:
        names: dict[str, str] = {}
        with self.log.view() as view:
            for kind in rules.KINDS.values():
                for entry in view.every(kind.KIND):
                    for name in rules.fields_of(entry).kept_files():
                        names.setdefault(name, f"{entry.kind} '{entry.record}'")
        return names

    def _put(self, key: SigningKey, record: Record, reason: str, supersedes: int) -> Entry:
        record.check()
        versions = self.lists.check(record)
        self._check_own(record)
        for name in record.kept_files():
            fault = self.files.fault(name)
            if fault is not None:
                raise ParameterError(f"{record.KIND} '{record.id}' names file {name[:12]}…: {fault}; keep it first")
        body: dict[str, Any] = {"fields": record.body, "lists": versions}
        if supersedes:
            body["reason"] = reason
        return self._append(key, record.KIND, record.id, body, rules.case_of(record), supersedes)

    def _append(
        self, key: SigningKey, kind: str, record: str, body: Mapping[str, Any], case: str, supersedes: int
    ) -> Entry:
        self._has_written = True
        return self.log.append(key, kind, record, body, case, supersedes)

    def _check_own(self, record: Record) -> None:
        """Check what a list or the laboratory's settings say beside the words themselves."""
        if isinstance(record, Conclusion):
            self.lists.check_step("conclusion scales", record.scale, (record.value,))
        elif isinstance(record, Session):
            self.lists.check_step("safety checklists", record.checklist, record.answers)
        elif isinstance(record, (Case, Item)):
            settings = self.settings()
            pattern = settings.case_pattern if isinstance(record, Case) else settings.item_pattern
            if pattern:
                _check_pattern(pattern)
            if pattern and not re.fullmatch(pattern, record.id):
                raise ParameterError(f"'{record.id}' is not an identifier of this laboratory's ({pattern})")
            if isinstance(record, Case) and settings.blind and not record.blind:
                raise ParameterError("cases of this laboratory are examined blind: state it")
        elif isinstance(record, Settings):
            for pattern in (record.case_pattern, record.item_pattern):
                _check_pattern(pattern)
            if record.id != _SETTINGS:
                raise ParameterError(f"the laboratory's rules are recorded as '{_SETTINGS}'")

    def _check_shown(self, case: str, key: SigningKey, what: str) -> None:
        with self.log.view() as view:
            owner = view.operator(key.identifier)
            if owner is None:
                raise RefusedError("the key is not one of this laboratory's")
            entry = view.current(Case.KIND, case)
            if entry is None:
                raise ParameterError(f"there is no case '{case}'")
            is_examiner = {"examiner", "reviewer"} & set(owner.roles)
            if not entry.body["fields"].get("blind") or not is_examiner:
                return
            if what not in rules.shown_to(view, case, owner.operator):
                raise RefusedError(
                    f"case '{case}' is examined blind: {what} are shown to {owner.name} after an observation and a "
                    "conclusion of their own (`ballistics case add unmasking`)"
                )


def _check_pattern(pattern: str) -> None:
    """Refuse a pattern of identifiers that is none, or that could take for ever to be held against one."""
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise ParameterError(f"'{pattern[:80]}' is no regular expression: {error}") from error
    # Without classes and escaped characters, what repeats stands by itself.
    bare = _CLASSES.sub("x", pattern)
    if _REPEATED_GROUP.search(bare) or len(_REPEATED.findall(bare)) > _MOST_REPEATED:
        raise ParameterError(
            f"the pattern '{pattern[:80]}' of identifiers repeats a group, or more than {_MOST_REPEATED} things: "
            "some identifiers would take for ever to be held against it; write it out, as in [0-9]{4}-[0-9]+"
        )


def recorded(view: View, kind: type[Kind], entry: Entry) -> Recorded[Kind]:
    """Return the record of a kind that an entry states, with who signed it.

    Parameters
    ----------
    view : View
        Of the log.
    kind : type
        What the entry must state.
    entry : Entry
        Of the log.
    """
    record, by = rules.fields_of(entry), view.operator(entry.key)
    assert isinstance(record, kind)
    assert by is not None
    return Recorded(record, entry, by)
