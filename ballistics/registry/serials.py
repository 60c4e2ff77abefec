"""Serial numbers: their keys, patterns with unknown characters, what is read for them, and how far two are apart."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import product
from pathlib import Path
from typing import Any

from rapidfuzz.distance import Levenshtein

from ballistics.errors import ParameterError
from ballistics.registry.spelling import in_latin

_LOOKALIKES = Path(__file__).with_name("data") / "lookalikes.csv"
#: An unknown character, in a question and in a record.
UNKNOWN = "?"
#: Any number of characters, also none.
ANY = "*"
# Each makes a search for a place of its own in every serial that is looked at.
_MOST_ANY = 3
#: More characters than any firearm carries as its serial.
MOST_CHARACTERS = 64
_LATIN = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_BRACKETS = re.compile(r"\[([^\[\]]*)\]")


@dataclass(frozen=True)
class Lookalikes:
    """Characters that are read for each other.

    Parameters
    ----------
    folded : dict
        The character that stands for each one of a group, by code point; for `str.translate`.
    similar : frozenset of str
        Pairs of folded characters, both ways round, that are misread more often than others.
    glyphs : dict
        The Latin character that each Cyrillic capital looks like, by code point.
    """

    folded: dict[int, str]
    similar: frozenset[str]
    glyphs: dict[int, str]

    @property
    def alphabet(self) -> str:
        """Every character that a folded key can hold, without the sign for an unknown one."""
        return "".join(sorted({letter.translate(self.folded) for letter in _LATIN}))


@cache
def lookalikes() -> Lookalikes:
    """Read the file of lookalikes.

    Raises
    ------
    ParameterError
        When a line is not understood, or a character is on two lines of the kind ``same``.
    """
    folded: dict[int, str] = {}
    pairs: list[tuple[str, str]] = []
    glyphs: dict[int, str] = {}
    lines = [line for line in _LOOKALIKES.read_text("utf-8").splitlines() if line.strip() and not line.startswith("#")]
    for row in csv.DictReader(lines):
        characters = row["characters"].split()
        if row["kind"] not in ("same", "similar", "glyph") or len(characters) < 2 or max(map(len, characters)) > 1:
            raise ParameterError(f"{_LOOKALIKES.name}: {row['kind']},{row['characters']} is not a line of lookalikes")
        if row["kind"] == "glyph":
            glyphs[ord(characters[0])] = characters[1]
        elif row["kind"] == "similar":
            pairs += [(a, b) for a in characters for b in characters if a != b]
        else:
            for character in characters:
                if ord(character) in folded:
                    raise ParameterError(f"{_LOOKALIKES.name}: {character} is the same as two groups of characters")
                folded[ord(character)] = characters[0]
    similar = frozenset("".join(pair).translate(folded) for pair in pairs)
    return Lookalikes(folded, similar, glyphs)


@lru_cache(maxsize=1 << 14)
def plain_keys(text: str) -> tuple[str, ...]:
    """Return a serial in Latin capitals and digits: by the look of its letters, and by their sound where that differs.

    Spaces, hyphens and everything else that is no letter or digit is left out; `UNKNOWN` stays.

    Examples
    --------
    >>> plain_keys("m70-12 345"), plain_keys("В-4711"), plain_keys("12?4")
    (('M7012345',), ('B4711', 'V4711'), ('12?4',))
    """
    if text.isascii():
        return (_kept(text.upper()),)
    upper = unicodedata.normalize("NFKC", text).upper()
    by_look = _without_accents(_by_sound(upper.translate(lookalikes().glyphs)))
    by_sound = _without_accents(_by_sound(upper))
    return tuple(dict.fromkeys((_kept(by_look), _kept(by_sound))))


@lru_cache(maxsize=1 << 14)
def folded_keys(text: str) -> tuple[str, ...]:
    """Return the keys of a serial with characters that look alike folded together: those by which it is looked up.

    Examples
    --------
    >>> folded_keys("B0l-5"), folded_keys("8OI S")
    (('8015',), ('8015',))
    """
    return tuple(dict.fromkeys(fold(key) for key in plain_keys(text)))


def fold(key: str) -> str:
    """Return a plain key with characters that look alike folded together."""
    return key.translate(lookalikes().folded)


def _kept(upper: str) -> str:
    return re.sub(r"[^A-Z0-9?]+", "", upper)


def _by_sound(upper: str) -> str:
    # A letter for a letter, so that positions stay: Љ is L, not LJ.
    return "".join(letter if letter < "\u0400" else in_latin(letter)[:1].upper() for letter in upper)


def _without_accents(text: str) -> str:
    return unicodedata.normalize("NFD", text.replace("Đ", "D").replace("Ł", "L").replace("Ø", "O"))


@dataclass(frozen=True)
class SerialPattern:
    """A serial as it was read: what each of its characters may be.

    Parameters
    ----------
    text : str
        As given.
    characters : tuple of str
        For each place the plain characters that were read there; `UNKNOWN` for a character nobody could read, `ANY`
        for any number of them.
    """

    text: str
    characters: tuple[str, ...]

    @property
    def is_open(self) -> bool:
        """Whether any number of characters may be missing somewhere."""
        return ANY in self.characters

    @property
    def is_read(self) -> bool:
        """Whether every character was read, without doubt."""
        return all(len(read) == 1 and read not in (UNKNOWN, ANY) for read in self.characters)

    @property
    def unknown(self) -> int:
        """How many characters could not be read."""
        return self.characters.count(UNKNOWN)

    def keys(self, most: int) -> list[str] | None:
        """Return every folded key that the pattern fits; None when there are more than ``most``, or no end of them."""
        if self.is_open:
            return None
        alphabet = lookalikes().alphabet
        choices = [alphabet + UNKNOWN if read == UNKNOWN else _folded_choice(read) for read in self.characters]
        number = 1
        for choice in choices:
            number *= len(choice)
            if number > most:
                return None
        return ["".join(key) for key in product(*choices)]

    def like(self) -> str:
        """Return the pattern for SQL's LIKE on folded keys; it takes a place that has a choice for unknown."""
        signs = {UNKNOWN: "_", ANY: "%"}
        return "".join(
            signs.get(read) or (choice if len(choice := _folded_choice(read)) == 1 else "_") for read in self.characters
        )

    def widened(self) -> Iterator[SerialPattern]:
        """Yield the pattern with one more of its characters taken as unknown: each reading may be wrong."""
        for place, read in enumerate(self.characters):
            if read not in (UNKNOWN, ANY):
                changed = (*self.characters[:place], UNKNOWN, *self.characters[place + 1 :])
                yield SerialPattern(self.text, changed)

    def regex(self) -> re.Pattern[str]:
        """Return an expression that a whole folded key of a serial must match."""
        parts = {UNKNOWN: ".", ANY: ".*"}
        return re.compile(
            "".join(parts.get(read) or f"[{re.escape(_folded_choice(read))}?]" for read in self.characters)
        )


