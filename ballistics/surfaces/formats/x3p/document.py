"""main.xml of an X3P file as a small tree and a list of datums, parsed without trusting a byte of it."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from ballistics.errors import CorruptFileError, HostileFileError, ReadError

# The ISO samples need 60 elements, 5 deep; annotated masks add a few dozen.
_MAX_ELEMENTS = 20_000
_MAX_DEPTH = 32
_MAX_DOCUMENT_BYTES = 4 << 20
# Three float64 numbers in full precision with separators, tags and indentation.
_BYTES_PER_DATUM = 256


@dataclass
class Element:
    """One XML element: its name without namespace, attributes, text and children."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    text: str = ""
    children: list[Element] = field(default_factory=list)
    namespace: str = ""

    def find(self, path: str) -> Element | None:
        """Return the first descendant at a path such as ``"Record1/Axes"``, or None."""
        here: Element | None = self
        for name in path.split("/"):
            here = next((c for c in here.children if c.name == name), None) if here else None
        return here

    def get(self, path: str) -> str | None:
        """Return the stripped text at a path, or None when it is absent or empty."""
        found = self.find(path)
        return (found.text.strip() or None) if found else None


@dataclass
class Document:
    """The parsed main.xml."""

    root: Element
    md5: str
    datums: array[float]
    """All numbers of the DataList in order; an empty ``Datum`` counts as one NaN per axis."""
    datum_count: int


def declared_points(record3: Element | None) -> int | None:
    """Return the number of points that Record3 declares, or None when it does not (yet)."""
    if record3 is None:
        return None
    matrix = record3.find("MatrixDimension")
    if matrix is not None:
        count = 1
        for name in ("SizeX", "SizeY", "SizeZ"):
            count *= whole_number(matrix.get(name), f"MatrixDimension/{name}")
        return count
    if record3.get("ListDimension"):
        return whole_number(record3.get("ListDimension"), "ListDimension")
    return None


def whole_number(text: str | None, where: str) -> int:
    """Return a positive whole number of at most 12 digits, or say where it is missing."""
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 12 or int(text) < 1:
        raise CorruptFileError(f"{where} is {text!r}; a positive whole number is needed")
    return int(text)


class _Builder:
    """Target of the XML parser: builds the tree, streams datums into an array, counts everything."""

    def __init__(self, max_points: int) -> None:
        self.top: Element | None = None
        self.datums: array[float] = array("d")
        self.datum_count = 0
        self.expected: int | None = None
        self._stack: list[Element] = []
        self._in_list = False
        self._text: list[str] = []
        self._elements = 0
        self._numbers = 1
        self._max_points = max_points

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        namespace, _, name = tag.rpartition("}")
        self._text = []
        if self._in_list:
            if name != "Datum" or self._stack[-1].name != "DataList":
                raise CorruptFileError(f"DataList holds an element {name!r}; only Datum is allowed")
            self._stack.append(Element(name))
            return
        self._elements += 1
        if self._elements > _MAX_ELEMENTS or len(self._stack) >= _MAX_DEPTH:
            raise HostileFileError(
                f"main.xml has more than {_MAX_ELEMENTS} elements or {_MAX_DEPTH} levels; no measurement has"
            )
        element = Element(name, dict(attributes), namespace=namespace.removeprefix("{"))
        if self._stack:
            self._stack[-1].children.append(element)
        elif self.top is None:
            self.top = element
        self._stack.append(element)
        if name == "DataList":
            self._begin_list()

    def _begin_list(self) -> None:
        self.expected = declared_points(self.top.find("Record3") if self.top else None)
        if self.expected is None:
            raise CorruptFileError("main.xml lists data before it declares their dimensions")
        if self.expected > self._max_points:
            raise HostileFileError(
                f"main.xml declares {self.expected} points, more than the limit allows; "
                "if the scan is that large, raise height_limit_bytes"
            )
        axes = self.top.find("Record1/Axes") if self.top else None
        if axes is None:
            raise CorruptFileError("main.xml lists data before it describes the axes (Record1/Axes)")
        self._numbers = 1 + sum(axes.get(f"{axis}/AxisType") == "A" for axis in ("CX", "CY"))
        self._in_list = True

    def data(self, text: str) -> None:
        self._text.append(text)

    def end(self, tag: str) -> None:
        element = self._stack.pop()
        if not self._in_list:
            element.text = "".join(self._text)
            self._text = []
        elif element.name == "DataList":
            self._in_list = False
        else:
            self._datum("".join(self._text))
            self._text = []

    def _datum(self, text: str) -> None:
        self.datum_count += 1
        if self.expected is not None and self.datum_count > self.expected:
            raise CorruptFileError(f"DataList holds more than the {self.expected} declared points")
        parts = [part.strip() for part in text.split(";")]
        if parts == [""]:
            parts = ["nan"] * self._numbers
        if len(parts) != self._numbers:
            raise CorruptFileError(f"Datum {self.datum_count} is {text[:60]!r}; {self._numbers} numbers are needed")
        try:
            self.datums.extend(float(part) for part in parts)
        except ValueError:
            raise CorruptFileError(f"Datum {self.datum_count} is {text[:60]!r}, not a number") from None

    def close(self) -> Element | None:
        return self.top


def parse_document(pieces: Iterable[bytes], *, max_points: int) -> Document:
    """Parse main.xml piece by piece.

    Parameters
    ----------
    pieces : iterable of bytes
        The file's bytes in order.
    max_points : int
        Largest number of points that may be declared.

    Raises
    ------
    HostileFileError
        Entities, a document type, more elements, levels or bytes than the declared points need.
    CorruptFileError
        Not well-formed XML, or data that contradict the declared dimensions.
    """
    builder = _Builder(max_points)
    parser = DefusedXMLParser(target=builder, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    digest = hashlib.md5(usedforsecurity=False)
    size = 0
    try:
        for piece in pieces:
            size += len(piece)
            allowed = _MAX_DOCUMENT_BYTES + _BYTES_PER_DATUM * (builder.expected or 0)
            if size > allowed:
                raise HostileFileError(f"main.xml is larger than {allowed} bytes, more than the declared points need")
            digest.update(piece)
            parser.feed(piece)
        parser.close()
    except ReadError:
        raise
    except DefusedXmlException as error:
        raise HostileFileError(
            f"main.xml declares a document type or entities ({type(error).__name__}): not a measurement"
        ) from error
    except (ParseError, ValueError, LookupError) as error:
        raise CorruptFileError(f"main.xml is not well-formed XML: {error}") from error
    if builder.top is None:
        raise CorruptFileError("main.xml is empty")
    return Document(builder.top, digest.hexdigest(), builder.datums, builder.datum_count)
