"""Parses XML from outside piece by piece: no entities, no document type, bounded depth and text."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from ballistics.errors import CorruptFileError, HostileFileError, ReadError
from ballistics.findings import Finding

_MAX_DEPTH = 32
_MOST_NAMES = 10_000
_TEXT_LIMIT = 1 << 20
# Meshes as text are packed to a fifth or a twentieth; much more means that nothing is said at length.
MOST_PACKED = 100
# What elements may take, names, attributes and blanks together; comments and padding beyond it are an attack on time.
_BYTES_PER_ELEMENT = 2_000
_FIRST_BYTES = 4 << 20
# Of expat: no element found, unclosed token, partial character, unclosed CDATA section.
_ENDS_TOO_SOON = (3, 5, 6, 20)


class XmlTarget:
    """Receives the elements of a document; a format overrides `opened` and `closed`.

    Names come without their namespace, those of attributes too. ``path`` holds the names of the open elements.
    """

    def __init__(self) -> None:
        self.path: list[str] = []
        self.elements = 0
        self._names: dict[str, str] = {}
        self._text: list[str] = []
        self._text_length = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Take the start of an element from the parser."""
        name = self._names.get(tag) or self._names.setdefault(tag, tag.rpartition("}")[2])
        self.elements += 1
        if len(self._names) > _MOST_NAMES:
            raise HostileFileError(f"the document has more than {_MOST_NAMES} kinds of elements")
        if len(self.path) >= _MAX_DEPTH:
            raise HostileFileError(f"the document is more than {_MAX_DEPTH} elements deep; no mesh is")
        self.path.append(name)
        if self._text:
            self._text.clear()
            self._text_length = 0
        if any("}" in key for key in attributes):
            attributes = {key.rpartition("}")[2]: value for key, value in attributes.items()}
        self.opened(name, attributes)

    def data(self, text: str) -> None:
        """Take text from the parser."""
        self._text_length += len(text)
        if self._text_length > _TEXT_LIMIT:
            raise HostileFileError(f"the element {self.path[-1]!r} holds more than {_TEXT_LIMIT} characters")
        self._text.append(text)

    def end(self, tag: str) -> None:
        """Take the end of an element from the parser."""
        text = ""
        if self._text:
            text = "".join(self._text).strip()
            self._text.clear()
            self._text_length = 0
        self.closed(self.path.pop(), text)

    def close(self) -> None:
        """Take the end of the document from the parser."""

    def cut_off(self) -> None:
        """Keep what is complete of a document that ended too soon; ``path`` holds what is still open."""

    def opened(self, name: str, attributes: dict[str, str]) -> None:
        """Act on an element that begins."""

    def closed(self, name: str, text: str) -> None:
        """Act on an element that ends, with the text after its last child."""


def parse(pieces: Iterable[bytes], target: XmlTarget, what: str, findings: list[Finding] | None = None) -> None:
    """Feed a document to a target.

    Parameters
    ----------
    pieces : iterable of bytes
        The document in order.
    target : XmlTarget
        Takes the elements; may raise a `ReadError`.
    what : str
        Name of the document for messages.
    findings : list of Finding, optional
        Is added to when the document ends too soon, ``ends-in-the-middle``, and what is complete is kept. Without it,
        such a document is not well-formed.

    Raises
    ------
    HostileFileError
        Entities, a document type, more depth, text or bytes than a mesh needs.
    CorruptFileError
        Not well-formed.
    """
    parser: Any = DefusedXMLParser(target=target, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    size = 0
    try:
        for piece in pieces:
            size += len(piece)
            if size > _FIRST_BYTES + _BYTES_PER_ELEMENT * target.elements:
                raise HostileFileError(
                    f"{what} has {size} bytes around {target.elements} elements: padding, not a mesh"
                )
            parser.feed(piece)
        try:
            parser.close()
        except ParseError as error:
            if findings is None or error.code not in _ENDS_TOO_SOON or not target.path:
                raise
            message = f"{what} ends inside <{target.path[-1]}>: it is truncated"
            findings.append(
                Finding("ends-in-the-middle", "serious", message, "read as far as it goes; ask for the whole file")
            )
            target.cut_off()
    except ReadError:
        raise
    except DefusedXmlException as error:
        raise HostileFileError(
            f"{what} declares a document type or entities ({type(error).__name__}): no mesh does"
        ) from error
    except (ParseError, ValueError, LookupError) as error:
        raise CorruptFileError(f"{what} is not well-formed XML: {error}") from error


def number(text: str | None, what: str) -> float:
    """Return a number that may be infinite or missing, or say that it is none."""
    try:
        return float(text if text is not None else "")
    except ValueError:
        comma = ", but one with a decimal comma: export the file with decimal points" if "," in str(text) else ""
        raise CorruptFileError(f"{what} is {str(text)[:40]!r}, not a number{comma}") from None


def finite(text: str | None, what: str) -> float:
    """Return a finite number, or say that it is none."""
    value = number(text, what)
    if not math.isfinite(value):
        raise CorruptFileError(f"{what} is {value}")
    return value


def index(text: str | None, what: str) -> int:
    """Return a whole number from 0, or say that it is none."""
    if text is None or not text.isascii() or not text.strip().isdigit() or len(text) > 12:
        raise CorruptFileError(f"{what} is {str(text)[:40]!r}, not a number from 0")
    return int(text)
