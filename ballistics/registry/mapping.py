"""Mapping files: which column of somebody's register is which field of ours, with their codes and dates translated."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from ballistics.errors import ParameterError, ReadError
from ballistics.files import reason
from ballistics.registry.records import Component, Event, Firearm, Marking, checked_date, clean_text
from ballistics.registry.writing import Entry

_MOST_BYTES = 1 << 20
_FIELDS = tuple(field.name for field in fields(Firearm) if field.name not in ("markings", "components"))
_TOP = {"source", "key", "encoding", "delimiter", "sheet", "view", "columns", "components", "markings", "events"}
_HOW = {"column", "constant", "codes", "otherwise", "date"}
_PARTS = {
    "components": {"kind", "serial", "condition"},
    "markings": {"text", "where", "condition"},
    "events": {"kind", "on", "unit", "place", "reference", "note"},
}
_NEEDED = {"components": ("serial",), "markings": ("text",), "events": ("kind", "on", "unit")}
#: Reads a field out of a row's values.
Reader = Callable[[Sequence[str]], str]


class RowError(ParameterError):
    """A row of a source is refused.

    Parameters
    ----------
    column : str
        Their column; empty where the whole row is meant.
    value : str
        What stands there.
    reason : str
    """

    def __init__(self, column: str, value: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column
        self.value = value
        self.reason = reason


@dataclass(frozen=True)
class RegisterMapping:
    """A mapping file, checked.

    Parameters
    ----------
    name : str
        Of the file.
    source : str
        Who keeps the records.
    key : str
        Their column with the number of the record.
    encoding, delimiter : str
        Of CSV files.
    sheet : str
        Of a workbook; empty for the first.
    view : str
        The table or view of a database.
    says : mapping
        The file's content.
    """

    name: str
    source: str
    key: str
    encoding: str
    delimiter: str
    sheet: str
    view: str
    says: Mapping[str, Any]

    def reader(self, headings: Sequence[str]) -> Callable[[Sequence[str]], Entry]:
        """Return a function from the values of a row to a record.

        Parameters
        ----------
        headings : sequence of str
            The columns of the source, in their order.

        Raises
        ------
        ParameterError
            When the source has not a column that the mapping names.
        """
        return _RowReader(self, headings).entry


def read_mapping(path: Path) -> RegisterMapping:
    """Read a mapping file.

    Raises
    ------
    ReadError
        When it cannot be read.
    ParameterError
        When it is not YAML, or names what is no field.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise ReadError(f"{path} cannot be read: {reason(error)}") from error
    if len(data) > _MOST_BYTES:
        raise ParameterError(f"{path} is larger than {_MOST_BYTES} bytes: no mapping is")
    try:
        # What is written once and named often can be larger than any memory once it is written out.
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(data, Loader=yaml.SafeLoader)):
            raise ParameterError(f"{path} repeats a part by its name (*name): write the part out")
        says = yaml.safe_load(data)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise ParameterError(f"{path} is not YAML: {' '.join(str(error).split())[:200]}") from None
    return checked_mapping(says, path.name)


def checked_mapping(says: Any, name: str) -> RegisterMapping:
    """Return a mapping from what a file says.

    Parameters
    ----------
    says : dict
        The file's content.
    name : str
        For messages.

    Raises
    ------
    ParameterError
        When it names what is no field, or leaves out what is needed.
    """
    if not isinstance(says, dict) or not isinstance(says.get("columns"), dict):
        raise ParameterError(f"{name}: a mapping has the entries source, key and columns")
    _refuse_others(name, says, _TOP)
    _refuse_others(f"{name}: columns", says["columns"], set(_FIELDS))
    for part, allowed in _PARTS.items():
        for place, how in enumerate(_listed(name, says, part), 1):
            _refuse_others(f"{name}: {part} {place}", how, allowed)
            missing = [field for field in _NEEDED[part] if field not in how]
            if missing:
                raise ParameterError(f"{name}: {part} {place} does not say {', '.join(missing)}")
    texts = {key: says.get(key, "") for key in ("source", "key", "sheet", "view")}
    texts |= {"encoding": says.get("encoding", "utf-8-sig"), "delimiter": says.get("delimiter", ",")}
    for key, text in texts.items():
        if not isinstance(text, str) or (key in ("source", "key") and not text):
            raise ParameterError(f"{name}: {key} is not a text")
    if len(texts["delimiter"]) != 1:
        raise ParameterError(f"{name}: the delimiter is one character")
    try:
        "".encode(texts["encoding"])
    except LookupError:
        raise ParameterError(f"{name}: there is no encoding '{texts['encoding']}'") from None
    return RegisterMapping(name, says=says, **texts)


def _listed(name: str, says: Mapping[str, Any], part: str) -> list[dict[str, Any]]:
    found = says.get(part, [])
    if not isinstance(found, list) or not all(isinstance(how, dict) for how in found):
        raise ParameterError(f"{name}: {part} is a list of entries")
    # YAML 1.1 reads the word on as true.
    return [{"on" if key is True else key: reads for key, reads in how.items()} for how in found]


def _refuse_others(where: str, given: Mapping[str, Any], allowed: set[str]) -> None:
    others = sorted(str(key) for key in given if key not in allowed)
    if others:
        raise ParameterError(f"{where}: {', '.join(others)} is none of: {', '.join(sorted(allowed))}")


