"""A file packed by gzip, or written in UTF-16 or UTF-32, becomes the plain file behind it, within limits."""

from __future__ import annotations

import codecs
import re
import tempfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from ballistics.errors import CorruptFileError, HostileFileError
from ballistics.findings import Finding
from ballistics.printed.content.text_lines import pieces_of

_GZIP = b"\x1f\x8b"
_LIMIT_BYTES = 1 << 30
_IN_MEMORY_BYTES = 32 << 20
# Meshes and jobs as text are packed to a third or a twentieth; much more means that nothing is said at length.
_MOST_PACKED = 100
_BOMB_LEAST_BYTES = 16 << 20
# Longest first: the mark of UTF-16 begins that of UTF-32.
_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32", "utf-32-le"), (codecs.BOM_UTF32_BE, "UTF-32", "utf-32-be"),
    (codecs.BOM_UTF16_LE, "UTF-16", "utf-16-le"), (codecs.BOM_UTF16_BE, "UTF-16", "utf-16-be"),
)  # fmt: skip
_LOOKED_AT_BYTES = 1024
_DECLARED = re.compile(r"^(\s*<\?xml[^>]*?)\sencoding\s*=\s*[\"'][^\"']*[\"']")


def unpacked(file: BinaryIO, findings: list[Finding]) -> BinaryIO:
    """Return the plain file behind a packed or a recoded one, at its start; any other file as it is.

    Parameters
    ----------
    file : binary file
        Open at its start.
    findings : list of Finding
        Is added to: ``packed-by-gzip``, ``packed-cut-off``, ``text-encoding``.

    Raises
    ------
    CorruptFileError, HostileFileError
        See the messages.
    """
    head = file.read(_LOOKED_AT_BYTES)
    file.seek(0)
    if head.startswith(_GZIP):
        plain = _spooled(_inflated(file, findings))
        findings.append(Finding("packed-by-gzip", "note", "the file is packed by gzip", "unpacked and read"))
        if plain.read(len(_GZIP)) == _GZIP:
            plain.close()
            raise HostileFileError("the file is packed by gzip twice; unpack it and give the file inside")
        plain.seek(0)
        return plain
    name, encoding = _encoding(head)
    if not encoding:
        return file
    findings.append(Finding("text-encoding", "note", f"the text is in {name}", "read as such"))
    return _spooled(_recoded(file, encoding))


def _encoding(head: bytes) -> tuple[str, str]:
    """Return the name of the encoding of wide characters, and Python's; empty for a text of bytes."""
    for mark, name, encoding in _MARKS:
        # Text for the most part: a binary file may begin with these bytes too.
        if head.startswith(mark) and _is_plain(head[: len(head) // 4 * 4].decode(encoding, "replace")[1:]):
            return name, encoding
    even, odd = head[0::2], head[1::2]
    if len(head) >= 16 and not any(odd) and all(even):
        return "UTF-16", "utf-16-le"
    if len(head) >= 16 and not any(even) and all(odd):
        return "UTF-16", "utf-16-be"
    return "", ""


def _is_plain(text: str) -> bool:
    return bool(text) and sum(c.isprintable() or c.isspace() for c in text) > 0.95 * len(text)


def _recoded(file: BinaryIO, encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    for k, piece in enumerate(pieces_of(file)):
        text = decoder.decode(piece)
        if k == 0:
            # What an XML document says of its encoding is no longer true.
            text = _DECLARED.sub(r"\1", text.removeprefix("\ufeff"), count=1)
        yield text.encode("utf-8", "replace")


def _inflated(file: BinaryIO, findings: list[Finding]) -> Iterator[bytes]:
    """Unpack every member of a gzip file; one that is cut off is a finding."""
    unpacker = zlib.decompressobj(31)
    packed = made = 0
    try:
        for piece in pieces_of(file):
            packed += len(piece)
            while piece:
                data = unpacker.decompress(piece, _BOMB_LEAST_BYTES)
                made += len(data)
                if made > _BOMB_LEAST_BYTES and made > _MOST_PACKED * packed:
                    raise HostileFileError(f"gzip unpacks {packed} bytes to {made} and more: a bomb, not data")
                yield data
                piece = unpacker.unconsumed_tail
                if unpacker.eof:
                    piece = unpacker.unused_data.lstrip(b"\0")
                    if not piece.startswith(_GZIP[: len(piece)]):
                        piece = b""
                    if piece:
                        unpacker = zlib.decompressobj(31)
        if not unpacker.eof:
            message = "the gzip file ends in the middle: it is truncated"
            findings.append(Finding("packed-cut-off", "serious", message, "read as far as it goes"))
    except zlib.error as error:
        if not made:
            raise CorruptFileError(f"the gzip file cannot be unpacked: {error}") from error
        message = f"the gzip file is damaged after {made} bytes: {error}"
        findings.append(Finding("packed-cut-off", "serious", message, "read as far as it goes"))


def _spooled(pieces: Iterator[bytes]) -> BinaryIO:
    """Return pieces as a file: in memory while they are few, else without a name on the disk."""
    plain = tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES)  # noqa: SIM115 (the caller closes it)
    try:
        size = 0
        for piece in pieces:
            size += len(piece)
            if size > _LIMIT_BYTES:
                raise HostileFileError(
                    f"unpacked, the file has more than {_LIMIT_BYTES} bytes; larger ones are refused"
                )
            plain.write(piece)
        plain.seek(0)
    except BaseException:
        plain.close()
        raise
    return plain  # type: ignore[return-value]  # a BinaryIO but for its class