def _folded_choice(read: str) -> str:
    return "".join(dict.fromkeys(fold(read)))


def read_pattern(text: str) -> tuple[SerialPattern, ...]:
    """Return the patterns that a serial as read means: by the look of its letters, and by their sound.

    Parameters
    ----------
    text : str
        ``?`` is an unknown character, ``[38]`` a 3 or an 8, ``*`` any number of characters. Other signs and spaces are
        left out.

    Raises
    ------
    ParameterError
        When it is too long, or holds no letter or digit.

    Examples
    --------
    >>> [pattern.characters for pattern in read_pattern("12?[38]-4*")]
    [('1', '2', '?', '38', '4', '*')]
    """
    if len(text) > 4 * MOST_CHARACTERS:
        raise ParameterError(f"a serial of {len(text)} characters: no firearm carries one; give what was read of it")
    patterns: dict[tuple[str, ...], SerialPattern] = {}
    parts = _BRACKETS.split(text)
    for variant in range(2):
        characters: list[str] = []
        for place, part in enumerate(parts):
            if place % 2:
                choice = [_variant(letter, variant) for letter in part]
                characters.append("".join(dict.fromkeys("".join(choice))) or UNKNOWN)
                continue
            for run in re.split(r"(\*+)", part):
                characters += [ANY] if run.startswith(ANY) else list(_variant(run, variant))
        patterns.setdefault(tuple(characters), SerialPattern(text, tuple(characters)))
    for pattern in patterns.values():
        if not any(read not in (UNKNOWN, ANY) for read in pattern.characters):
            raise ParameterError(f"'{text}' holds no letter or digit of a serial: give at least one")
        if pattern.characters.count(ANY) > _MOST_ANY:
            raise ParameterError(
                f"'{text}' leaves {pattern.characters.count(ANY)} gaps open; at most {_MOST_ANY} may be"
            )
        if len(pattern.characters) > MOST_CHARACTERS:
            raise ParameterError(f"a serial of {len(pattern.characters)} characters: give what was read of it")
    return tuple(patterns.values())


def _variant(text: str, number: int) -> str:
    keys = plain_keys(text)
    return keys[min(number, len(keys) - 1)]


def neighbours(key: str) -> set[str]:
    """Return every folded key within a character of a key: changed, missing, added, or two in each other's place.

    Examples
    --------
    >>> found = neighbours("123")
    >>> "133" in found, "12" in found, "1223" in found, "132" in found, "123" in found, "333" in found
    (True, True, True, True, False, False)
    """
    alphabet = lookalikes().alphabet + UNKNOWN
    found: set[str] = set()
    for place in range(len(key) + 1):
        before, after = key[:place], key[place:]
        found.update(before + letter + after for letter in alphabet)
        if after:
            found.add(before + after[1:])
            found.update(before + letter + after[1:] for letter in alphabet)
        if len(after) > 1:
            found.add(before + after[1] + after[0] + after[2:])
    found -= {key, ""}
    return found


