"""Firearms of a registry and what happened to them, as rows that go into a package."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Literal

from ballistics.exchange.rows import Row
from ballistics.registry import Firearm, Registry

#: Fields of a firearm that leave; its free note stays.
FIREARM_FIELDS = tuple(field.name for field in fields(Firearm) if field.name not in ("note", "markings", "components"))


@dataclass(frozen=True)
class RegistryExtract:
    """Rows of some firearms of a registry: what they are, or what happened to them.

    Parameters
    ----------
    registry : Registry
    numbers : sequence of int
        Of the firearms in the registry.
    name : {"firearms", "events"}
        Which rows: both name a firearm by the register that keeps it and its number there.
    """

    registry: Registry
    numbers: Sequence[int]
    name: Literal["firearms", "events"]

    def rows(self) -> Iterator[Row]:
        """Yield the rows; events that were corrected are left out."""
        for number in self.numbers:
            record = self.registry.show(number)
            own = {"source": record.source, "source_key": record.source_key}
            if self.name == "firearms":
                yield {**own, **{name: getattr(record.firearm, name) for name in FIREARM_FIELDS}}
                continue
            for found in record.events:
                if found.superseded_by is None:
                    event = found.event
                    names = ("kind", "on", "unit", "place", "reference")
                    yield {**own, **{name: getattr(event, name) for name in names}}
