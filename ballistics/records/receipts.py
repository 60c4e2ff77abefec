"""Receipts: the head of a log written down elsewhere, so that a log that was cut or made anew is found out.

A chain of hashes shows what was changed inside it. Whoever holds the keys could make a new chain, and whoever holds the
disk could put an older copy back: only something kept elsewhere shows that. A receipt is that something: on paper, in
another office, or in this user's own folder, where each command leaves the newest head that it has seen.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ballistics.errors import BallisticsError, CorruptFileError, WriteError
from ballistics.files import load_json, locked, write_whole
from ballistics.records.entry import now
from ballistics.records.log import Head

SCHEMA, VERSION = "ballistics/receipt", 1
_MOST_BYTES = 1 << 16
_HASH = re.compile(r"[0-9a-f]{64}\Z")
_NAME = re.compile(r"[0-9a-f]{32}\Z")


@dataclass(frozen=True)
class Receipt:
    """What a log's head was at a time.

    Parameters
    ----------
    library : str
        Identifier of the library whose database holds the log.
    number : int
        How many entries there were.
    hash : str
        Of the last.
    time : str
        When the receipt was written, UTC.
    """

    library: str
    number: int
    hash: str
    time: str

    @property
    def words(self) -> str:
        """The receipt as a text to print and sign: the hash in groups that can be read aloud."""
        groups = [self.hash[start : start + 8] for start in range(0, 64, 8)]
        return (
            f"Receipt of a log\n\nlibrary  {self.library}\nentries  {self.number}\n"
            f"hash     {' '.join(groups[:4])}\n         {' '.join(groups[4:])}\nwritten  {self.time}\n\n"
            "Keep this outside the laboratory's computers: `ballistics case verify --receipt` needs it.\n"
        )


def receipt_of(library: str, head: Head) -> Receipt:
    """Return the receipt of a log as it is now."""
    return Receipt(library, head.number, head.hash, now())


def write_receipt(path: Path, receipt: Receipt) -> None:
    """Write a receipt: JSON, or the text to print where the file's name ends in ``.txt``.

    Raises
    ------
    WriteError
        When the file exists or cannot be written.
    """
    if path.exists():
        raise WriteError(f"{path} exists: a receipt is never written over, choose another name")
    if path.suffix.lower() == ".txt":
        write_whole(path, receipt.words.encode())
    else:
        write_whole(path, _json(receipt))


def read_receipt(path: Path) -> Receipt:
    """Read a receipt, as JSON or as the text that was printed.

    Raises
    ------
    ReadError
        When the file cannot be read.
    CorruptFileError
        When it is no receipt.
    """
    if path.suffix.lower() == ".txt":
        return _from_words(path)
    content = load_json(path, "the receipt of a log", most_bytes=_MOST_BYTES)
    fields = {"library": str, "number": int, "hash": str, "time": str}
    if (
        not isinstance(content, dict)
        or content.get("schema") != SCHEMA
        or any(type(content.get(name)) is not kind for name, kind in fields.items())
        or not _HASH.match(content["hash"])
        or content["number"] < 0
    ):
        raise CorruptFileError(f"{path} is not the receipt of a log; `ballistics case receipt` writes one")
    return Receipt(*(content[name] for name in fields))


def seen_folder() -> Path:
    """Return where this user's newest heads lie, one file for each library."""
    if os.name == "nt":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        base = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return base / "ballistics" / "heads"


def remember_head(library: str, head: Head) -> None:
    """Keep a head as the newest that this user has seen; where that cannot be written, nothing is kept."""
    if not _NAME.match(library):
        return
    path = seen_folder() / f"{library}.json"
    with contextlib.suppress(OSError, BallisticsError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with locked(path.with_suffix(".lock")):
            seen = _seen(path)
            if seen is None or seen.number < head.number:
                write_whole(path, _json(receipt_of(library, head)))


def seen_head(library: str) -> Receipt | None:
    """Return the newest head of a library's log that this user has seen; None when none was kept."""
    return _seen(seen_folder() / f"{library}.json") if _NAME.match(library) else None


def _seen(path: Path) -> Receipt | None:
    try:
        return read_receipt(path)
    except BallisticsError:
        return None


def _json(receipt: Receipt) -> bytes:
    return (json.dumps({"schema": SCHEMA, "version": VERSION, **asdict(receipt)}, indent=1) + "\n").encode()


def _from_words(path: Path) -> Receipt:
    try:
        with open(path, "rb") as file:
            lines: Sequence[str] = file.read(_MOST_BYTES).decode("utf-8", "replace").splitlines()
    except OSError as error:
        raise CorruptFileError(f"{path} cannot be read: {error}") from error
    text = "\n".join(lines)
    found = re.search(
        r"^library\s+([0-9a-f]{32})$\s+^entries\s+(\d{1,18})$\s+^hash\s+([0-9a-f\s]{64,100}?)$\s+^written\s+(\S+)$",
        text,
        re.MULTILINE,
    )
    digits = "" if found is None else "".join(found.group(3).split())
    if found is None or not _HASH.match(digits):
        raise CorruptFileError(f"{path} is not the receipt of a log; `ballistics case receipt` writes one")
    return Receipt(found.group(1), int(found.group(2)), digits, found.group(4))
