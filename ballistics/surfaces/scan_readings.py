"""What a user says of single scans of a set: in which unit their numbers are, and where their mark is."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from ballistics.errors import ParameterError
from ballistics.provenance import sha256_of_file
from ballistics.surfaces.formats.reading import is_image, read
from ballistics.surfaces.formats.units_guard import Units
from ballistics.surfaces.regions.given_regions import GivenRegion, is_file_name, region_of
from ballistics.surfaces.surface import Surface

UNITS: tuple[str, ...] = get_args(Units)


@dataclass(frozen=True)
class ScanReading:
    """How one scan is read and prepared.

    Parameters
    ----------
    units : {"micrometres", "millimetres", "as written"}, optional
        For a file whose numbers have another unit than it says.
    region : str
        Mask image, polygon or label, see `ballistics.surfaces.regions.given_regions.region_of`; empty for none.
    folder : Path, optional
        From which the region's file name is counted.
    """

    units: Units | None = None
    region: str = ""
    folder: Path | None = None

    def surface(self, path: Path) -> Surface:
        """Read the scan."""
        return read(path, units=None if is_image(path) else self.units)

    def region_on(self, surface: Surface) -> GivenRegion | None:
        """Return where its mark is, None when that is found; errors as of `region_of`."""
        return region_of(surface, self.region, self.folder) if self.region else None

    def content(self) -> dict[str, Any]:
        """Return what can change the mark, as JSON can hold it: of a region's file its SHA-256.

        Raises
        ------
        ParameterError
            When the region's file cannot be read.
        """
        if not self.region or not is_file_name(self.region):
            return {"units": self.units, "region": self.region}
        path = (self.folder or Path()) / self.region
        try:
            return {"units": self.units, "region": sha256_of_file(path)}
        except OSError as error:
            raise ParameterError(f"the region {path} cannot be read: {error.strerror}") from error


#: Unit and region as the file says, or as they are found.
AS_IT_IS = ScanReading()


@dataclass(frozen=True)
class Readings:
    """How the scans of a set are read: by pattern, and by the row that a table has for a scan.

    Parameters
    ----------
    units, regions : tuple of (str, str)
        Pattern of file names (``*``, ``?``, ``[…]``) and value; of several that fit the last one counts.
    rows : mapping of str to ScanReading
        What a table says of a scan; it goes before patterns.
    """

    units: tuple[tuple[str, Units], ...] = ()
    regions: tuple[tuple[str, str], ...] = ()
    rows: Mapping[str, ScanReading] = field(default_factory=dict)

    def of(self, name: str) -> ScanReading:
        """Return how a scan is read, by its name in the table, or its path.

        Examples
        --------
        >>> readings = Readings((("*", "as written"), ("K0*.x3p", "micrometres")))
        >>> readings.of("K013sA1.x3p").units, readings.of("Fadul-1-1.x3p").units
        ('micrometres', 'as written')
        """
        row = self.rows.get(name, AS_IT_IS)
        units = row.units or _last(self.units, name)
        if row.region:
            return ScanReading(units, row.region, row.folder)
        return ScanReading(units, _last(self.regions, name) or "")

    def content(self) -> dict[str, Any]:
        """Return what can change a mark, as JSON can hold it."""
        return {
            "units": list(self.units),
            "regions": [[pattern, ScanReading(region=region).content()] for pattern, region in self.regions],
            "rows": {name: row.content() for name, row in self.rows.items() if row.units or row.region},
        }

    def refuse_unused(self, names: Iterable[str]) -> None:
        """Refuse a pattern that fits no scan: it has a typing error, and would be believed to have worked.

        Raises
        ------
        ParameterError
        """
        known = list(names)
        for pattern, _ in (*self.units, *self.regions):
            if known and not any(_fits(pattern, name) for name in known):
                raise ParameterError(f"no scan fits the pattern {pattern!r}; the first scan is called {known[0]!r}")


#: Every scan as its file says.
ALL_AS_THEY_ARE = Readings()


def readings(
    units: Sequence[str] = (), regions: Sequence[str] = (), rows: Mapping[str, ScanReading] | None = None
) -> Readings:
    """Return the readings that options ``VALUE`` or ``PATTERN=VALUE`` state.

    Parameters
    ----------
    units : sequence of str
        Each a unit for all scans, or for those whose name fits the pattern; of several that fit the last one counts.
    regions : sequence of str
        Likewise: a mask image, polygon or label.
    rows : mapping of str to ScanReading, optional
        What a table says of single scans, by their names; it goes before the options.

    Raises
    ------
    ParameterError
        For a unit that is not known, or an empty value.

    Examples
    --------
    >>> readings(["K0*.x3p=micrometres"], ["face.png"])
    Readings(units=(('K0*.x3p', 'micrometres'),), regions=(('*', 'face.png'),), rows={})
    """
    stated = [_split(text, "--units") for text in units]
    return Readings(
        tuple((pattern, unit_named(value, "--units")) for pattern, value in stated),
        tuple(_split(text, "--region") for text in regions),
        dict(rows or {}),
    )


def unit_named(text: str, where: str) -> Units:
    """Return a unit by its name; `where` is for the message.

    Raises
    ------
    ParameterError
    """
    for unit in get_args(Units):
        if unit == text:
            return unit  # type: ignore[no-any-return]  # one of the Literal's values
    raise ParameterError(f"{where} is {text!r}; use {', '.join(UNITS)}")


def _split(text: str, option: str) -> tuple[str, str]:
    pattern, equals, value = text.rpartition("=")
    pattern = pattern if equals else "*"
    if not pattern or not value:
        raise ParameterError(f"{option} {text!r}: give a value, or PATTERN=VALUE")
    return pattern, value


def _last(rules: Sequence[tuple[str, Any]], name: str) -> Any:
    return next((value for pattern, value in reversed(rules) if _fits(pattern, name)), None)


def _fits(pattern: str, name: str) -> bool:
    """Compare with the whole name and with its last part, capitals and all, on every system."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return fnmatch.fnmatchcase(name, pattern) or fnmatch.fnmatchcase(last, pattern)
