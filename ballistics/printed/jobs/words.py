"""One line of G-code as commands and their words: text, macros, comments in brackets and checksums are no commands."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

_NUMBER = rb"[-+]?(?:\d+\.?\d*|\.\d+)"
_EXPONENT = rb"[eE][-+]?\d+(?![.\d])"
_ASIDE = re.compile(rb"\([^)]*\)?|\"[^\"]*\"?")
_LINE_NUMBER = re.compile(rb"\s*[Nn]\s*\d+(?![^\s\dGMTgmt])")
# "X 10" is "X10".
_APART = re.compile(rb"(?:(?<=\s)|^)([A-Za-z])\s+(?=[-+.\d])")
_WORD = re.compile(rb"([A-Za-z])(" + _NUMBER + rb")(?::[-+.:\d]*)?")
_WORDS = re.compile(rb"(?:[A-Za-z]" + _NUMBER + rb"(?::[-+.:\d]*)?)+[XYZExyze]*")
_LONG_WORD = re.compile(rb"([A-Za-z])(" + _NUMBER + rb"(?:" + _EXPONENT + rb")?)")
# A word with an exponent, or two words of which the second is E: "X1.5E-5".
_DOUBTFUL = re.compile(rb"([A-Za-z])(" + _NUMBER + rb")([eE])([-+]?)\d+")
# "X0,25", "E:1.5" and "X=3" in a move.
_OTHER_NUMBER = re.compile(rb"[XYZExyze](?:[:=][-+]?[\d.,]+|[-+]?\d*,\d+)")
_ONE_DIGIT = re.compile(rb"[-+]?\d\.\d+")


class Command(NamedTuple):
    """A command with its words.

    Parameters
    ----------
    name : str
        ``"G1"``, ``"M82"``, ``"T0"``, ``"G92.1"``.
    words : dict of str to float
        Letters in capitals.
    flags : str
        Letters without a number, in capitals.
    unreadable : int
        Words of axes whose number is none, as ``Xnan`` and ``X0,25``.
    """

    name: str
    words: dict[str, float]
    flags: str = ""
    unreadable: int = 0


def commands_of(code: bytes) -> list[Command]:
    """Return the commands of a line without its comment behind ``;``.

    A line is a command only when its first word, behind a line number, is one letter of G, M and T and a number:
    ``EXCLUDE_OBJECT_START NAME=ring20`` and ``M117_LOG g20`` are none. What follows counts only where it is a letter
    and a number. Several G-commands in one line are several commands.

    Parameters
    ----------
    code : bytes

    Returns
    -------
    list of Command

    Examples
    --------
    >>> commands_of(b"N12 g1x1.5y-2e1.25e-02*71")
    [Command(name='G1', words={'X': 1.5, 'Y': -2.0, 'E': 0.0125}, flags='', unreadable=0)]
    >>> commands_of(b"EXCLUDE_OBJECT_START NAME=ring20 G20")
    []
    """
    code = _ASIDE.sub(b" ", code).partition(b"*")[0]
    code = _LINE_NUMBER.sub(b"", code, count=1)
    chunks = _APART.sub(rb"\1", code).split()
    if not chunks or chunks[0][:1].upper() not in (b"G", b"M", b"T", b"X", b"Y", b"Z", b"E", b"F"):
        return []
    if not _WORDS.fullmatch(chunks[0]):
        return []
    found: list[tuple[str, float]] = []
    flags = ""
    unreadable = 0
    clean = True
    for chunk in chunks:
        if _WORDS.fullmatch(chunk):
            pairs, letters = _pairs_of(chunk, chunks)
            found += pairs
            flags += letters
        elif len(chunk) == 1 and chunk.isalpha():
            flags += chunk.decode().upper()
        else:
            clean = False
            unreadable += chunk[:1] in b"XYZE" and chunk[1:].lower().lstrip(b"+-") in (b"nan", b"inf", b"infinity")
            unreadable += chunks[0][:1] in b"Gg" and _OTHER_NUMBER.fullmatch(chunk) is not None
    finite = [(letter, value) for letter, value in found if math.isfinite(value)]
    return _split(finite, flags, unreadable + len(found) - len(finite), clean)


def _pairs_of(chunk: bytes, chunks: list[bytes]) -> tuple[list[tuple[str, float]], str]:
    """Return the words of a chunk without blanks, and its letters without number at the end."""
    doubtful = _DOUBTFUL.fullmatch(chunk)
    if doubtful and _is_exponent(doubtful, chunks):
        return [(doubtful[1].decode().upper(), float(chunk[1:]))], ""
    words = _WORD.findall(chunk)
    if sum(letter in b"eE" for letter, _ in words) > 1:
        words = _LONG_WORD.findall(chunk)
    rest = len(chunk) - len(chunk.rstrip(b"XYZExyze"))
    return [(a.decode().upper(), float(v)) for a, v in words], chunk[len(chunk) - rest :].decode().upper()


def _is_exponent(doubtful: re.Match[bytes], chunks: list[bytes]) -> bool:
    """Whether what looks like a word E is the exponent of the number before it."""
    letter, mantissa, e, sign = doubtful.groups()
    if letter in b"eE" or (e == b"e" and letter.isupper()):
        return True
    others = [chunk for chunk in chunks[1:] if chunk is not doubtful.string]
    if any(chunk[:1] in (b"e", b"E") for chunk in others):
        return True
    # Java writes 1.0E-5; a job whose words stand apart would not glue E to another word.
    apart = bool(others) and all(len(_WORD.findall(chunk)) < 2 for chunk in others)
    return bool(sign) and apart and _ONE_DIGIT.fullmatch(mantissa) is not None


def _split(found: list[tuple[str, float]], flags: str, unreadable: int, clean: bool) -> list[Command]:
    """Return the words as commands: several only where everything in the line is a word."""
    commands: list[Command] = []
    words: dict[str, float] = {}
    for k, (letter, value) in enumerate(found):
        if k == 0 or (clean and letter in "GM" and commands[0].name[0] in "GX"):
            words = {}
            name = f"{letter}{value:g}" if letter in "GMT" else "X"
            commands.append(Command(name, words, flags, unreadable))
            if name != "X":
                continue
        words[letter] = value
    return commands
