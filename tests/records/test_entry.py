"""Entries: the quick check of their canonical form agrees with RFC 8785; what is no entry ends in an error."""

import contextlib
import json

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st
from property_tests import examples

from ballistics.errors import BallisticsError
from ballistics.files import parse_json
from ballistics.records.entry import Entry, _read_plain, entry_of, name_fault

ENTRY = Entry(3, "0" * 64, "2026-11-30T21:04:05Z", "1" * 64, "item", "K-1", "", "item", 0, "2" * 32, {"a": [1, 2.5]})
NUMBERS = [
    "0", "-0", "1.0", "1.5", "0.00001", "0.0001", "1e-7", "1e-07", "1E5", "1e5", "100000", "1e+21", "1e21", "-1.25",
    "9007199254740991", "9007199254740993", "12345678901234567890", "0.1234567890123456789", "1.10", "5e-324",
    "1.7976931348623157e+308", "10000000000000000", "123456789012345.5", "0.000001", "0.0000001",
]  # fmt: skip
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


def agrees(data):
    """Return whether a text is canonical; what is read quickly is, and is what is read slowly."""
    quick = _read_plain(data)
    try:
        found = parse_json(data, "", "")
        expected = rfc8785.dumps(found) == data
    except (rfc8785.CanonicalizationError, BallisticsError):
        expected = False
    assert quick is None or (expected and quick == found)
    return expected


@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_are_judged_as_by_the_standard(number):
    for text in (f'{{"a":{number}}}', f'{{"a":[{number},{number}]}}', f'{{"a":"x:{number}","b":{number}}}'):
        agrees(text.encode())


def test_ordinary_texts_are_read_quickly():
    for text in ('{"a":[1,2.5,-0.125,null,true,"Скопје"],"b":{"c":"\\n"}}', '{"n":123456789012345,"x":41.9981}'):
        assert agrees(text.encode())
        assert _read_plain(text.encode()) is not None


@pytest.mark.parametrize(
    "text",
    ['{"a":1,"a":1}', '{"a":NaN}', '{"a":-Infinity}', '{"a":"\\ud800"}', '{"a":"\\u0041"}', '{"b":1,"a":2}',
     '{"a":1} ', "[" * 99 + "]" * 99, '{"a":1e999}', "\ufeff{}", '{"a":' + "9" * 5000 + "}", ""],
)  # fmt: skip
def test_what_is_not_canonical_is_not_read_quickly(text):
    assert not agrees(text.encode())


@examples(40, 300)
@example({"\ufffd": 1, "\U0001f600": 2})
@example({"\U0001f600": 1})
@given(st.dictionaries(st.text(max_size=3), values, max_size=4))
def test_values_are_judged_as_by_the_standard(value):
    for ascii_only in (True, False):
        for separators in ((",", ":"), (", ", ": ")):
            text = json.dumps(value, sort_keys=True, separators=separators, ensure_ascii=ascii_only)
            agrees(text.encode())
    with contextlib.suppress(rfc8785.CanonicalizationError, BallisticsError):
        agrees(rfc8785.dumps(value))


@examples(40, 400)
@given(st.data())
def test_what_is_no_entry_ends_in_an_error(data):
    content = bytearray(ENTRY.content)
    assert entry_of(bytes(content), "here") == ENTRY
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content) - 1))
        if data.draw(st.booleans()):
            content[place] = data.draw(st.integers(0, 255))
        else:
            del content[place : place + data.draw(st.integers(1, 9))]
        if not content:
            break
    try:
        entry = entry_of(bytes(content), "here")
    except BallisticsError:
        return
    assert entry.content == bytes(content)
    assert all(name_fault(name, getattr(entry, name)) is None for name in ("kind", "record", "case"))


@examples(40, 200)
@given(st.fixed_dictionaries(dict.fromkeys(json.loads(ENTRY.content), values)))
def test_fields_of_other_kinds_end_in_an_error(value):
    with pytest.raises(BallisticsError):
        entry_of(json.dumps(value).encode(), "here")
