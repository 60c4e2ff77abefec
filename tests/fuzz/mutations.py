"""Turns a good file into a damaged or hostile one: bytes, blocks, values inside JSON, XML, zip, PNG, npy and SQL."""

from __future__ import annotations

import io
import json
import re
import sqlite3
import struct
import tempfile
import warnings
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ballistics.files import parquet, rows_file
from ballistics.files.bounded_json import SEAL, sealed

Random = np.random.Generator

_INTEGERS = (0, 1, 2, -1, 127, 128, 255, 256, 32767, 32768, 65535, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, -(2**31))
_FLOATS = (0.0, -0.0, 1.0, -1.0, float("nan"), float("inf"), -float("inf"), 1e-320, 3.4028235e38, -3.4028235e38, 1e308)
_NUMBERS = (
    *("0", "1", "-1", "2", "3", "255", "65536", "4294967295", "999999999999", "1e309", "-1e309", "1e-400", "nan"),
    *(
        "inf",
        "-inf",
        "NaN",
        "0x10",
        "1e5",
        "-0",
        "",
        "1,5",
        "1_000",
        "¹",
        "+",
        "9" * 400,
        "1" + "0" * 5000,
        "１２",
        "1e",
        ".",
        "1.0e+006",
        "-nan(ind)",
    ),
)
_WORDS = ("", "\0", "é", "\ufeff", "../../etc/passwd", "a" * 3000, "%s%n", "<", "&", "]]>", "'", '"', "\\", "\r", "\t")
_NUMBER = re.compile(rb"[-+]?\d+\.?\d*(?:[eE][-+]?\d+)?")
_DEEP = 100_000


def mutant(data: bytes, others: tuple[bytes, ...], random: Random) -> bytes:
    """Return a changed copy of a file.

    Parameters
    ----------
    data : bytes
        A good file.
    others : tuple of bytes
        Other good files of its kind, to splice with.
    random : Generator
        The same state gives the same mutant.
    """
    for _ in range(int(random.geometric(0.6))):
        data = _one_change(data, others, random)
    return data


def _one_change(data: bytes, others: tuple[bytes, ...], random: Random) -> bytes:
    structured = _structured(data)
    # Nearly every changed byte of a zip archive is caught by its checksums: what lies behind them must be reached.
    often = 0.85 if data.startswith((b"PK", b"\x89PNG")) else 0.6
    if structured is not None and random.random() < often:
        try:
            return structured(data, random)
        except Exception:  # an earlier change has broken the structure, in any way: change its bytes
            pass
    if others and random.random() < 0.05:
        other = _pick(others, random)
        return data[: _place(data, random)] + other[_place(other, random) :]
    return _pick(_BYTE_CHANGES, random)(data, random)


def _pick(choices: Sequence[Any], random: Random) -> Any:
    return choices[int(random.integers(len(choices)))]


def _place(data: bytes, random: Random) -> int:
    """Return a place in a file; half of the time near its beginning, where the header is."""
    near = min(len(data), 256) if random.random() < 0.5 else len(data)
    return int(random.integers(near + 1))


