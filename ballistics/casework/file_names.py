"""Names of files from outside: shown as they are, and written to a disk only in a form that cannot leave a folder."""

from __future__ import annotations

import re

_OTHERS = re.compile(r"[^\w.() -]")
_MOST_CHARACTERS = 120


def safe_name(name: str) -> str:
    """Return a name by which a file can be written into a folder, with the ending that readers go by.

    Examples
    --------
    >>> safe_name("../../etc/K-17 (2).x3p"), safe_name("NUL\\x00.x3p"), safe_name("..")
    ('K-17 (2).x3p', 'NUL_.x3p', '_')
    """
    last = name.replace("\\", "/").rsplit("/", 1)[-1].strip()
    kept = _OTHERS.sub("_", last)[-_MOST_CHARACTERS:].lstrip(". ")
    return kept or "_"
