"""Names of makes and models: what is left of a name when script, accents and ways to spell a sound are taken away."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType

import cyrtranslit

from ballistics.errors import ParameterError
from ballistics.evidence import calibre_named

_MAKERS = Path(__file__).with_name("data") / "makers.csv"
# Serbian stands for Bosnian and Montenegrin too; the others add letters that it has not.
_ALPHABETS = ("sr", "mk", "ru", "ua")
_CYRILLIC = re.compile("[\u0400-\u052f]")
# Letters that Unicode does not take apart into a base letter and an accent.
_LETTERS = str.maketrans(
    {"đ": "d", "ł": "l", "ø": "o", "ß": "ss", "æ": "ae", "œ": "oe", "ı": "i", "þ": "t", "ð": "d", "’": "", "'": ""}
)
# "and" in English, German, French, Italian, Serbian and its neighbours, Albanian, Romanian.
_AND = re.compile(r"\b(?:and|und|et|e|i|dhe|si)\b")
# The ways in which English, Albanian, German and transcribed Russian write what others write with one letter.
_SOUNDS = tuple(
    (re.compile(pattern), letter)
    for pattern, letter in (
        (r"shch|sch|sh", "s"),
        (r"tsch|tch|ch|ts|tz", "c"),
        (r"xh|dzh", "dz"),
        (r"zh", "z"),
        (r"dj", "d"),
        (r"gj", "g"),
        (r"kh", "h"),
        # One letter for the sounds of c and k: Colt is Колт, and Ceska is Чешка.
        (r"ck|q|c", "k"),
        (r"ph", "f"),
        (r"th", "t"),
        (r"lj|ll", "l"),
        (r"nj", "n"),
        (r"w", "v"),
        (r"[yj]", "i"),
        (r"x", "ks"),
        (r"[^0-9a-z]+", ""),
        (r"([a-z])\1+", r"\1"),
    )
)


def in_latin(text: str) -> str:
    """Return a text with its Cyrillic letters in Latin ones, as they are written in the region.

    Examples
    --------
    >>> in_latin("Застава, Ђорђе Ѓорчев, Ижмаш")
    'Zastava, Đorđe Ǵorčev, Ižmaš'
    """
    for alphabet in _ALPHABETS:
        if not _CYRILLIC.search(text):
            break
        text = cyrtranslit.to_latin(text, alphabet)
    return text


@lru_cache(maxsize=1 << 16)
def name_key(text: str) -> str:
    """Return what spellings of a name have in common, in Latin letters and digits; empty when nothing is left.

    Examples
    --------
    >>> name_key("Застава"), name_key("Beretta"), name_key("Берета"), name_key("Smith & Wesson")
    ('zastava', 'bereta', 'bereta', 'smitveson')
    >>> name_key("Смит и Весон")
    'smitveson'
    """
    plain = in_latin(unicodedata.normalize("NFKC", text)).casefold().translate(_LETTERS)
    plain = "".join(letter for letter in unicodedata.normalize("NFD", plain) if not unicodedata.combining(letter))
    plain = _AND.sub(" ", plain)
    for pattern, letter in _SOUNDS:
        plain = pattern.sub(letter, plain)
    return plain


@lru_cache(maxsize=1 << 16)
def maker_key(text: str) -> str:
    """Return the key of the maker that a name means: that of its own name where the list of makers has it.

    Examples
    --------
    >>> maker_key("Crvena Zastava") == maker_key("Застава") == "zastava"
    True
    """
    key = name_key(text)
    return makers().get(key, key)


@lru_cache(maxsize=1 << 16)
def calibre_key(text: str) -> str:
    """Return the key of the calibre that a text means, whatever its script and spelling.

    Examples
    --------
    >>> calibre_key("9×19") == calibre_key("9 мм Luger") == calibre_key("9 Para"), calibre_key("9x18")
    (True, '9mmmakarov')
    """
    return re.sub(r"[^0-9a-z.]+", "", calibre_in_latin(text).casefold())


def calibre_in_latin(text: str) -> str:
    """Return the usual name of the calibre that a text in any script means; a calibre that is not known as it stands.

    Examples
    --------
    >>> calibre_in_latin("9×19 мм"), calibre_in_latin("7,65 мм")
    ('9 mm Luger', '7.65 mm Browning')
    """
    # The Cyrillic letter that looks like x stands for the sign of multiplication.
    latin = in_latin(re.sub(r"(?<=\d)\s*[хХ]\s*(?=\d)", "x", unicodedata.normalize("NFKC", text)))
    return calibre_named(latin)


@cache
def makers(path: Path = _MAKERS) -> Mapping[str, str]:
    """Return the key of each maker's own name by the key of each name of it.

    Parameters
    ----------
    path : Path
        Lines of names separated by ``|``, the first of which is the maker's own; ``#`` begins a comment.

    Raises
    ------
    ParameterError
        When a name means two makers.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        keys = [name_key(name) for name in line.split("|")]
        for key, name in zip(keys, line.split("|"), strict=True):
            other = found.setdefault(key, keys[0])
            if other != keys[0]:
                raise ParameterError(f"{path.name}, line {number}: {name!r} is already a name of {other!r}")
    return MappingProxyType(found)