@dataclass(frozen=True)
class SerialDifference:
    """How a serial of the registry differs from what was read.

    Parameters
    ----------
    kind : {"same", "written", "fits", "looks", "similar", "changed", "swapped", "added", "missing", "far"}
        ``same``: character by character. ``written``: but for signs, spaces, capitals, script. ``fits``: fits a pattern
        with unknown or doubtful characters. ``looks``: characters that look alike. ``similar``: characters often
        misread. ``changed``: other characters. ``swapped``: two in each other's place. ``added``, ``missing``: a
        character more or less than was read. ``far``: more than one of these.
    count : int
        How many characters differ.
    words : str
        The same for people.
    """

    kind: str
    count: int
    words: str


def difference(pattern: SerialPattern, written: str) -> SerialDifference:
    """Return how a serial of the registry differs from what was read, in the kindest way of seeing it.

    Parameters
    ----------
    pattern : SerialPattern
        What was read.
    written : str
        The serial in the registry.

    Examples
    --------
    >>> difference(read_pattern("B1234")[0], "8-1234").words
    'serial 8-1234: place 1 is 8, read as B, which looks alike'
    """
    found = [_difference(pattern, key, written) for key in plain_keys(written)]
    return min(found, key=lambda seen: (_KINDS.index(seen.kind), seen.count))


_KINDS = ("same", "written", "fits", "looks", "similar", "swapped", "missing", "added", "changed", "far")


def _difference(pattern: SerialPattern, key: str, written: str) -> SerialDifference:
    said = f"serial {written}"
    if pattern.is_open:
        if pattern.regex().fullmatch(fold(key)):
            return SerialDifference("fits", 0, f"{said} fits {pattern.text}")
        return SerialDifference("far", 2, f"{said} resembles {pattern.text}")
    if len(pattern.characters) == len(key):
        return _by_place(pattern, key, written)
    read = "".join(choice[0] for choice in pattern.characters)
    edits: Any = Levenshtein.editops(fold(read), fold(key))
    if len(edits) == 1 and edits[0].tag == "insert":
        more = key[edits[0].dest_pos]
        return SerialDifference("missing", 1, f"{said}: {more} at place {edits[0].dest_pos + 1} was not read")
    if len(edits) == 1 and edits[0].tag == "delete":
        extra, place = read[edits[0].src_pos], edits[0].src_pos + 1
        return SerialDifference("added", 1, f"{said}: {extra} was read at place {place}, and is not in it")
    return SerialDifference("far", len(edits), f"{said}: {len(edits)} changes from {pattern.text}")


def _by_place(pattern: SerialPattern, key: str, written: str) -> SerialDifference:
    said = f"serial {written}"
    looks: list[str] = []
    similar: list[str] = []
    changed: list[str] = []
    open_places = 0
    for place, (read, is_) in enumerate(zip(pattern.characters, key, strict=True), 1):
        if UNKNOWN in (read, is_):
            open_places += 1
        elif is_ in read:
            open_places += len(read) > 1
        elif fold(is_) in _folded_choice(read):
            looks.append(f"place {place} is {is_}, read as {read}, which looks alike")
        elif any(fold(is_ + letter) in lookalikes().similar for letter in read):
            similar.append(f"place {place} is {is_}, read as {read}, which is often misread")
        else:
            changed.append(f"place {place} is {is_}, read as {read}")
    wrong = similar + changed
    if len(wrong) == 2 and _is_swapped(pattern, key):
        return SerialDifference("swapped", 1, f"{said}: two neighbouring characters in each other's place")
    words = f"{said}: {'; '.join(looks + wrong)}"
    if len(wrong) > 1:
        return SerialDifference("far", len(wrong), words)
    if wrong:
        return SerialDifference("similar" if similar else "changed", 1, words)
    if looks:
        return SerialDifference("looks", len(looks), words)
    if open_places:
        return SerialDifference("fits", 0, f"{said} fits {pattern.text}")
    if written == pattern.text:
        return SerialDifference("same", 0, f"{said} is the same, character by character")
    return SerialDifference("written", 0, f"{said} is the same but for signs, spaces, capitals or script")


def _is_swapped(pattern: SerialPattern, key: str) -> bool:
    read, folded = fold("".join(choice[0] for choice in pattern.characters)), fold(key)
    places = [place for place in range(len(key)) if read[place] != folded[place]]
    if len(places) != 2 or places[1] != places[0] + 1:
        return False
    first, second = places
    return read[first] == folded[second] and read[second] == folded[first]