class _RowReader:
    def __init__(self, mapping: RegisterMapping, headings: Sequence[str]) -> None:
        self._name = mapping.name
        self._places = {heading: place for place, heading in enumerate(headings)}
        self._columns = len(headings)
        self._key = self._reader(mapping.key, "key")
        says = mapping.says
        self._defaults = {field.name: str(field.default) for field in fields(Firearm) if field.name in _FIELDS}
        self._fields = [(field, self._reader(how, field)) for field, how in says["columns"].items()]
        self._parts = {
            part: [
                {field: self._reader(how, field) for field, how in each.items()}
                for each in _listed(mapping.name, says, part)
            ]
            for part in _PARTS
        }

    def entry(self, values: Sequence[str]) -> Entry:
        """Return the record of a row; raise `RowError` for one that is refused."""
        if len(values) != self._columns:
            raise RowError("", "", f"{len(values)} values where the headings are {self._columns}")
        key = self._key(values)
        if not key:
            raise RowError("", "", "the number of the record is empty")
        # An empty field has its default: a type that is not stated is unknown.
        stated: dict[str, Any] = {field: value for field, read in self._fields if (value := read(values))}
        try:
            return Entry(
                key,
                Firearm(**stated, components=self._components(values), markings=self._markings(values)),
                self._events(values),
            )
        except RowError:
            raise
        except ParameterError as error:
            raise RowError("", "", str(error)) from None

    def _components(self, values: Sequence[str]) -> tuple[Component, ...]:
        found = []
        for part in self._parts["components"]:
            said = {field: read(values) for field, read in part.items()}
            if said["serial"]:
                found.append(Component(said.get("kind", ""), said["serial"], said.get("condition") or "unknown"))
        return tuple(found)

    def _markings(self, values: Sequence[str]) -> tuple[Marking, ...]:
        found = []
        for part in self._parts["markings"]:
            said = {field: read(values) for field, read in part.items()}
            if said["text"]:
                found.append(Marking(said["text"], said.get("where", ""), said.get("condition") or "unknown"))
        return tuple(found)

    def _events(self, values: Sequence[str]) -> tuple[Event, ...]:
        found = []
        for part in self._parts["events"]:
            if not part["kind"](values):
                continue
            said: dict[str, Any] = {field: read(values) for field, read in part.items()}
            found.append(Event(**said))
        return tuple(found)

    def _reader(self, how: Any, field: str) -> Reader:
        """Return what reads a field: from a column, with codes or as a date, or a constant."""
        where = f"{self._name}: {field}"
        if isinstance(how, str):
            how = {"column": how}
        if not isinstance(how, dict):
            raise ParameterError(f"{where} is neither a column nor an entry with column or constant")
        _refuse_others(where, how, _HOW)
        if "constant" in how:
            constant = clean_text(str(how["constant"]), field)
            return lambda values: constant
        column = how.get("column")
        if column not in self._places:
            raise ParameterError(
                f"{where}: the source has no column '{column}'; it has {', '.join(sorted(self._places))[:500]}"
            )
        place = self._places[column]
        if "codes" in how:
            return _coded(place, column, field, _codes(where, how["codes"]), how.get("otherwise"))
        if "date" in how:
            formats = [how["date"]] if isinstance(how["date"], str) else how["date"]
            if not isinstance(formats, list) or not all(isinstance(each, str) for each in formats):
                raise ParameterError(f"{where}: date is a format like '%d.%m.%Y', or a list of them")
            return _dated(place, column, field, tuple(formats))
        return _plain(place, column, field)


def _codes(where: str, given: Any) -> dict[str, str]:
    if not isinstance(given, dict):
        raise ParameterError(f"{where}: codes are entries of their code and our word")
    # YAML reads a code 1 as a number, and no as false.
    return {_said(code): _said(word) for code, word in given.items()}


def _said(value: Any) -> str:
    return {True: "yes", False: "no", None: ""}.get(value, str(value)) if not isinstance(value, str) else value


def _cleaned(text: str, column: str, field: str) -> str:
    if text.isprintable() and len(text) < 200:
        return " ".join(text.split()) if " " in text or "\xa0" in text else text
    try:
        return clean_text(text, field)
    except ParameterError as error:
        raise RowError(column, text, str(error)) from None


def _plain(place: int, column: str, field: str) -> Reader:
    def read(values: Sequence[str]) -> str:
        return _cleaned(values[place], column, field)

    return read


def _coded(place: int, column: str, field: str, codes: dict[str, str], otherwise: Any) -> Reader:
    default = None if otherwise is None else _said(otherwise)

    def read(values: Sequence[str]) -> str:
        text = _cleaned(values[place], column, field)
        word = codes.get(text)
        if word is not None:
            return word
        if not text:
            return ""
        if default is None:
            raise RowError(column, text, f"{field}: the mapping has no word for the code '{text[:40]}'")
        return default

    return read


def _dated(place: int, column: str, field: str, formats: tuple[str, ...]) -> Reader:
    known: dict[str, str] = {}

    def read(values: Sequence[str]) -> str:
        text = _cleaned(values[place], column, field)
        found = known.get(text)
        if found is None:
            found = _date(text, column, field, formats)
            if len(known) < 1 << 16:
                known[text] = found
        return found

    return read


def _date(text: str, column: str, field: str, formats: tuple[str, ...]) -> str:
    if not text:
        return ""
    for form in formats:
        try:
            found = datetime.strptime(text, form)
        except ValueError:
            continue
        # What the format does not say is not known.
        return found.strftime("%Y-%m-%d" if "%d" in form else "%Y-%m" if "%m" in form else "%Y")
    try:
        # Dates of workbooks and databases come so, whatever the format in which they are shown.
        return checked_date(text.split("T")[0].split(" ")[0], field)
    except ParameterError:
        raise RowError(column, text, f"{field} '{text[:40]}' is no date of the form {' or '.join(formats)}") from None