def _bits(data: bytes, random: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(int(random.integers(1, 9))):
        if changed:
            changed[min(_place(data, random), len(changed) - 1)] ^= 1 << int(random.integers(8))
    return bytes(changed)


def _some_bytes(data: bytes, random: Random) -> bytes:
    place = _place(data, random)
    new = random.bytes(int(random.integers(1, 9)))
    return data[:place] + new + data[place + len(new) :]


def _number_bytes(data: bytes, random: Random) -> bytes:
    order, size = _pick(("<", ">"), random), _pick((1, 2, 4, 8), random)
    if size >= 4 and random.random() < 0.4:
        with warnings.catch_warnings(), np.errstate(over="ignore"):
            warnings.simplefilter("ignore")
            new = np.array(_pick(_FLOATS, random)).astype(f"{order}f{size}").tobytes()
    else:
        value = _pick(_INTEGERS, random) & ((1 << 8 * size) - 1)
        new = value.to_bytes(size, "little" if order == "<" else "big")
    place = _place(data, random)
    return data[:place] + new + data[place + size :]


def _cut(data: bytes, random: Random) -> bytes:
    return data[: _place(data, random)]


def _blocks(data: bytes, random: Random) -> bytes:
    """Delete, repeat or swap blocks."""
    a, b, c = sorted(_place(data, random) for _ in range(3))
    return _pick(
        (
            data[:a] + data[b:],
            data[:b] + data[a:],
            data[:a] + data[b:c] + data[a:b] + data[c:],
            data[:a] + bytes(b - a) + data[b:],
        ),
        random,
    )


def _inserted(data: bytes, random: Random) -> bytes:
    place = _place(data, random)
    return data[:place] + random.bytes(int(random.integers(1, 65))) + data[place:]


def _number_text(data: bytes, random: Random) -> bytes:
    """Write another number for one in the text."""
    found = list(_NUMBER.finditer(data[:200_000]))
    if not found:
        return _some_bytes(data, random)
    place = _pick(found, random)
    return data[: place.start()] + _pick(_NUMBERS, random).encode() + data[place.end() :]


def _lines(data: bytes, random: Random) -> bytes:
    """Delete, repeat, exchange or spoil a line."""
    lines = data.splitlines(keepends=True)
    if len(lines) < 2:
        return _some_bytes(data, random)
    i, j = int(random.integers(len(lines))), int(random.integers(len(lines)))
    what = int(random.integers(5))
    if what == 0:
        del lines[i]
    elif what == 1:
        lines.insert(i, lines[j])
    elif what == 2:
        lines[i], lines[j] = lines[j], lines[i]
    elif what == 3:
        lines[i] = _pick(_WORDS, random).encode() + b"\n"
    else:
        lines[i] = lines[i].rstrip(b"\r\n") + b"\r"
    return b"".join(lines)


_BYTE_CHANGES = (_bits, _some_bytes, _number_bytes, _cut, _blocks, _inserted, _number_text, _lines)


def _structured(data: bytes) -> Callable[[bytes, Random], bytes] | None:
    """Return the way to change values inside a file, known by its first bytes; None for plain bytes."""
    for magic, change in (
        (b"PK\x03\x04", _zip),
        (b"glTF", _glb),
        (b"\x93NUMPY", _npy),
        (b"PAR1", _parquet),
        (b"SQLite format 3", _sql),
        (b"\x89PNG", _png),
    ):
        if data.startswith(magic):
            return change
    head = data[:200].lstrip()
    if head.startswith((b"{", b"[")):
        lines = data.count(b"\n")
        return _json_line if lines and data.count(b"\n{") >= lines - 1 else _json
    if head.startswith(b"<"):
        return _xml
    return _text if b"\0" not in head and data.isascii() else None


def _text(data: bytes, random: Random) -> bytes:
    return (_number_text if random.random() < 0.6 else _lines)(data, random)


def _json_value(random: Random) -> object:
    """Return a value that a reader may not expect."""
    words = (*_WORDS, "\ud800", "1", "nan", "urn:x")
    values: tuple[object, ...] = (
        None,
        True,
        False,
        [],
        {},
        [[]],
        {"": None},
        *_INTEGERS,
        *_FLOATS,
        10**30,
        10**400,
        *words,
    )
    return values[int(random.integers(len(values)))]


def _changed_json(value: object, random: Random) -> object:
    """Change one value somewhere inside."""
    if isinstance(value, dict) and value and random.random() < 0.9:
        key = _pick(list(value), random)
        what = random.random()
        if what < 0.1:
            return {k: v for k, v in value.items() if k != key}
        if what < 0.15:
            return {**{k: v for k, v in value.items() if k != key}, _pick(_WORDS, random): value[key]}
        return value | {key: _changed_json(value[key], random)}
    if isinstance(value, list) and value and random.random() < 0.9:
        i = int(random.integers(len(value)))
        what = random.random()
        if what < 0.05:
            return value[:i] + value[i + 1 :]
        if what < 0.1:
            return [*value, value[i]]
        return [*value[:i], _changed_json(value[i], random), *value[i + 1 :]]
    return _json_value(random)


def _json(data: bytes, random: Random) -> bytes:
    if random.random() < 0.03:  # deeper than any parser's stack
        place = _pick(list(re.finditer(rb"[\[{:,]", data)), random).end()
        opening = _pick((b"[", b'{"a":'), random)
        return data[:place] + opening * _DEEP + data[place:]
    return json.dumps(_resealed(_changed_json(json.loads(data), random), random)).encode()


def _resealed(content: Any, random: Random) -> Any:
    """Write the right seal into what had one, four times in five: who alters a file can do so too."""
    if not isinstance(content, dict) or SEAL not in content or random.random() < 0.2:
        return content
    return sealed(content)


def _json_line(data: bytes, random: Random) -> bytes:
    lines = data.splitlines(keepends=True)
    i = int(random.integers(len(lines)))
    changed = _changed_json(json.loads(lines[i]), random)
    if isinstance(changed, dict) and "seal" in changed and random.random() < 0.8:
        lines[i] = rows_file._sealed({name: value for name, value in changed.items() if name != "seal"})
    else:
        lines[i] = json.dumps(changed).encode() + b"\n"
    return b"".join(lines)


def _xml(data: bytes, random: Random) -> bytes:
    """Change a text, an attribute or an element, or open very many."""
    what = random.random()
    if what < 0.6:
        found = list(re.finditer(rb'(?<=>)[^<>]+(?=<)|(?<=")[^"<>]*(?=")', data[:200_000]))
        place = _pick(found, random)
        choices = (*_NUMBERS, *_WORDS, *(f.group().decode("latin-1") for f in (_pick(found, random),) * 20))
        new = _pick(choices, random).encode()
        return data[: place.start()] + new + data[place.end() :]
    if what < 0.85:
        tags = list(re.finditer(rb"<[^<>]*>", data[:200_000]))
        place, other = _pick(tags, random), _pick(tags, random)
        new = _pick((b"", other.group(), place.group() * 2, b"</x>", b"<x/>", b"<![CDATA["), random)
        return data[: place.start()] + new + data[place.end() :]
    if what < 0.97:
        tags = list(re.finditer(rb"</?([\w:]+)", data[:200_000]))
        place, other = _pick(tags, random), _pick(tags, random)
        return data[: place.start(1)] + other.group(1) + data[place.end(1) :]
    return data.replace(b">", b">" + b"<a>" * _DEEP, 1)


def _zip(data: bytes, random: Random) -> bytes:
    """Change a member's content, its name or how it is packed, and pack all again with right sums."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    if not members:
        raise ValueError("an empty archive")
    i = int(random.integers(len(members)))
    name, content = members[i]
    what = random.random()
    if what < 0.8:
        members[i] = (name, _one_change(content, tuple(other for _, other in members), random))
    elif what < 0.85:
        del members[i]
    elif what < 0.92:
        members[i] = (
            _pick((*_WORDS, _pick(members, random)[0], "/" + name, name.upper(), "a/" + name), random),
            content,
        )
    else:
        members.append((name, _pick(members, random)[1]))
    method = _pick((zipfile.ZIP_DEFLATED, zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED, zipfile.ZIP_BZIP2), random)
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", method) as archive:
        warnings.simplefilter("ignore")  # about names that stand twice
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), content, method)
    return buffer.getvalue()


def _glb(data: bytes, random: Random) -> bytes:
    """Change a value in the JSON part and put right lengths around it."""
    (length,) = struct.unpack_from("<L", data, 12)
    text = _json(data[20 : 20 + length], random)
    text += b" " * (-len(text) % 4)
    body = struct.pack("<L4s", len(text), b"JSON") + text + data[20 + length :]
    return struct.pack("<4sLL", b"glTF", 2, 12 + len(body)) + body


def _npy(data: bytes, random: Random) -> bytes:
    """Change the header's text, with the right length around it."""
    (length,) = struct.unpack_from("<H", data, 8)
    header = data[10 : 10 + length].rstrip()
    what = random.random()
    if what < 0.5:
        header = _number_text(header, random)
    elif what < 0.8:
        descr = _pick(
            (b"'<f8'", b"'|O'", b"'<U9'", b"'>f4'", b"'|V0'", b"[('a', '<f4')]", b"'|u1'", b"1", b"'M8'"), random
        )
        header = re.sub(rb"'descr': [^,]*", lambda _: b"'descr': " + descr, header)
    else:
        header = _some_bytes(header, random)
    if random.random() < 0.05:
        header = header.replace(b"(", b"(" * 3000, 1)
    header += b" " * (-(10 + len(header) + 1) % 64) + b"\n"
    return data[:8] + struct.pack("<H", len(header) & 0xFFFF) + header + data[10 + length :]


def _png(data: bytes, random: Random) -> bytes:
    """Change one part of a PNG and write its right checksum."""
    parts, at = [], 8
    while at + 12 <= len(data):
        (size,) = struct.unpack_from(">L", data, at)
        parts.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + size]))
        at += 12 + size
    i = int(random.integers(len(parts)))
    kind, body = parts[i]
    if kind == b"IDAT" and random.random() < 0.7:
        body = zlib.compress(_pick(_BYTE_CHANGES, random)(zlib.decompress(body), random))
    else:
        body = _pick(_BYTE_CHANGES, random)(body, random)
    parts[i] = (kind, body)
    if random.random() < 0.1:
        parts.insert(i, _pick(parts, random))
    return data[:8] + b"".join(
        struct.pack(">L", len(b)) + k + b + struct.pack(">L", zlib.crc32(k + b)) for k, b in parts
    )


