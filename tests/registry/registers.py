"""Registers for tests: a CSV with a mapping, and everything a registry holds as plain rows."""

from __future__ import annotations

import sqlalchemy as sa

from ballistics.registry import Import, Registry, checked_mapping
from ballistics.registry.tables import TABLES

MAPPING = {
    "source": "MK",
    "key": "number",
    "columns": {
        "kind": {"column": "type", "codes": {"P": "pistol", "R": "revolver"}, "otherwise": "unknown"},
        "make": "make",
        "calibre": "calibre",
        "serial": "serial",
        "year_of_manufacture": "year",
        "country_of_manufacture": {"constant": "RS"},
    },
    "components": [{"kind": {"constant": "barrel"}, "serial": "barrel"}],
    "events": [
        {
            "kind": {"column": "status", "codes": {"U": "stolen", "I": "lost"}},
            "on": {"column": "date", "date": ["%d.%m.%Y", "%m.%Y", "%Y"]},
            "unit": {"constant": "Bitola"},
        }
    ],
}
HEADINGS = "number,type,make,calibre,serial,year,barrel,status,date"


def mapping(**changes):
    return checked_mapping({**MAPPING, **changes}, "mapping.yaml")


def csv_file(folder, *lines, headings=HEADINGS, encoding="utf-8"):
    path = folder / "register.csv"
    path.write_bytes("\n".join([headings, *lines, ""]).encode(encoding))
    return path


def imported(registry, path, given=None, **options):
    """Import; return the counts and the refusals as (row, column, reason)."""
    work = Import(registry, given or mapping(), "clerk", **options)
    refused = [(refusal.row, refusal.column, refusal.reason) for refusal in work.refusals(str(path))]
    return {key: count for key, count in work.counts.items() if count}, refused


def held(registry):
    """Return what a registry holds, without when and by which import."""
    found = {}
    with registry.reading() as connection:
        for table in TABLES.sorted_tables:
            columns = [column for column in table.c if column.name not in ("recorded_on", "replaced_on", "import_id")]
            rows = connection.execute(sa.select(*columns))
            found[table.name] = sorted((tuple(row) for row in rows), key=repr)
    return found


def new_registry(folder):
    return Registry.create(folder / "laboratory")
