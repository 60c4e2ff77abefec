"""Serial numbers: keys, patterns, what is read for them, against a plain twin."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballistics.errors import ParameterError
from ballistics.registry.serials import (
    UNKNOWN,
    difference,
    fold,
    folded_keys,
    lookalikes,
    neighbours,
    plain_keys,
    read_pattern,
)

KEYS = st.text(lookalikes().alphabet, min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("written", "keys"),
    [
        ("m70-12 345", ("M7012345",)),
        ("№ 4711", ("NO4711",)),
        ("В-4711", ("B4711", "V4711")),  # Cyrillic: looks like B, is V
        ("Ђ123", ("H123", "D123")),
        ("Љ12", ("L12",)),
        ("ż12", ("Z12",)),
        ("12?4", ("12?4",)),
        ("１２３", ("123",)),  # full width
        ("---", ("",)),
    ],
)
def test_plain_keys(written, keys):
    assert plain_keys(written) == keys


@pytest.mark.parametrize(
    ("read", "there"), [("O", "0"), ("l", "1"), ("I", "1"), ("B", "8"), ("S", "5"), ("Z", "2"), ("Ћ", "Ђ")]
)
def test_characters_that_look_alike_have_a_key_in_common(read, there):
    assert set(folded_keys(f"A{read}7")) & set(folded_keys(f"A{there}7"))


def naive_neighbours(key):
    """Every key of one edit, written as the definition says it."""
    letters = [*lookalikes().alphabet, UNKNOWN]
    found = {key[:i] + key[i + 1 :] for i in range(len(key))}
    found |= {key[:i] + letter + key[i:] for i in range(len(key) + 1) for letter in letters}
    found |= {key[:i] + letter + key[i + 1 :] for i in range(len(key)) for letter in letters}
    found |= {key[:i] + key[i + 1] + key[i] + key[i + 2 :] for i in range(len(key) - 1)}
    return found - {key, ""}


@given(KEYS)
def test_neighbours_are_all_of_one_edit(key):
    assert neighbours(key) == naive_neighbours(key)


@given(KEYS, st.data())
def test_a_pattern_fits_what_it_came_from(key, data):
    places = data.draw(st.sets(st.integers(0, len(key) - 1), max_size=min(2, len(key) - 1)))
    pattern = read_pattern("".join(UNKNOWN if place in places else sign for place, sign in enumerate(key)))[0]
    assert fold(key) in pattern.keys(1100)
    assert pattern.regex().fullmatch(fold(key))
    assert difference(pattern, key).kind in ("same", "fits")


@pytest.mark.parametrize(
    ("read", "there", "kind"),
    [
        ("A12345", "A12345", "same"),
        ("A12345", "a-12 345", "written"),
        ("12?45", "12345", "fits"),
        ("12345", "12?45", "fits"),
        ("1[38]345", "18345", "fits"),
        ("1[38]345", "1B345", "looks"),
        ("12?4*", "1234567", "fits"),
        ("12?4*", "1334567", "far"),
        ("B1234", "81234", "looks"),
        ("12345", "12845", "similar"),
        ("12345", "12745", "changed"),
        ("12345", "13245", "swapped"),
        ("12345", "123745", "missing"),
        ("123745", "12345", "added"),
        ("12345", "17985", "far"),
        ("С12345", "C12345", "written"),  # Cyrillic С
    ],
)
def test_differences(read, there, kind):
    assert min(difference(pattern, there).kind == kind for pattern in read_pattern(read)[:1])


@pytest.mark.parametrize("text", ["", "??", "*", "-", "[]", "1" * 300, "1" * 65, "*1*1*1*1*"])
def test_what_is_no_serial_is_refused(text):
    with pytest.raises(ParameterError):
        read_pattern(text)


def test_a_doubtful_character_that_is_none_is_unknown():
    assert read_pattern("1[-]2")[0].characters == ("1", UNKNOWN, "2")
