"""How the kinds of records are declared: a dataclass each, whose fields say what they may hold and what they mean."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from datetime import datetime
from typing import Any, ClassVar, NamedTuple, Self

from ballistics.errors import CorruptFileError, ParameterError

#: Roles of operators, beside that of `ballistics.records.ADMINISTRATOR`.
CUSTODIAN, EXAMINER, REVIEWER, AUTHORISER = "custodian", "examiner", "reviewer", "authoriser"
SHOOTER, QUALITY = "shooter", "quality manager"
ROLES = (CUSTODIAN, EXAMINER, REVIEWER, AUTHORISER, SHOOTER, QUALITY)
_MOST_CHARACTERS = 20_000
_TIME = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d))?(?:Z|[+-]\d\d:\d\d)?)?)?)?")
# Characters that cannot be printed, move the cursor of a terminal, or make a text read otherwise than it is written.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class _Declared(NamedTuple):
    """A field of a kind, as it was declared."""

    name: str
    empty: Any
    needed: bool
    help: str
    check: Callable[[Any], str] | None
    refers: tuple[str, ...]
    list: str


# The fields of each kind, asked for with every record of a log that is verified.
_DECLARED: dict[type[Record], tuple[_Declared, ...]] = {}


def _declared_by(kind: type[Record]) -> tuple[_Declared, ...]:
    found = _DECLARED.get(kind)
    if found is None:
        found = _DECLARED[kind] = tuple(map(_as_declared, fields(kind)))
    return found


def _as_declared(each: Field[Any]) -> _Declared:
    said = each.metadata
    return _Declared(
        each.name,
        "" if each.default is MISSING else each.default,
        bool(said.get("needed", each.name == "id")),
        said.get("help", "its identifier"),
        said.get("check"),
        said.get("refers", ()),
        said.get("list", ""),
    )


@dataclass(frozen=True)
class Record:
    """What all kinds of records have: an identifier, and fields that are checked before they are recorded.

    Parameters
    ----------
    id : str
        By which the laboratory knows it.
    """

    #: By which the log knows the kind.
    KIND: ClassVar[str] = ""
    #: Who may record it; an administrator may not by being one.
    BY: ClassVar[tuple[str, ...]] = ()

    id: str

    @property
    def body(self) -> dict[str, Any]:
        """The fields, as the log holds them: what is not stated is left out."""
        found = {each.name: getattr(self, each.name) for each in _declared_by(type(self))}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in found.items()
            if name != "id" and value not in ("", (), None, False)
        }

    @classmethod
    def of(cls, identifier: str, body: Mapping[str, Any]) -> Self:
        """Return the record that a body of the log states.

        Raises
        ------
        CorruptFileError
            When a field is missing, unknown or of another kind.
        """
        unknown = body.keys() - {each.name for each in _declared_by(cls)[1:]}
        if unknown:
            raise CorruptFileError(
                f"{cls.KIND} '{identifier}' has a field that this program does not know: {min(unknown)}"
            )
        values = {name: tuple(value) if isinstance(value, list) else value for name, value in body.items()}
        try:
            record = cls(id=identifier, **values)
            record.check()
        except (TypeError, ParameterError) as error:
            raise CorruptFileError(f"{cls.KIND} '{identifier}' is not as it must be: {error}") from error
        return record

    def check(self) -> None:
        """Check the form of every field: its type, its length, what it may look like.

        Raises
        ------
        ParameterError
            Naming the field, what it holds and what it may.
        """
        for each in _declared_by(type(self)):
            value = getattr(self, each.name)
            if each.needed or value is not each.empty:
                _check_field(self, each, value)

    def named_records(self) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
        """Return the fields that name other records: the kinds they may name, and the identifiers named."""
        found = {}
        for each in _declared_by(type(self)):
            if each.refers and (value := getattr(self, each.name)):
                found[each.name] = each.refers, (value if isinstance(value, tuple) else (value,))
        return found

    def listed_words(self) -> dict[str, tuple[str, tuple[str, ...]]]:
        """Return the fields whose words stand in a code list: the list's name, and the words used."""
        found = {}
        for each in _declared_by(type(self)):
            if each.list and (value := getattr(self, each.name)):
                found[each.name] = each.list, (value if isinstance(value, tuple) else (value,))
        return found

    def kept_files(self) -> tuple[str, ...]:
        """Return the SHA-256 of every file that the record names."""
        found: list[str] = []
        for each in _declared_by(type(self)):
            if each.check is _sha256 and (value := getattr(self, each.name)):
                found += value if isinstance(value, tuple) else (value,)
        return tuple(found)


def text(help_: str, *, needed: bool = False) -> Any:
    """Declare a field of free text."""
    return _declared(help_, needed, "", None)


def choice(help_: str, list_: str, *, needed: bool = False) -> Any:
    """Declare a field that holds a word of a code list.

    Parameters
    ----------
    help_ : str
        What the field means, for help pages and messages.
    list_ : str
        Name of the code list.
    needed : bool
        Whether it must be stated.
    """
    return _declared(help_, needed, "", None, list=list_)


