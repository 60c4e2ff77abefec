"""A list of recovered firearms against the registry: which of them are reported stolen or lost, where, since when."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields

from ballistics.errors import ParameterError
from ballistics.registry import lookup
from ballistics.registry.lookup import Hit, Question
from ballistics.registry.mapping import RegisterMapping
from ballistics.registry.registry import Registry, recorded_events
from ballistics.registry.sources import open_source
from ballistics.registry.standing import Report, reports

#: A reported firearm that costs more is not shown: the serial with a character misread and the names in agreement is.
MOST_COST = 2.6
#: A firearm that is not reported is named only when it agrees in all that was asked, or nearly.
MOST_COST_UNREPORTED = 0.6
#: Columns of the table of a check.
CHECK_COLUMNS = (
    "row",
    "serial read",
    "make read",
    "model read",
    "calibre read",
    "answer",
    "firearm",
    "source",
    "number there",
    "serial",
    "make",
    "model",
    "calibre",
    "report",
    "cost",
    "reasons",
)
_ASKED = tuple(field.name for field in fields(Question))


@dataclass(frozen=True)
class Checked:
    """A row of the list and a firearm of the registry that answers it, if any.

    Parameters
    ----------
    row : int
        Below the headings, from 1.
    question : Question
        What the row says.
    hit : Hit or None
        None when nothing answers, or the row cannot be asked.
    reports : tuple of Report
        Of the firearm that was hit.
    refused : str
        Why the row cannot be asked.
    """

    row: int
    question: Question
    hit: Hit | None
    reports: tuple[Report, ...]
    refused: str = ""

    @property
    def is_reported(self) -> bool:
        """Whether the firearm is reported stolen or lost, and the report is open."""
        return any(report.is_open for report in self.reports)

    @property
    def cost(self) -> float:
        """What disagrees; infinite when there is nothing."""
        return math.inf if self.hit is None else self.hit.cost

    def answer(self) -> str:
        """Return in a few words what the registry says."""
        if self.refused:
            return "not checked"
        if self.hit is None:
            return "not in the registry"
        if self.is_reported:
            return "REPORTED"
        return "reported before" if self.reports else "registered, not reported"

    def values(self) -> list[str | int | float | None]:
        """Return a row of a table, by `CHECK_COLUMNS`."""
        asked = [self.question.serial, self.question.make, self.question.model, self.question.calibre]
        hit = self.hit
        if hit is None:
            return [self.row, *asked, self.answer(), *[None] * 9, self.refused]
        said = "; ".join(report.words() for report in self.reports)
        kept: list[str | int] = [hit.firearm, hit.source, hit.source_key, hit.serial, hit.make, hit.model, hit.calibre]
        return [self.row, *asked, self.answer(), *kept, said, hit.cost, "; ".join(hit.reasons)]


def check(
    registry: Registry, where: str, columns: dict[str, str], encoding: str = "utf-8-sig", delimiter: str = ","
) -> Iterator[Checked]:
    """Ask the registry for each firearm of a list; yield the firearms that may be it, those reported first.

    Parameters
    ----------
    registry : Registry
    where : str
        A CSV file or workbook.
    columns : dict
        The list's column of serial, make, model, calibre, where it is not called so.
    encoding, delimiter : str
        Of a CSV file.

    Raises
    ------
    ParameterError
        When the list has no column of serials.
    """
    mapping = RegisterMapping(where, "list", "list", encoding, delimiter, "", "", {})
    with open_source(where, mapping) as source, registry.reading() as connection:
        places = {}
        for name in _ASKED:
            wanted = columns.get(name, name).casefold()
            found = [place for place, heading in enumerate(source.headings) if heading.casefold() == wanted]
            if found:
                places[name] = found[0]
            elif name == "serial" or name in columns:
                has = ", ".join(source.headings)[:300]
                raise ParameterError(f"{source.name} has no column '{columns.get(name, name)}'; it has {has}")
        for number, values in source.rows:
            if isinstance(values, str):
                yield Checked(number, Question(), None, (), values)
                continue
            said = {name: values[place] if place < len(values) else "" for name, place in places.items()}
            question = Question(**said)
            try:
                if len(values) > len(source.headings):
                    raise ParameterError(f"{len(values)} values where the headings are {len(source.headings)}")
                if any("\n" in value for value in said.values()):
                    raise ParameterError("a value goes on in another line: is a quotation mark not closed?")
                if not question.serial.strip():
                    raise ParameterError("no serial is stated")
                answer = lookup.find(connection, question)
            except ParameterError as error:
                yield Checked(number, Question(), None, (), str(error))
                continue
            hits = [hit for hit in answer.hits if hit.cost <= MOST_COST]
            happened = recorded_events(connection, [hit.firearm for hit in hits])
            checked = [Checked(number, question, hit, reports(happened.get(hit.firearm, ()))) for hit in hits]
            shown = [row for row in checked if row.is_reported]
            shown += [row for row in checked if not row.is_reported and row.cost <= MOST_COST_UNREPORTED][:1]
            yield from shown or [Checked(number, question, None, ())]
