"""A report of a case as PDF/A-2a: fonts inside, for archives, with no date but that of the log's entry (extra pdf)."""

from __future__ import annotations

import json
import re
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from ballistics.errors import WriteError
from ballistics.reports.contents.case_blocks import (
    Block,
    CaseDocument,
    Heading,
    NewPage,
    Paragraph,
    PictureRow,
    Points,
    Table,
)
from ballistics.reports.pages.breaking import breakable

_TEMPLATE = Path(__file__).parents[1] / "templates" / "case.typ"
_STANDARD: Final = "a-2a"
# Three languages of typst's have other codes, or none of their own.
_LANGUAGES = {"cnr": "sr"}


def case_pdf(document: CaseDocument) -> bytes:
    """Return a document of a case as PDF/A-2a; the same document gives the same bytes.

    Raises
    ------
    WriteError
        When typst is not installed, or refuses the document.
    """
    try:
        import typst
    except ImportError as error:
        raise WriteError("a PDF needs the extra 'pdf': pip install 'ballistics[pdf]'") from error
    time = datetime.strptime(document.time, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    pictures: dict[str, bytes] = {}
    data = {
        "title": document.title,
        "author": document.author,
        "language": _LANGUAGES.get(document.language, document.language),
        "time": [time.year, time.month, time.day, time.hour, time.minute, time.second],
        "watermarks": document.watermarks,
        "head": document.head,
        "foot": document.foot,
        "page": document.page,
        "blocks": breakable([_plain(block, pictures) for block in document.blocks]),
    }
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "case.typ").write_bytes(_TEMPLATE.read_bytes())
        for name, png in pictures.items():
            (root / name).write_bytes(png)
        unshown: set[str] = set()
        while True:
            # Texts go in as data, so that nothing that a record says can be taken for markup.
            text = json.dumps(_printable(data, unshown), ensure_ascii=False)
            (root / "data.json").write_text(text, encoding="utf-8")
            try:
                found: bytes = typst.compile(
                    str(root / "case.typ"),
                    root=folder,
                    ignore_system_fonts=True,
                    timestamp=int(time.timestamp()),
                    pdf_standards=_STANDARD,
                )
            except typst.TypstError as error:
                # An archive's PDF holds no character without a shape: such are named by their number instead.
                more = _without_shape(str(error)) - unshown
                if not more:
                    raise WriteError(f"typst could not set the report: {error}") from error
                unshown |= more
            else:
                return found


def _without_shape(error: str) -> set[str]:
    """Return the kinds of characters that typst says the fonts, or the archive's rules, do not have."""
    named = re.search(r'(?:text|codepoint) `"(.+?)"`', error)
    if named is None:
        return set()
    text = re.sub(r"\\u\{([0-9a-f]+)\}", lambda found: chr(int(found[1], 16)), named[1])
    return {_kind_of(letter) for letter in text if ord(letter) > 126}


def _kind_of(letter: str) -> str:
    """Return a letter, or the script that stands or falls with it: each kind costs one more setting of the pages."""
    code = ord(letter)
    if code >= 0x10000:
        return "beyond the first plane"
    if 0x2E80 <= code < 0xD800:
        return "East Asian"
    return "private" if 0xE000 <= code < 0xF900 else letter


def _plain(block: Block, pictures: dict[str, bytes]) -> dict[str, Any]:
    """Return a block in plain values; its pictures are added under the names that it gives."""
    if isinstance(block, Heading):
        return {"kind": "heading", "text": block.text, "level": block.level}
    if isinstance(block, Paragraph):
        return {"kind": "paragraph", "text": block.text, "look": block.look}
    if isinstance(block, Points):
        return {"kind": "points", "texts": block.texts, "look": block.look}
    if isinstance(block, Table):
        return {"kind": "table", "headings": block.headings, "rows": block.rows, "widths": block.widths}
    if isinstance(block, PictureRow):
        shown = []
        for picture in block.pictures:
            name = f"picture-{len(pictures)}.png"
            pictures[name] = picture.png
            shown.append({"file": name, "caption": picture.caption})
        return {"kind": "pictures", "pictures": shown}
    assert isinstance(block, NewPage)
    return {"kind": "page"}


_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def _printable(value: Any, unshown: set[str]) -> Any:
    """Return the data without characters that no font has a shape for."""
    if isinstance(value, dict):
        return {name: _printable(inner, unshown) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_printable(inner, unshown) for inner in value]
    if not isinstance(value, str):
        return value
    text = _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", value)
    if not unshown:
        return text
    return "".join(f"[U+{ord(letter):04X}]" if _kind_of(letter) in unshown else letter for letter in text)
