"""Signatures of printed parts in a package: what a printed collection recognises parts by, never a mesh."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ballistics.errors import CorruptFileError, ParameterError, UnsupportedFormatError
from ballistics.exchange.package import Manifest, Part
from ballistics.exchange.rows import Row, read_rows, write_rows
from ballistics.printed import RECORD_BYTES, SIGNATURE_VERSION, Collection, signature_of_record, signature_record

ROWS, STACK = "printed/rows.jsonl", "printed/signatures.stack"
_TEXT = 500


@dataclass(frozen=True)
class PrintedSelection:
    """Which references of a printed collection go into a package: their signature, name and category, nothing else.

    Parameters
    ----------
    collection : Collection
    names : sequence of str
        Of the references; all when empty.
    """

    collection: Collection
    names: Sequence[str] = ()


def printed_parts(selection: PrintedSelection, folder: Path) -> tuple[list[Part], int]:
    """Return the members that signatures need in a package, and how many they are.

    Parameters
    ----------
    selection : PrintedSelection
    folder : Path
        A temporary folder for members.

    Raises
    ------
    ParameterError
        When the collection has no such reference.
    """
    references = selection.collection.references
    row_of = {reference.name: row for row, reference in enumerate(references)}
    names = list(dict.fromkeys(selection.names)) or list(row_of)
    unknown = [name for name in names if name not in row_of]
    if unknown:
        raise ParameterError(f"the collection has no reference named '{unknown[0]}'")
    rows, stack = folder / "printed.jsonl", folder / "signatures.stack"
    with open(stack, "wb") as file:
        for name in names:
            file.write(signature_record(selection.collection.signature(row_of[name])))
    listed: Iterator[Row] = (
        {"number": k, "name": name, "category": references[row_of[name]].category, "version": SIGNATURE_VERSION}
        for k, name in enumerate(names, 1)
    )
    count = write_rows(rows, listed, "the printed parts")
    return [Part(ROWS, rows), Part(STACK, stack)], count


def check_printed(folder: Path, manifest: Manifest, where: str) -> None:
    """Raise when the signatures of an extracted package are not what its manifest says.

    Parameters
    ----------
    folder : Path
        Of the extracted package.
    manifest : Manifest
    where : str
        Its name, for messages.
    """
    names = {member.name for member in manifest.members if member.name.startswith("printed/")}
    stated = manifest.contents.get("printed", 0)
    if not names and not stated:
        return
    if names != {ROWS, STACK}:
        raise CorruptFileError(f"{where}: signatures of printed parts need {ROWS} and {STACK}, and nothing else")
    count = 0
    seen: set[str] = set()
    with open(folder / STACK, "rb") as file:
        for count, row in enumerate(read_rows(folder / ROWS, f"{where}, {ROWS}"), 1):
            name, category, version = row.get("name"), row.get("category"), row.get("version")
            if version != SIGNATURE_VERSION:
                raise UnsupportedFormatError(
                    f"{where}: its signatures are of version '{str(version)[:20]}', this program has "
                    f"{SIGNATURE_VERSION}: both laboratories need the same"
                )
            if not isinstance(name, str) or not isinstance(category, str) or len(name) + len(category) > _TEXT:
                raise CorruptFileError(f"{where}: printed part {count} has no name, or no category")
            if row.get("number") != count or set(row) != {"number", "name", "category", "version"} or name in seen:
                raise CorruptFileError(f"{where}: printed part {count} is not the row that it should be")
            seen.add(name)
            try:
                signature_of_record(file.read(RECORD_BYTES))
            except CorruptFileError as error:
                raise CorruptFileError(f"{where}, printed part {count}: {error}") from error
        if file.read(1) or count != stated:
            raise CorruptFileError(f"{where}: it holds other signatures than its manifest says")


def printed_collection(folder: Path, laboratory: str) -> Collection:
    """Return the signatures of an extracted package as a collection that parts can be identified in.

    Parameters
    ----------
    folder : Path
        Of the extracted package.
    laboratory : str
        The partner; the references are called ``laboratory: name``.
    """
    made = Collection()
    with open(folder / STACK, "rb") as file:
        for row in read_rows(folder / ROWS, laboratory):
            signature = signature_of_record(file.read(RECORD_BYTES))
            made.enrol(signature, f"{laboratory}: {row['name']}", category=str(row["category"]))
    return made
