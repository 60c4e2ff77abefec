"""Names of calibres: which of them mean the same, from a data file that a laboratory can extend."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from ballistics.errors import ParameterError

_FILE = Path(__file__).with_name("calibres.csv")


def calibre_named(text: str) -> str:
    """Return the name of a calibre that a text means; the text itself where the list has no such calibre.

    Parameters
    ----------
    text : str
        As a laboratory or a manufacturer writes it.

    Examples
    --------
    >>> calibre_named("9mm Luger"), calibre_named("9×19"), calibre_named(".380 ACP"), calibre_named("9 mm Gasser")
    ('9 mm Luger', '9 mm Luger', '9 mm Browning Court', '9 mm Gasser')
    """
    return names_of_calibres().get(_key(text), " ".join(text.split()))


@cache
def names_of_calibres(path: Path = _FILE) -> Mapping[str, str]:
    """Return the calibre that each known name means, by what is left of the name when spelling is taken away.

    Parameters
    ----------
    path : Path
        Lines of names separated by ``|``, the first of which is the calibre's own; ``#`` begins a comment.

    Raises
    ------
    ParameterError
        When a name means two calibres.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        names = [name.strip() for name in line.split("|")]
        for name in names:
            other = found.setdefault(_key(name), names[0])
            if other != names[0]:
                raise ParameterError(f"{path.name}, line {number}: {name!r} is already a name of {other!r}")
    return MappingProxyType(found)


def _key(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).casefold().replace("×", "x").replace(",", ".")
    plain = re.sub(r"(?<![a-z])mm(?![a-z])", "", plain)
    return re.sub(r"[\s.\-_/&]+", "", plain)
