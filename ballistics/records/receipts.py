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
from dataclasses import asdict, dataclass
from pathlib import Path

from ballistics.errors import BallisticsError, CorruptFileError, ReadError, WriteError
from ballistics.files import load_json, locked, reason, write_whole
from ballistics.records.entry import is_time, now
from ballistics.records.log import Log
from ballistics.records.views import Head

SCHEMA, VERSION = "ballistics/receipt", 1
_MOST_BYTES = 1 << 16
_PATIENCE_S = 5.0
_HASH = re.compile(r"[0-9a-f]{64}\Z")
_NAME = re.compile(r"[0-9a-f]{32}\Z")
_WORDS = re.compile(
    r"\blibrary ([0-9a-f]{32}) entries ([0-9]{1,15}) hash ([0-9a-f ]{64,128}) written ([0-9-]{10}T[0-9:]{8}Z)",
    re.IGNORECASE,
)


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
    data = receipt.words.encode() if path.suffix.lower() == ".txt" else _json(receipt)
    write_whole(path, data, overwrite=False)


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
        or not _NAME.match(content["library"])
        or not _HASH.match(content["hash"])
        or not is_time(content["time"])
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


def remember_head(library: str, log: Log) -> str | None:
    """Keep a log's head as the newest that this user has seen, and see whether the log still holds the one before.

    Where it does not, that one stays, so that `verify_log` finds it too; where nothing can be written, nothing is kept.

    Returns
    -------
    str or None
        What the operator must be told: since then the log was cut, put back, or made anew. None when it was not.
    """
    if not _NAME.match(library):
        return None
    path, told = seen_folder() / f"{library}.json", None
    with contextlib.suppress(OSError, WriteError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with locked(path.with_suffix(".lock"), patience_s=_PATIENCE_S):
            # First what was seen, then the log: another process may have written meanwhile.
            seen = _seen(path)
            with log.view() as view:
                head = view.head()
                is_there = seen is None or seen.number == 0 or view.hash_of(seen.number) == seen.hash
            if seen is not None and not is_there:
                told = (
                    f"the log does not hold the entry {seen.number} that you have seen in it at {seen.time}: it was "
                    "cut, an older copy was put back, or it was made anew. `ballistics case verify` shows more"
                )
            elif seen is None or seen.number < head.number:
                write_whole(path, _json(receipt_of(library, head)))
    return told


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
            # As it may be typed from paper: other blanks, capitals.
            text = " ".join(file.read(_MOST_BYTES).decode("utf-8", "replace").split())
    except OSError as error:
        raise ReadError(f"{path} cannot be read: {reason(error)}") from error
    found = _WORDS.search(text)
    library, number, digits, time = found.groups() if found else ("", "0", "", "")
    receipt = Receipt(library.lower(), int(number), digits.replace(" ", "").lower(), time.upper())
    if not _HASH.match(receipt.hash) or not is_time(receipt.time):
        raise CorruptFileError(f"{path} is not the receipt of a log; `ballistics case receipt` writes one")
    return receipt
