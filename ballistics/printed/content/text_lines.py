"""The lines of a text whatever ends them (LF, CR LF, CR), from pieces of a file, none longer than a limit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from ballistics.errors import HostileFileError

_PIECE_BYTES = 1 << 18


# "1.#QNAN" is a number of Windows, no comment.
_HASH = re.compile(rb"(?<!\d\.)#")


def without_comment(line: bytes) -> tuple[bytes, bytes]:
    """Return what stands before ``#``, and the comment behind it.

    Examples
    --------
    >>> without_comment(b"v 1 2 1.#QNAN # from C:")
    (b'v 1 2 1.#QNAN ', b' from C:')
    """
    if b"#" not in line:
        return line, b""
    parts = _HASH.split(line, maxsplit=1)
    return parts[0], parts[1] if len(parts) > 1 else b""


def pieces_of(file: BinaryIO) -> Iterator[bytes]:
    """Yield the bytes of a file from where it stands, piece by piece."""
    while piece := file.read(_PIECE_BYTES):
        yield piece


def lines_of(pieces: Iterable[bytes], limit_bytes: int) -> Iterator[bytes]:
    """Yield the lines of a text without their ends.

    Parameters
    ----------
    pieces : iterable of bytes
        The text in order; a UTF-8 byte-order mark at its start is left out.
    limit_bytes : int
        Longest line.

    Raises
    ------
    HostileFileError
        A line is longer.

    Examples
    --------
    >>> list(lines_of([b"a\\rb\\r", b"\\nc\\n\\nd"], 10))
    [b'a', b'b', b'', b'c', b'', b'd']
    """
    rest = b""
    first = True
    for piece in pieces:
        if first:
            piece = piece.removeprefix(b"\xef\xbb\xbf")
            first = False
        text = rest + piece
        lines = text.splitlines()
        if len(text) > limit_bytes and any(len(line) > limit_bytes for line in lines):
            raise HostileFileError(f"a line is longer than {limit_bytes} bytes")
        # The last line may go on in the next piece.
        rest = b"" if not lines or piece.endswith((b"\n", b"\r")) else lines.pop()
        yield from lines
    if rest:
        yield rest
