"""The result of a batch as a file: one row for each pair, and for each file that could not take part."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ballistics.errors import CorruptFileError, UnsupportedFormatError
from ballistics.files import parquet, parse_json, table_kind, write_csv, written_whole
from ballistics.pairs.rows import Row, columns

if TYPE_CHECKING:
    import pyarrow as pa

#: Since 2 with the SHA-256 of the file in itself.
SCHEMA = "ballistics/batch/2"
_UNSEALED_SCHEMA = "ballistics/batch/1"
NO_SEAL = "the table is of an earlier version, without a SHA-256 of itself: that it is unaltered cannot be told"
_METADATA = b"ballistics"
# The bytes of a Parquet file depend on it, so it is fixed; it is also the number of rows in memory at a time.
_GROUP = 16_384
# What the metadata hold that others rely on.
_STATED: Mapping[str, type] = {
    "design": str, "mark_kind": str, "method": str, "method_version": str, "parameters": dict,
    "parameters_sha256": str, "references": list, "versions": dict, "scans": list, "left_out": int, "pairs": int,
}  # fmt: skip
_TEXTS = ("scan_a", "scan_b", "sha256_a", "sha256_b", "mark_sha256_a", "mark_sha256_b", "insufficient", "error")


def result_columns(mark_kind: str) -> dict[str, type]:
    """Return names and types of all columns, in order.

    Examples
    --------
    >>> list(result_columns("breech face"))[:3]
    ['scan_a', 'scan_b', 'sha256_a']
    """
    names = ("scan_a", "scan_b", "sha256_a", "sha256_b", "mark_sha256_a", "mark_sha256_b", "mark_kind")
    last = ("error", "findings_a", "findings_b")
    return {**dict.fromkeys(names, str), **columns(mark_kind), **dict.fromkeys(last, str)}


def write_results(path: Path, mark_kind: str, rows: Iterable[Row], metadata: Mapping[str, Any]) -> None:
    """Write rows, as they come, to a file of the kind that its name's ending says; whole or not at all.

    The same rows and metadata give the same bytes (for one version of pyarrow). An empty text becomes a missing value.
    In a CSV there is no place for metadata: it goes to a file beside it, ``NAME.csv-metadata.json``.

    Parameters
    ----------
    path : Path
        Ends in ``.parquet`` or ``.csv``; replaced when it exists.
    mark_kind : str
        Kind of the marks, which decides the columns (`result_columns`).
    rows : iterable of dict
        Each with all columns; they are not held in memory together.
    metadata : mapping
        How the table was made, as JSON can hold it.

    Raises
    ------
    ParameterError
        For another ending, see `table_kind`.
    WriteError
        When the file cannot be written.
    """
    text = json.dumps({"schema": SCHEMA, **metadata}, sort_keys=True, ensure_ascii=False, allow_nan=False)
    with written_whole(path) as temporary:
        if table_kind(path) == ".csv":
            _write_csv(temporary, mark_kind, rows)
        else:
            _write_parquet(temporary, mark_kind, rows, text)
    if table_kind(path) == ".csv":
        with written_whole(path.with_name(f"{path.name}-metadata.json")) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")


def _write_csv(path: Path, mark_kind: str, rows: Iterable[Row]) -> None:
    names = list(result_columns(mark_kind))
    with open(path, "w", newline="", encoding="utf-8", errors="replace") as file:
        write_csv(file, names, ([row[name] for name in names] for row in rows))


def _write_parquet(path: Path, mark_kind: str, rows: Iterable[Row], metadata: str) -> None:
    pq = parquet.module()
    import pyarrow as pa

    schema = _schema(mark_kind).with_metadata({_METADATA: metadata})
    remaining = iter(rows)
    with pq.ParquetWriter(path, schema, **parquet.OPTIONS) as writer:
        while group := _columns(remaining, schema):
            writer.write_batch(pa.record_batch(group, schema=schema), row_group_size=_GROUP)
        parquet.seal(writer)
    parquet.close_seal(path)


def _schema(mark_kind: str) -> pa.Schema:
    import pyarrow as pa

    types = {str: pa.string(), int: pa.int32(), float: pa.float64()}
    return pa.schema([pa.field(name, types[kind]) for name, kind in result_columns(mark_kind).items()])


def _columns(rows: Iterator[Row], schema: pa.Schema) -> dict[str, list[Any]] | None:
    """Take the rows of one group and turn them into columns."""
    group: dict[str, list[Any]] = {name: [] for name in schema.names}
    for row in islice(rows, _GROUP):
        for name, values in group.items():
            values.append(None if row[name] == "" else row[name])
    return group if group[schema.names[0]] else None


def read_metadata(path: Path) -> dict[str, Any]:
    """Return what a Parquet result says of itself.

    Raises
    ------
    ReadError
        When it cannot be opened.
    UnsupportedFormatError
        When it is no result of a batch.
    CorruptFileError
        When it is damaged.
    """
    pq = parquet.module()
    sealed = parquet.is_sealed(path)
    with parquet.reading_parquet(path):
        schema = pq.read_schema(path)
    found = (schema.metadata or {}).get(_METADATA)
    metadata = {} if found is None else parse_json(found, f"{path}: its description", "that of a batch")
    named = metadata.get("schema") if isinstance(metadata, dict) else None
    if named not in (SCHEMA, _UNSEALED_SCHEMA):
        raise UnsupportedFormatError(f"{path} holds no result of `ballistics batch` of this version")
    if named == SCHEMA and not sealed:
        raise CorruptFileError(f"{path} was altered after it was written: its SHA-256 is gone; run the batch again")
    wrong = [name for name, kind in _STATED.items() if type(metadata.get(name)) is not kind]
    if wrong:
        raise CorruptFileError(
            f"{path} is damaged: its description does not state '{wrong[0]}'; run the batch again, finished work is "
            "kept"
        )
    return metadata if sealed else {**metadata, "caution": NO_SEAL}


def read_columns(path: Path, names: list[str]) -> Iterator[Iterator[tuple[Any, ...]]]:
    """Yield, group by group, the rows of some columns of a Parquet result; errors as of `read_metadata`."""
    pq = parquet.module()
    with parquet.reading_parquet(path), pq.ParquetFile(path) as file:
        held = {field.name: str(field.type) for field in file.schema_arrow}
        for name in names:
            wanted = ("string",) if name in _TEXTS else ("int32", "double")
            if held.get(name) not in wanted:
                raise CorruptFileError(
                    f"{path} is damaged: its column '{name}' is {held.get(name, 'missing')}, not {wanted[0]}; run the "
                    "batch again, finished work is kept"
                )
        for batch in file.iter_batches(columns=names):
            rows = list(zip(*(batch.column(name).to_pylist() for name in names), strict=True))
            yield iter(rows)
