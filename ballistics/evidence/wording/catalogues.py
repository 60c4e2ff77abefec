"""Text catalogues in gettext's .po form, read directly: no compiled files in the tree, no build step.

Translators edit ``texts/<language>.po``. At load it is compiled in memory to gettext's own
binary form and handed to the standard library, so that lookups are Python's gettext and nothing
can be out of date. English needs no file: the keys are the English texts.
"""

from __future__ import annotations

import ast
import gettext
import io
import struct
from functools import cache
from pathlib import Path

from ballistics.errors import CorruptFileError, ParameterError

_FOLDER = Path(__file__).with_name("texts")


def languages() -> tuple[str, ...]:
    """Return the languages there are texts for.

    Examples
    --------
    >>> languages()
    ('bs', 'cnr', 'en', 'mk', 'ro', 'sq', 'sr')
    """
    return tuple(sorted({"en", *(path.stem for path in _FOLDER.glob("*.po"))}))


@cache
def translations(language: str, folder: Path = _FOLDER) -> gettext.NullTranslations:
    """Return the catalogue of a language: the evidence room's, or that of another folder of ``.po`` files.

    Raises
    ------
    ParameterError
        For a language without a catalogue.
    """
    if language == "en":
        return gettext.NullTranslations()
    if language not in languages():
        raise ParameterError(f"no texts in language '{language}'; there are: {', '.join(languages())}")
    messages = read_po(folder / f"{language}.po")
    return gettext.GNUTranslations(io.BytesIO(_compiled(messages)))


def confirmed(language: str, folder: Path = _FOLDER) -> bool:
    """Return whether the texts of a language have been confirmed by a laboratory."""
    return translations(language, folder).info().get("x-status", "confirmed") == "confirmed"


def read_po(path: Path) -> dict[str, str]:
    """Return the messages of a .po file (singular forms, no contexts), the header under "".

    Raises
    ------
    CorruptFileError
        For a line that is none of comment, msgid, msgstr and continuation, or a message twice.
    """
    messages: dict[str, str] = {}
    key: str | None = None
    target = ""
    parts = {"msgid": "", "msgstr": ""}

    def keep() -> None:
        if key is not None:
            if parts["msgid"] in messages:
                raise CorruptFileError(f"{path}: '{parts['msgid']}' is there twice")
            messages[parts["msgid"]] = parts["msgstr"]

    for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        word, _, rest = line.partition(" ")
        if word == "msgid":
            keep()
            key, target, parts = "", "msgid", {"msgid": "", "msgstr": ""}
        elif word == "msgstr":
            target = "msgstr"
        elif line.startswith('"') and target:
            rest = line
        else:
            raise CorruptFileError(f"{path}, line {number}: '{line[:40]}' is not msgid, msgstr or text")
        try:
            parts[target] += str(ast.literal_eval(rest))
        except (ValueError, SyntaxError):
            raise CorruptFileError(f"{path}, line {number}: text is not quoted") from None
    keep()
    return messages


def _compiled(messages: dict[str, str]) -> bytes:
    """Return the messages in gettext's binary form (GNU gettext manual, "MO Files"), sorted by key."""
    pairs = [(key.encode(), text.encode()) for key, text in sorted(messages.items()) if text]
    count = len(pairs)
    keys_at, texts_at = 28, 28 + 8 * count
    at = 28 + 16 * count
    tables: list[bytes] = []
    body = b""
    for column in (0, 1):
        for pair in pairs:
            tables.append(struct.pack("<II", len(pair[column]), at + len(body)))
            body += pair[column] + b"\0"
    header = struct.pack("<IIIIIII", 0x950412DE, 0, count, keys_at, texts_at, 0, 0)
    return header + b"".join(tables) + body
