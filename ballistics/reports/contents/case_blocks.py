"""The parts that a document of a case is made of, the same for a page of HTML and for a PDF."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Look = Literal["plain", "soft", "strong", "quote", "attention"]


@dataclass(frozen=True)
class Heading:
    """A heading; level 1 begins a part of the document."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Paragraph:
    """Sentences; a quote is what a person wrote, in their own words."""

    text: str
    look: Look = "plain"


@dataclass(frozen=True)
class Points:
    """A list of sentences."""

    texts: tuple[str, ...]
    look: Look = "plain"


@dataclass(frozen=True)
class Table:
    """A table.

    Parameters
    ----------
    headings : tuple of str
        Empty for a table of names and values.
    rows : tuple of tuple of str
        Each as long as the widths.
    widths : tuple of float
        Of the columns, relative.
    """

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[float, ...]


@dataclass(frozen=True)
class PictureBlock:
    """A picture with what stands under it."""

    png: bytes
    caption: str


@dataclass(frozen=True)
class PictureRow:
    """Pictures side by side."""

    pictures: tuple[PictureBlock, ...]


@dataclass(frozen=True)
class NewPage:
    """What follows begins on a new page."""


Block = Heading | Paragraph | Points | Table | PictureRow | NewPage


@dataclass(frozen=True)
class CaseDocument:
    """A document of a case.

    Parameters
    ----------
    title : str
        What it is.
    language : str
        Of its fixed texts.
    author : str
        Who wrote it.
    time : str
        Of the entry as of which it is, UTC: ``2026-11-30T21:04:05Z``.
    watermarks : tuple of str
        Across every page.
    head, foot : str
        Above and below every page.
    page : str
        How pages are counted, with ``{page}`` and ``{pages}``.
    blocks : tuple
        In the order in which they are read.
    """

    title: str
    language: str
    author: str
    time: str
    watermarks: tuple[str, ...]
    head: str
    foot: str
    page: str
    blocks: tuple[Block, ...]


def facts(rows: list[tuple[str, str]]) -> Table:
    """Return names and values as a table; what is not stated is left out."""
    return Table((), tuple((name, value) for name, value in rows if value), (1.0, 3.2))
