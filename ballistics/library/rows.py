"""Conversion between the rows of a library's tables and the marks that they stand for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import sqlalchemy as sa

from ballistics.errors import CorruptFileError
from ballistics.files import parse_json
from ballistics.library import tables
from ballistics.library.items import DESCRIPTION_FIELDS, Description, EnrolledMark
from ballistics.provenance import sha256_of_array
from ballistics.surfaces import Mark

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection


def of_scan(identity: str, mark_kind: str) -> sa.Select[Any]:
    """Return the query for the row of a scan."""
    return sa.select(tables.marks).where(tables.marks.c.identity == identity, tables.marks.c.mark_kind == mark_kind)


def refusal(connection: Connection, identity: str, mark_kind: str) -> str:
    """Return why a scan must not come back by itself; empty when it was never removed.

    Parameters
    ----------
    connection : sqlalchemy.engine.Connection
        To the library's database, open.
    identity : str
        SHA-256 of the scan's file, or of its heights where no file is known.
    mark_kind : str
        The mark type; a scan may hold marks of several.

    Returns
    -------
    str
        Words that follow the name of the scan in a message.
    """
    row = connection.execute(
        sa.select(tables.removals)
        .where(tables.removals.c.identity == identity, tables.removals.c.mark_kind == mark_kind)
        .order_by(tables.removals.c.mark_id.desc())
    ).first()
    if row is None:
        return ""
    return (
        f"was removed by {row.removed_by} on {row.removed_on} ({row.reason}); "
        "it is taken back only when that is asked for (--again)"
    )


def enrolled(row: Any) -> EnrolledMark:
    """Return a row as the entry that it stands for.

    Raises
    ------
    CorruptFileError
        When the row was altered to something that no entry is.
    """
    try:
        return _entry(row)
    except (CorruptFileError, TypeError, ValueError, AttributeError, KeyError) as error:
        raise CorruptFileError(
            f"the row of mark {row.id} in the database was altered: {error}; `ballistics library verify` says what "
            "else is, open the newest backup"
        ) from error


def _entry(row: Any) -> EnrolledMark:
    record = parse_json(row.record, "its record", "one of this program")
    preparation = parse_json(row.preparation, "its preparation", "one of this program")
    if not isinstance(record, dict) or not isinstance(preparation, dict) or not isinstance(record["findings"], list):
        raise ValueError("its record is none of this program")
    if not 0.0 < float(row.spacing_um) < 1e6:
        raise ValueError(f"a spacing of {row.spacing_um} µm")
    return EnrolledMark(
        row.id,
        row.scan,
        row.identity,
        row.mark_kind,
        row.surface_kind,
        row.spacing_um,
        (row.rows, row.columns),
        row.array_sha256,
        preparation,
        record,
        Description(**{name: row._mapping[name] for name in DESCRIPTION_FIELDS}),
    )


def row_of(mark: Mark, scan: str, method: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the row of a mark, but for its description.

    Parameters
    ----------
    mark : Mark
        Prepared, with provenance.
    scan : str
        What lists call the scan.
    method : mapping or None
        How the scan was read, kept with the mark; None when it is not known.

    Returns
    -------
    dict
        Values by column of `ballistics.library.tables.marks`.

    Raises
    ------
    ParameterError
        When the mark has no provenance.
    """
    from ballistics.surfaces import preparation_parameters

    array_sha256 = sha256_of_array(np.asarray(mark.heights_um))
    preparation = preparation_parameters(mark)
    assert mark.provenance is not None  # preparation_parameters has refused a mark without
    return {
        "identity": mark.provenance.inputs.get("file", array_sha256),
        "mark_kind": mark.kind,
        "scan": scan,
        "array_sha256": array_sha256,
        "surface_kind": mark.surface_kind,
        "spacing_um": float(mark.spacing_um),
        "rows": mark.heights_um.shape[0],
        "columns": mark.heights_um.shape[1],
        "preparation": _text(preparation),
        "record": _text(_record(mark, method)),
    }


def _record(mark: Mark, method: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what is kept of how a mark came to be: with the scan's file, enough to make it again."""
    assert mark.provenance is not None
    return {
        "method": method,
        "findings": [asdict(finding) for finding in mark.findings],
        "provenance": {
            "method": mark.provenance.method,
            "version": mark.provenance.version,
            "inputs": dict(mark.provenance.inputs),
            "references": list(mark.provenance.references),
            "versions": dict(mark.provenance.versions),
        },
    }


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