def reference(help_: str, *kinds: str, needed: bool = False) -> Any:
    """Declare a field that names a record of one of some kinds.

    Parameters
    ----------
    help_ : str
        What the field means, for help pages and messages.
    *kinds : str
        What may be named.
    needed : bool
        Whether it must be stated.
    """
    return _declared(help_, needed, "", None, refers=kinds)


def references(help_: str, *kinds: str, needed: bool = False) -> Any:
    """Declare a field that names any number of records of some kinds.

    Parameters
    ----------
    help_ : str
        What the field means, for help pages and messages.
    *kinds : str
        What may be named.
    needed : bool
        Whether it must be stated.
    """
    return _declared(help_, needed, (), None, refers=kinds)


def texts(help_: str, *, needed: bool = False) -> Any:
    """Declare a field of any number of texts."""
    return _declared(help_, needed, (), None)


def choices(help_: str, list_: str, *, needed: bool = False) -> Any:
    """Declare a field of any number of words of a code list.

    Parameters
    ----------
    help_ : str
        What the field means, for help pages and messages.
    list_ : str
        Name of the code list.
    needed : bool
        Whether it must be stated.
    """
    return _declared(help_, needed, (), None, list=list_)


def when(help_: str, *, needed: bool = False) -> Any:
    """Declare a field of a date or a time, as exact as it is known: ``2026``, ``2026-11``, ``2026-11-30T21:04``."""
    return _declared(help_, needed, "", _time)


def file_hash(help_: str, *, needed: bool = False) -> Any:
    """Declare a field that names a kept file by its SHA-256."""
    return _declared(help_, needed, "", _sha256)


def file_hashes(help_: str, *, needed: bool = False) -> Any:
    """Declare a field that names any number of kept files."""
    return _declared(help_, needed, (), _sha256)


def number(help_: str, *, least: float = -math.inf, most: float = math.inf) -> Any:
    """Declare a field of a number; None where it is not stated.

    Parameters
    ----------
    help_ : str
        What the field means, for help pages and messages.
    least, most : float
        What it may be.
    """

    def within(value: Any) -> str:
        return "" if math.isfinite(value) and least <= value <= most else f"is not between {least:g} and {most:g}"

    return _declared(help_, False, None, within)


def yes(help_: str) -> Any:
    """Declare a field of yes or no."""
    return field(default=False, metadata={"help": help_})


def _declared(help_: str, needed: bool, empty: Any, check: Callable[[Any], str] | None, **more: Any) -> Any:
    metadata = {"help": help_, "needed": needed, "check": check, **more}
    # All have a default, so that a kind can put its fields in the order in which they are read.
    return field(default=empty, metadata=metadata)


def _check_field(record: Record, each: _Declared, value: Any) -> None:
    empty = each.empty
    if each.needed and value == empty:
        raise ParameterError(f"{_named(record, each)} must be stated: {each.help}")
    if type(empty) is bool or value is None or value == empty:
        wrong = type(empty) is bool and type(value) is not bool
    elif empty is None:
        wrong = type(value) not in (int, float)
    else:
        wrong = type(value) is not type(empty)
    if wrong:
        raise ParameterError(f"{_named(record, each)} holds {value!r:.60}, which is not of its kind")
    for word in value if isinstance(value, tuple) else (value,):
        fault = _word_fault(word, each.check)
        if fault:
            raise ParameterError(f"{_named(record, each)} {fault}")


def _named(record: Record, each: _Declared) -> str:
    return f"'{each.name}' of {record.KIND} '{record.id[:60]}'"


def _word_fault(word: Any, check: Callable[[Any], str] | None) -> str:
    if isinstance(word, str):
        if len(word) > _MOST_CHARACTERS:
            return f"has {len(word)} characters, {_MOST_CHARACTERS} at most: attach it as a file"
        # What Python calls printable is; of the rest, line breaks and tabs are no fault.
        if not word.isprintable() and _UNPRINTABLE.search(word):
            return "holds characters that cannot be printed, or that turn the text round"
    elif type(word) not in (int, float, bool, type(None)):
        return f"holds {word!r:.60}, which is not of its kind"
    wrong = check(word) if check is not None and word not in ("", None) else ""
    return f"holds '{word}', which {wrong}" if wrong else ""


def _time(value: str) -> str:
    found = _TIME.fullmatch(value)
    wrong = "is no date or time: write 2026, 2026-11, 2026-11-30 or 2026-11-30T21:04"
    if found is None:
        return wrong
    year, month, day, hour, minute, second = (int(part) if part else None for part in found.groups())
    try:
        datetime(year or 0, month or 1, day or 1, hour or 0, minute or 0, second or 0)
    except ValueError:
        return wrong
    return ""


def _sha256(value: str) -> str:
    return "" if _SHA256.fullmatch(value) else "is not the SHA-256 of a file"
