"""What leaves a laboratory: a package is written only after its entry in the log is on the disk."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ballistics.errors import ParameterError
from ballistics.exchange.desk import EXPORT, Desk
from ballistics.exchange.envelope import PACKAGE, new_envelope
from ballistics.exchange.marks import MarkSelection, mark_parts
from ballistics.exchange.package import Manifest, Part, Terms, write_package
from ballistics.exchange.partners import partner_named
from ballistics.exchange.printed import PrintedSelection, printed_parts
from ballistics.exchange.rows import Extract, write_rows
from ballistics.exchange.withdrawals import withdrawn_from


@dataclass(frozen=True)
class Outgoing:
    """What goes into a package.

    Parameters
    ----------
    marks : MarkSelection, optional
    printed : PrintedSelection, optional
    extracts : sequence of Extract
        Rows of registers.
    """

    marks: MarkSelection | None = None
    printed: PrintedSelection | None = None
    extracts: Sequence[Extract] = ()


@dataclass(frozen=True)
class Exported:
    """A package that was written.

    Parameters
    ----------
    path : Path
        Its file.
    manifest : Manifest
    sha256 : str
        Of the file.
    entry : int
        Number of the log's entry.
    """

    path: Path
    manifest: Manifest
    sha256: str
    entry: int


def export_package(
    desk: Desk,
    path: Path,
    recipient: str,
    terms: Terms,
    outgoing: Outgoing,
    encrypted: bool = True,
    answers: str = "",
) -> Exported:
    """Write a package for a partner.

    Parameters
    ----------
    desk : Desk
        Of the laboratory that sends it.
    path : Path
        A file that does not exist.
    recipient : str
        The partner, see `ballistics.exchange.partners.partner_named`.
    terms : Terms
        What for, on which legal basis, how it is to be handled, and until when.
    outgoing : Outgoing
        What goes into it.
    encrypted : bool
        Encrypt it for the partner, who must have stated a key for that.
    answers : str
        Serial number of the request that it answers.

    Raises
    ------
    ParameterError
        When the partner is not known, something that is to be sent is not there, or a term is not stated.
    RefusedError
        When the operator's key may not record in the log: then nothing was written.
    WriteError
        When the file exists or cannot be written; the log then says that it was to be sent.
    """
    terms = terms.checked()
    partner = partner_named(desk, recipient)
    if encrypted and not partner.opening:
        raise ParameterError(
            f"{partner.laboratory} has stated no key to encrypt for it: ask for a card with one, or send the package "
            "unencrypted (--plain) on a protected way"
        )
    if path.exists():
        raise ParameterError(f"{path} exists: choose another name")
    envelope = new_envelope(PACKAGE, desk.identifier, desk.laboratory(), desk.key, partner.library, terms.expires)
    with desk.log.view() as view:
        withdrawn = withdrawn_from(view, partner.library)
    entries: list[int] = []
    with tempfile.TemporaryDirectory() as folder:
        parts, contents = _parts(desk, outgoing, Path(folder))

        def record(manifest: Manifest, sha256: str) -> None:
            body = {
                "recipient": partner.library,
                "laboratory": partner.laboratory,
                **asdict(terms),
                "expires": envelope.expires,
                "manifest": manifest.sha256,
                "file": sha256,
                "encrypted": encrypted,
                "answers": answers,
                "contents": contents,
                "marks": [] if outgoing.marks is None else list(outgoing.marks.marks),
                "fields": [] if outgoing.marks is None else list(outgoing.marks.fields),
            }
            entries.append(desk.log.append(desk.key, EXPORT, envelope.serial, body).number)

        opening = bytes.fromhex(partner.opening) if encrypted else None
        manifest, sha256 = write_package(
            path, desk.key, envelope, terms, parts, contents, record, answers, withdrawn, opening
        )
    return Exported(path, manifest, sha256, entries[0])


def _parts(desk: Desk, outgoing: Outgoing, folder: Path) -> tuple[list[Part], dict[str, int]]:
    parts: list[Part] = []
    contents: dict[str, int] = {}
    if outgoing.marks is not None:
        parts, contents = mark_parts(desk.library, outgoing.marks, folder)
    if outgoing.printed is not None:
        more, contents["printed"] = printed_parts(outgoing.printed, folder)
        parts += more
    for extract in outgoing.extracts:
        path = folder / f"extract-{extract.name}.jsonl"
        contents[extract_key(extract.name)] = write_rows(path, extract.rows(), extract.name)
        parts.append(Part(f"extracts/{extract.name}.jsonl", path))
    if not any(contents.values()):
        raise ParameterError("there is nothing to export: choose marks, printed signatures, or rows of a register")
    return parts, contents


def extract_key(name: str) -> str:
    """Return under which name a manifest says how many rows an extract has."""
    return f"rows of {name}"
