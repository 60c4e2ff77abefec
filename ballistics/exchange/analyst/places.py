"""Where places are: a table of names and coordinates for those that were recorded without any."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ballistics.errors import CorruptFileError, ReadError
from ballistics.exchange.analyst.graph import AnalystGraph
from ballistics.files import reason

PLACE_COLUMNS = ("place", "latitude_deg", "longitude_deg")


def read_places(path: Path) -> dict[str, tuple[float, float]]:
    """Return latitude and longitude in degrees by the name of the place, in small letters.

    Parameters
    ----------
    path : Path
        CSV in UTF-8 with the columns `PLACE_COLUMNS`.

    Raises
    ------
    ReadError
        When it cannot be read.
    CorruptFileError
        When a column is missing, a coordinate is no number, or a place is given twice with different ones.
    """
    found: dict[str, tuple[float, float]] = {}
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise ReadError(f"{path} cannot be read: {reason(error)}") from error
    except UnicodeDecodeError as error:
        raise CorruptFileError(f"{path} is no text in UTF-8: {error.reason} at byte {error.start}") from error
    rows = csv.DictReader(text.splitlines())
    missing = [name for name in PLACE_COLUMNS if name not in (rows.fieldnames or ())]
    if missing:
        raise CorruptFileError(f"{path}: there is no column '{missing[0]}'; needed are {', '.join(PLACE_COLUMNS)}")
    for number, row in enumerate(rows, 2):
        name = (row["place"] or "").strip().casefold()
        try:
            where = (float(row["latitude_deg"]), float(row["longitude_deg"]))
        except (TypeError, ValueError):
            raise CorruptFileError(f"{path}, line {number}: latitude and longitude are numbers of degrees") from None
        # Also refuses what is not a number.
        if not (abs(where[0]) <= 90.0 and abs(where[1]) <= 180.0):
            raise CorruptFileError(f"{path}, line {number}: {where[0]:g}, {where[1]:g} are no latitude and longitude")
        if found.setdefault(name, where) != where:
            raise CorruptFileError(f"{path}, line {number}: '{name[:60]}' is given twice, at different positions")
    return found


def located(graph: AnalystGraph, places: Mapping[str, tuple[float, float]]) -> AnalystGraph:
    """Return a graph whose places have the coordinates of a table where they had none.

    Parameters
    ----------
    graph : AnalystGraph
    places : mapping
        As of `read_places`.
    """
    entities = []
    for entity in graph.entities:
        where = places.get(entity.label.strip().casefold()) if entity.kind == "place" else None
        if where is not None and entity.position is None:
            entity = replace(entity, latitude_deg=where[0], longitude_deg=where[1])
        entities.append(entity)
    return replace(graph, entities=tuple(entities))
