"""Which axis pushes the filament of a print job: E, or A as Mach3 and Machinekit call it."""

from __future__ import annotations

import re
from collections.abc import Iterable

_MOVE = rb"^\s*(?:N\d+\s*)?G0?1(?=[^;\r\n]*"
_MOVE_BY_A = re.compile(_MOVE + rb"[XY]-?[.\d])[^;\r\n]*?A-?[.\d]", re.IGNORECASE | re.MULTILINE)
_MOVE_BY_E = re.compile(_MOVE + rb"E-?[.\d])", re.IGNORECASE | re.MULTILINE)
_HEATER = re.compile(rb"^\s*(?:N\d+\s*)?M10[49]\b[^;\r\n]*S\s*[1-9]", re.IGNORECASE | re.MULTILINE)
_SPINDLE = re.compile(rb"^\s*(?:N\d+\s*)?(?:S\d+\s*)?M0?[34]\b", re.IGNORECASE | re.MULTILINE)
_WORD = re.compile(rb"(?<=[\s\d])[Aa](?=\s*-?[.\d])")


def is_pushed_by_a(text: bytes) -> bool:
    """Return whether the axis A pushes the filament of a job, by its beginning.

    Mills turn their tables by A; they have a spindle and no heater.

    Parameters
    ----------
    text : bytes
        The first lines of the job, with some of its moves.

    Examples
    --------
    >>> is_pushed_by_a(b"M109 S210\\nG1 X3 Y4 A0.2\\n"), is_pushed_by_a(b"M3 S9000\\nG1 X3 Y4 A90\\n")
    (True, False)
    """
    if not _HEATER.search(text) or _SPINDLE.search(text) or _MOVE_BY_E.search(text):
        return False
    return _MOVE_BY_A.search(text) is not None


def with_e_for_a(text: bytes) -> bytes:
    """Return a piece of the job with the usual letter for the axis.

    Examples
    --------
    >>> with_e_for_a(b"G92 A0\\nG1 X3 Y4A0.2")
    b'G92 E0\\nG1 X3 Y4E0.2'
    """
    return _WORD.sub(b"E", text)


def tool_line(said: Iterable[tuple[int, bytes]]) -> int:
    """Return the number of the first line that switches a spindle or a beam on; 0 for none.

    Parameters
    ----------
    said : iterable of (int, bytes)
        Number and text of lines that are no moves.

    Examples
    --------
    >>> tool_line([(1, b"G21"), (2, b"S9000 M3")]), tool_line([(1, b"M300 S440")])
    (2, 0)
    """
    return next((number for number, line in said if _SPINDLE.match(line)), 0)
