"""JSON, arrays, tables and durable writing: what is let in, and what is left after a stop."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballistics.errors import BallisticsError, CorruptFileError, WriteError
from ballistics.files.bounded_arrays import load_array, map_rows
from ballistics.files.bounded_json import MOST_LEVELS, load_json, parse_json, seal_fault, sealed
from ballistics.files.durable import is_temporary, write_whole, written_whole
from ballistics.files.tables import csv_bytes

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_what_measurements_write_is_read_as_it_is(content):
    assert parse_json(json.dumps(content).encode(), "x", "a note") == content


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 100_000,
        b"[" * (MOST_LEVELS + 1) + b"]" * (MOST_LEVELS + 1),
        b'{"a": NaN}',
        b"[Infinity]",
        b"[1e999]",
        b"[" + b"9" * 31 + b"]",
        b"[" + b"1" * 5000 + b"]",
        b'{"a": 1, "a": 1}',
        b'["\\ud800"]',
        b'{"\\udfff": 1}',
        b'"\xff"',
        b"",
        b"{",
        b"nonsense",
    ],
)
def test_what_no_measurement_writes_is_refused_by_name(text):
    with pytest.raises(CorruptFileError, match=r"x\.json is not a note"):
        parse_json(text, "x.json", "a note")


def test_a_large_file_is_not_read(tmp_path):
    (tmp_path / "x.json").write_bytes(b" " * 5000 + b"1")
    with pytest.raises(CorruptFileError, match="more than 1000 bytes"):
        load_json(tmp_path / "x.json", "a note", most_bytes=1000)
    assert load_json(tmp_path / "x.json", "a note") == 1


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), JSON, min_size=1, max_size=4))
def test_a_seal_holds_through_every_form_of_the_same_content(content):
    whole = sealed(content)
    again = json.loads(json.dumps(whole, indent=3, sort_keys=True))
    assert seal_fault(again) is None
    assert seal_fault(again | {"another": 1}) is not None


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8, np.int8, np.bool_])
@pytest.mark.parametrize("shape", [(), (0,), (5,), (3, 4), (2, 3, 4)])
def test_arrays_are_read_as_numpy_writes_them(tmp_path, dtype, shape):
    values = (np.arange(int(np.prod(shape))) % 2).reshape(shape).astype(dtype)
    np.save(tmp_path / "a.npy", values)
    found = load_array(tmp_path / "a.npy")
    assert found.dtype == values.dtype
    assert np.array_equal(found, values)


HEADERS = (
    "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 99999), }",
    "{'descr': '|O', 'fortran_order': False, 'shape': (3,), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (3",
    "{'descr': '<f4' * 9999999, 'fortran_order': False, 'shape': (3,), }",
    "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,), }",
    "(((((((((((",
    "{'descr': '<z9', 'fortran_order': False, 'shape': (3,), }",
)  # fmt: skip


@pytest.mark.parametrize("header", HEADERS)
def test_a_forged_header_is_refused_before_anything_is_allocated(tmp_path, header):
    text = header.encode().ljust(117) + b"\n"
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(12))
    with pytest.raises(CorruptFileError):
        load_array(tmp_path / "a.npy")
    with pytest.raises(CorruptFileError):
        map_rows(tmp_path / "a.npy", np.dtype(np.float32), (), 3)


@given(st.integers(0, 139), st.integers(1, 255))
def test_a_changed_byte_of_an_array_gives_values_or_an_error_of_the_tree(tmp_path_factory, place, change):
    path = tmp_path_factory.getbasetemp() / "changed.npy"
    np.save(path, np.arange(3, dtype=np.float32))
    data = bytearray(path.read_bytes())
    data[place] ^= change
    path.write_bytes(data)
    try:
        load_array(path)
    except BallisticsError:
        return


def test_no_text_becomes_a_formula():
    texts = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", " =1", "＝1", "a=1", "", "-"]
    rows = csv_bytes(["text", "number"], [[text, -1.5] for text in texts]).decode()
    for text, row in zip(texts, list(csv.reader(io.StringIO(rows, newline="")))[1:], strict=True):
        assert row[0] == (text if text in ("a=1", "") else f"'{text}").replace("\r", "\n")
        assert row[1] == "-1.5"


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a.txt"
    write_whole(path, b"one")
    with pytest.raises(WriteError, match="exists"):
        write_whole(path, b"two", overwrite=False)
    with pytest.raises(RuntimeError):
        _write_half(path)
    assert path.read_bytes() == b"one"
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]
    with pytest.raises(WriteError, match=r"No such file or directory; choose another place"):
        write_whole(tmp_path / "none" / "a.txt", b"x")


def _write_half(path):
    with written_whole(path) as temporary:
        temporary.write_bytes(b"half")
        raise RuntimeError


_STOPPED = """
import os, sys
from pathlib import Path
from ballistics.files.durable import written_whole
with written_whole(Path(sys.argv[1])) as temporary:
    temporary.write_bytes(b"half")
    os._exit(9)
"""


@pytest.mark.skipif(os.name == "nt", reason="processes are asked for by number")
def test_what_a_killed_process_left_goes_with_the_next_writing(tmp_path):
    subprocess.run([sys.executable, "-c", _STOPPED, str(tmp_path / "a.txt")], check=False)
    (left,) = tmp_path.iterdir()
    assert is_temporary(left.name, "a.txt")
    write_whole(tmp_path / "b.txt", b"other")
    assert left.exists()
    write_whole(tmp_path / "a.txt", b"whole")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.txt", "b.txt"]