def _parquet(data: bytes, random: Random) -> bytes:
    """Change the metadata, a column or a value, and write the table again."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(io.BytesIO(data))
        metadata = dict(table.schema.metadata or {})
        name = _pick(table.column_names, random)
        i = table.column_names.index(name)
        what = random.random()
        if what < 0.5 and metadata:
            key = _pick(list(metadata), random)
            metadata[key] = _json(metadata[key], random)
        elif what < 0.65:
            table = table.drop_columns([name])
        elif what < 0.85:
            kind = _pick((pa.string(), pa.int64(), pa.float64(), pa.binary(), pa.bool_()), random)
            table = table.set_column(i, name, pa.array([None] * table.num_rows, kind))
        else:
            values = table.column(i).to_pylist()
            values[int(random.integers(len(values)))] = _pick(
                ("", "\0", 1, -1, 1e300, float("nan"), True, None), random
            )
            table = table.set_column(i, name, pa.array(values))
        table = table.replace_schema_metadata(metadata)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "a.parquet")
            with pq.ParquetWriter(path, table.schema) as writer:
                writer.write_table(table)
                parquet.seal(writer)
            if random.random() < 0.8:
                parquet.close_seal(path)
            return path.read_bytes()
    except (pa.ArrowException, UnicodeError, TypeError) as error:
        raise ValueError("not a table any more") from error


def _sql(data: bytes, random: Random) -> bytes:
    """Change a value of a row by SQL."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.sqlite")
        path.write_bytes(data)
        connection = sqlite3.connect(path)
        try:
            connection.execute("PRAGMA journal_mode=DELETE")
            tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")]
            table = _pick(tables, random)
            if random.random() < 0.1:
                connection.execute(f'DROP TABLE "{table}"')
            else:
                names = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]
                value = _pick((None, "", "a", "\0", b"\xff", -1, 0, 2**62, 1e300, "../../a", "0" * 64, "nan"), random)
                connection.execute(f'UPDATE "{table}" SET "{_pick(names, random)}" = ?', (value,))
            connection.commit()
        finally:
            connection.close()
        return path.read_bytes()
