"""The lines of a text whatever ends them (LF, CR LF, CR), from pieces of a file, none longer than a limit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO

from ballistics.errors import HostileFileError

_PIECE_BYTES = 1 << 18


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
        lines = (rest + piece).splitlines()
        # The last line may go on in the next piece.
        rest = b"" if not lines or piece.endswith((b"\n", b"\r")) else lines.pop()
        if len(rest) > limit_bytes:
            raise HostileFileError(f"a line is longer than {limit_bytes} bytes")
        for line in lines:
            if len(line) > limit_bytes:
                raise HostileFileError(f"a line is longer than {limit_bytes} bytes")
            yield line
    if rest:
        yield rest
