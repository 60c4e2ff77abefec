"""The result of a batch as a file: one row for each pair, and for each file that could not take part."""

from __future__ import annotations

import csv
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ballistics.errors import CorruptFileError, ParameterError, ReadError, UnsupportedFormatError, WriteError
from ballistics.evidence.pair_rows import Row, columns

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA = "ballistics/batch/1"
ENDINGS = (".parquet", ".csv")
_METADATA = b"ballistics"
# The bytes of a Parquet file depend on these, so they are fixed; so many rows are in memory at a time.
_GROUP = 16_384
_PARQUET: dict[str, Any] = {"version": "2.6", "data_page_version": "1.0", "compression": "zstd", "compression_level": 3}


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

    Raises
    ------
    ParameterError
        For another ending than those of `ENDINGS`.
    WriteError
        When the file cannot be written.
    """
    text = json.dumps({"schema": SCHEMA, **metadata}, sort_keys=True, ensure_ascii=False, allow_nan=False)
    with written_whole(path) as temporary:
        if kind_of(path) == ".csv":
            _write_csv(temporary, mark_kind, rows)
        else:
            _write_parquet(temporary, mark_kind, rows, text)
    if kind_of(path) == ".csv":
        with written_whole(path.with_name(f"{path.name}-metadata.json")) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")


def kind_of(path: Path) -> str:
    """Return the ending that says how a result is written.

    Raises
    ------
    ParameterError
        When it is none of `ENDINGS`.
    """
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise ParameterError(f"{path}: a result is written as {' or '.join(ENDINGS)}; end its name so")
    return ending


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a temporary path in the same folder, and put what was written there in place at the end."""
    try:
        handle, name = tempfile.mkstemp(prefix=".ballistics-", dir=path.resolve().parent)
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            temporary.chmod(0o644)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise WriteError(f"{path} cannot be written: {error.strerror or error}; choose another place") from error


def _write_csv(path: Path, mark_kind: str, rows: Iterable[Row]) -> None:
    names = list(result_columns(mark_kind))
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([row[name] for name in names] for row in rows)


def _write_parquet(path: Path, mark_kind: str, rows: Iterable[Row], metadata: str) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {str: pa.string(), int: pa.int32(), float: pa.float64()}
    fields = [pa.field(name, types[kind]) for name, kind in result_columns(mark_kind).items()]
    schema = pa.schema(fields, metadata={_METADATA: metadata})
    remaining = iter(rows)
    with pq.ParquetWriter(path, schema, **_PARQUET) as writer:
        while group := _columns(remaining, schema):
            writer.write_batch(pa.record_batch(group, schema=schema), row_group_size=_GROUP)


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
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        found = (pq.read_schema(path).metadata or {}).get(_METADATA)
    except OSError as error:
        raise ReadError(f"{path} cannot be read: {error.strerror or error}") from error
    except pa.ArrowInvalid as error:
        raise UnsupportedFormatError(
            f"{path} is no Parquet file: give the result of `ballistics batch --out NAME.parquet`"
        ) from error
    try:
        metadata = json.loads(found) if found is not None else {}
    except ValueError as error:
        raise CorruptFileError(
            f"{path}: its metadata is damaged; run the batch again, finished work is kept"
        ) from error
    if not isinstance(metadata, dict) or metadata.get("schema") != SCHEMA:
        raise UnsupportedFormatError(f"{path} holds no result of `ballistics batch` of this version")
    return metadata


def read_columns(path: Path, names: list[str]) -> Iterator[Iterator[tuple[Any, ...]]]:
    """Yield, group by group, the rows of some columns of a Parquet result; errors as of `read_metadata`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(columns=names):
                yield zip(*(batch.column(name).to_pylist() for name in names), strict=True)
    except (OSError, pa.ArrowInvalid) as error:
        raise CorruptFileError(f"{path} is damaged: {error}") from error
