"""Transfers of arms: licences and what was delivered under them, the annual report, and what contradicts itself."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ballistics.errors import ParameterError
from ballistics.findings import Finding
from ballistics.registry.mapping import RegisterMapping
from ballistics.registry.records import checked_date, clean_text, digest
from ballistics.registry.registry import Registry
from ballistics.registry.signing import Signing
from ballistics.registry.sources import open_source
from ballistics.registry.standing import first_day, last_day
from ballistics.registry.tables import transfers
from ballistics.registry.writing import next_number, now

_CATEGORIES = Path(__file__).with_name("data") / "transfer_categories.csv"
#: Kinds of transfer.
TRANSFER_KINDS = ("export", "import", "transit", "brokering")
#: Columns of the annual report.
REPORT_COLUMNS = ("transfer", "category", "goods", "country", "authorised", "actual", "licences", "end users")
_MOST_PIECES = 10**9


@dataclass(frozen=True)
class Category:
    """A category of goods: its code, its name, and whether the annual report has it."""

    code: str
    name: str
    reported: bool


@cache
def transfer_categories() -> Mapping[str, Category]:
    """Return the categories of goods by code, in the order of the report."""
    lines = [line for line in _CATEGORIES.read_text("utf-8").splitlines() if not line.startswith("#")]
    rows = csv.DictReader(lines)
    return MappingProxyType({row["code"]: Category(row["code"], row["name"], row["reported"] == "yes") for row in rows})


@dataclass(frozen=True)
class Licence:
    """A licence for the transfer of goods of a category; one that covers several categories is as many of these.

    Parameters
    ----------
    licence : str
        Its number.
    kind : str
        One of `TRANSFER_KINDS`.
    origin, destination : str
        Countries: two letters of ISO 3166-1.
    category : str
        A code of `transfer_categories`.
    quantity : int
        Pieces authorised.
    issued_on, expires_on : str
        Days, ``2024-05-17``.
    end_user : str
        Who receives the goods to keep.
    authority : str
        Who issued it.
    goods : str
        What they are.
    broker, end_use, note : str

    Raises
    ------
    ParameterError
        When a field holds what it cannot.
    """

    licence: str
    kind: str
    origin: str
    destination: str
    category: str
    quantity: int
    issued_on: str
    expires_on: str
    end_user: str = ""
    authority: str = ""
    goods: str = ""
    broker: str = ""
    end_use: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        _check(self.licence, self.category, self.quantity)
        if self.kind not in TRANSFER_KINDS:
            raise ParameterError(f"kind '{self.kind[:40]}' is none of: {', '.join(TRANSFER_KINDS)}")
        for name in ("origin", "destination"):
            country = getattr(self, name)
            if not (len(country) == 2 and country.isascii() and country.isalpha() and country.isupper()):
                raise ParameterError(f"{name} '{country[:40]}' is not a country in two letters (ISO 3166-1)")
        for name in ("issued_on", "expires_on"):
            if len(checked_date(getattr(self, name), name)) != 10:
                raise ParameterError(f"{name} '{getattr(self, name)}' is not a day: write 2024-05-17")
        if self.expires_on < self.issued_on:
            raise ParameterError(f"the licence expires on {self.expires_on}, before it was issued on {self.issued_on}")

    @property
    def country(self) -> str:
        """The country by which the transfer is reported: where exports go to, where imports come from."""
        if self.kind in ("export", "import"):
            return self.destination if self.kind == "export" else self.origin
        return f"{self.origin} → {self.destination}"


@dataclass(frozen=True)
class Delivery:
    """Goods that were transferred under a licence.

    Parameters
    ----------
    licence, category : str
        Of a `Licence`.
    quantity : int
        Pieces.
    on : str
        When: a year, a month or a day.
    reference : str
        Customs declaration, or other document.
    note : str

    Raises
    ------
    ParameterError
        When a field holds what it cannot.
    """

    licence: str
    category: str
    quantity: int
    on: str
    reference: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        _check(self.licence, self.category, self.quantity)
        checked_date(self.on, "on")


def _check(licence: str, category: str, quantity: int) -> None:
    if not licence:
        raise ParameterError("the number of the licence is empty")
    if category not in transfer_categories():
        raise ParameterError(f"category '{category[:40]}' is none of: {', '.join(transfer_categories())}")
    if not 0 < quantity <= _MOST_PIECES:
        raise ParameterError(f"a quantity of {quantity} is not between 1 and {_MOST_PIECES}")


@dataclass(frozen=True)
class RecordedTransfer:
    """A licence or delivery as it was recorded; ``superseded_by`` is the number of the one that corrects it."""

    number: int
    transfer: Licence | Delivery
    recorded_on: str
    recorded_by: str
    supersedes: int | None
    superseded_by: int | None


def record_transfer(registry: Registry, transfer: Licence | Delivery, by: str, corrects: int | None = None) -> int:
    """Record a licence or a delivery, and return its number; the same again has the same number.

    Parameters
    ----------
    registry : Registry
    transfer : Licence or Delivery
    by : str
        Who records it.
    corrects : int, optional
        Number of the record of the same licence that this one replaces; that one is kept.

    Raises
    ------
    ParameterError
        When what is to be corrected is not there, is of another kind or licence, or was corrected already; or when the
        licence is recorded for the category already, and says something else.
    """
    with registry.writing() as connection:
        return _record(registry.signing, connection, transfer, by, corrects)


def _record(
    signing: Signing, connection: Connection, transfer: Licence | Delivery, by: str, corrects: int | None
) -> int:
    kind = "licence" if isinstance(transfer, Licence) else "delivery"
    content = json.dumps(asdict(transfer), sort_keys=True, ensure_ascii=False)
    said = digest(f"{kind} {content} {corrects or ''}")
    same = connection.scalar(sa.select(transfers.c.id).where(transfers.c.digest == said))
    if same is not None:
        return int(same)
    others = {row.number: row for row in _recorded(connection, transfer.licence)}
    if corrects is not None:
        other = others.get(corrects)
        if other is None or type(other.transfer) is not type(transfer):
            raise ParameterError(f"licence {transfer.licence} has no {kind} {corrects} that could be corrected")
        if other.superseded_by is not None:
            raise ParameterError(f"{kind} {corrects} was corrected by {other.superseded_by}: correct that one")
    for held, other in others.items():
        valid = other.superseded_by is None and held != corrects and isinstance(other.transfer, Licence)
        if kind == "licence" and valid and other.transfer.category == transfer.category:
            raise ParameterError(
                f"licence {transfer.licence} is recorded for {transfer.category} already, as number {held}, and says "
                f"something else: correct it (--corrects {held})"
            )
    number = next_number(connection, transfers)
    row = {"id": number, "kind": kind, "licence": transfer.licence, "content": content}
    row |= {"digest": said, "supersedes": corrects, "recorded_on": now(), "recorded_by": by}
    connection.execute(sa.insert(transfers), [row])
    signing.row(connection, transfers, row)
    return number


def recorded_transfers(registry: Registry) -> list[RecordedTransfer]:
    """Return every licence and delivery, with those that were corrected, in the order they were recorded."""
    with registry.reading() as connection:
        return _recorded(connection, None)


def _recorded(connection: Connection, licence: str | None) -> list[RecordedTransfer]:
    query = sa.select(transfers).order_by(transfers.c.id)
    if licence is not None:
        query = query.where(transfers.c.licence == licence)
    rows = list(connection.execute(query))
    later = {row.supersedes: row.id for row in rows if row.supersedes is not None}
    return [
        RecordedTransfer(
            row.id,
            (Licence if row.kind == "licence" else Delivery)(**json.loads(row.content)),
            row.recorded_on,
            row.recorded_by,
            row.supersedes,
            later.get(row.id),
        )
        for row in rows
    ]


def read_transfers(where: str, encoding: str = "utf-8-sig", delimiter: str = ",") -> Iterator[tuple[int, Any]]:
    """Yield the rows of a table of licences or of deliveries: their number, and the transfer or why it is refused.

    Parameters
    ----------
    where : str
        A CSV file or workbook whose headings are the fields of `Licence` or of `Delivery`.
    encoding, delimiter : str
        Of a CSV file.

    Raises
    ------
    ParameterError
        When the headings are of neither.
    """
    mapping = RegisterMapping(where, "list", "list", encoding, delimiter, "", "", {})
    with open_source(where, mapping) as source:
        kind = next((kind for kind in (Licence, Delivery) if _fits(kind, source.headings)), None)
        if kind is None:
            needed = ", ".join(_needed(Licence))
            raise ParameterError(
                f"{source.name}: the headings of licences are {needed} and others; of deliveries "
                f"{', '.join(_needed(Delivery))}; it has {', '.join(source.headings)[:300]}"
            )
        for number, values in source.rows:
            try:
                if isinstance(values, str):
                    raise ParameterError(values)
                if len(values) != len(source.headings):
                    raise ParameterError(f"{len(values)} values where the headings are {len(source.headings)}")
                said: dict[str, Any] = {
                    name: clean_text(value, name) for name, value in zip(source.headings, values, strict=True)
                }
                if not said["quantity"].isdecimal() or len(said["quantity"]) > 12:
                    raise ParameterError(f"quantity '{said['quantity'][:40]}' is not a whole number of pieces")
                said["quantity"] = int(said["quantity"])
                yield number, kind(**said)
            except ParameterError as error:
                yield number, str(error)


def _needed(kind: type) -> list[str]:
    return [field.name for field in fields(kind) if not isinstance(field.default, str)]


def _fits(kind: type, headings: Iterable[str]) -> bool:
    return set(_needed(kind)) <= set(headings) <= {field.name for field in fields(kind)}


@dataclass(frozen=True)
class ReportRow:
    """A row of the annual report.

    Parameters
    ----------
    kind, category, goods, country : str
        The kind of transfer, the code and name of the category, and the country (or two of a transit).
    authorised, actual : int
        Pieces of licences issued in the year, and of deliveries in the year.
    licences, end_users : tuple of str
        Behind both.
    """

    kind: str
    category: str
    goods: str
    country: str
    authorised: int
    actual: int
    licences: tuple[str, ...]
    end_users: tuple[str, ...]

    def values(self) -> list[str | int]:
        """Return a row of a table, by `REPORT_COLUMNS`."""
        names: list[str | int] = [self.kind, self.category, self.goods, self.country]
        return [*names, self.authorised, self.actual, ", ".join(self.licences), ", ".join(self.end_users)]


def annual_report(recorded: Iterable[RecordedTransfer], year: int, all_goods: bool = False) -> list[ReportRow]:
    """Return the transfers of a year by kind, category and country.

    Parameters
    ----------
    recorded : iterable of RecordedTransfer
    year : int
    all_goods : bool
        Also categories that the report to the UN Register and under the Arms Trade Treaty has not.
    """
    valid = [row for row in recorded if row.superseded_by is None]
    licences = {
        (row.transfer.licence, row.transfer.category): row.transfer
        for row in valid
        if isinstance(row.transfer, Licence)
    }
    sums: dict[tuple[int, int, str], list[int]] = defaultdict(lambda: [0, 0])
    behind: dict[tuple[int, int, str], set[Licence]] = defaultdict(set)
    codes = list(transfer_categories())
    for row in valid:
        licence = licences.get((row.transfer.licence, row.transfer.category))
        on = row.transfer.issued_on if isinstance(row.transfer, Licence) else row.transfer.on
        if licence is None or int(on[:4]) != year:
            continue
        if not (all_goods or transfer_categories()[licence.category].reported):
            continue
        key = (TRANSFER_KINDS.index(licence.kind), codes.index(licence.category), licence.country)
        sums[key][isinstance(row.transfer, Delivery)] += row.transfer.quantity
        behind[key].add(licence)
    return [
        ReportRow(
            TRANSFER_KINDS[key[0]],
            codes[key[1]],
            transfer_categories()[codes[key[1]]].name,
            key[2],
            sums[key][0],
            sums[key][1],
            tuple(sorted({licence.licence for licence in behind[key]})),
            tuple(sorted({licence.end_user for licence in behind[key] if licence.end_user})),
        )
        for key in sorted(sums)
    ]


def transfer_findings(recorded: Iterable[RecordedTransfer]) -> list[Finding]:
    """Return what contradicts itself: more delivered than authorised, out of time, without a licence."""
    valid = [row for row in recorded if row.superseded_by is None]
    licences: dict[str, dict[str, Licence]] = defaultdict(dict)
    for row in valid:
        if isinstance(row.transfer, Licence):
            licences[row.transfer.licence][row.transfer.category] = row.transfer
    found: list[Finding] = []
    delivered: dict[tuple[str, str], int] = defaultdict(int)
    documents: dict[str, int] = {}
    for row in valid:
        if not isinstance(row.transfer, Delivery):
            continue
        delivery = row.transfer
        said = f"delivery {row.number}: {delivery.quantity} of {delivery.category} on {delivery.on}"
        if delivery.reference and documents.setdefault(delivery.reference, row.number) != row.number:
            first = documents[delivery.reference]
            message = f"{said} has the document {delivery.reference} of delivery {first}"
            found.append(Finding("document-twice", "warning", message))
        licence = licences.get(delivery.licence, {}).get(delivery.category)
        if licence is None:
            known = delivery.licence in licences
            code = "category-not-licensed" if known else "no-licence"
            message = (
                f"{said} names licence {delivery.licence}, which {'has no such goods' if known else 'is not recorded'}"
            )
            found.append(Finding(code, "serious", message))
            continue
        delivered[delivery.licence, delivery.category] += delivery.quantity
        found += _out_of_time(said, delivery, licence)
    for (number, category), quantity in sorted(delivered.items()):
        authorised = licences[number][category].quantity
        if quantity > authorised:
            message = f"licence {number}, {category}: {quantity} were delivered, {authorised} authorised"
            found.append(Finding("more-than-authorised", "serious", message))
    for number, lines in sorted(licences.items()):
        if not all(line.end_user for line in lines.values()):
            found.append(Finding("no-end-user", "warning", f"licence {number} states no end user"))
    return found


def _out_of_time(said: str, delivery: Delivery, licence: Licence) -> list[Finding]:
    first, last = first_day(delivery.on), last_day(delivery.on)
    until = f"licence {licence.licence}, valid from {licence.issued_on} to {licence.expires_on}"
    if first > licence.expires_on:
        return [Finding("licence-expired", "serious", f"{said} is after the end of {until}")]
    if last < licence.issued_on:
        return [Finding("before-licence", "serious", f"{said} is before the beginning of {until}")]
    if last > licence.expires_on or first < licence.issued_on:
        message = f"{said} may be outside {until}: the date is not precise enough"
        return [Finding("perhaps-out-of-time", "warning", message)]
    return []
