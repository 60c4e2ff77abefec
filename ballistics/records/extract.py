"""Extracts of a log for others to verify: of the whole log, or of one case without showing the others.

JSON Lines. The first states what it is of; then each entry from the first to the newest, shown (its content and its
signature) or hidden (the digest of its content, and its tag); the last states how many there are, the newest hash, and
who signed it. The hash of an entry is over the hash before it, its digest and its tag: the whole chain can be
recomputed although only digests are given, and each signature of a shown entry is one of all entries before it.

What an extract of a case proves: every shown entry is at its place and as it was signed, by a key that an administrator
had taken in and that was not revoked then; no entry that was recorded under the case, and none about a key, is
left out (a hidden one would have their tag); the newest entry, to be held against a receipt.

What it does not prove: that what was recorded is true, or the time of a computer's clock right; that the hidden entries
are signed and within the rules, which the verification of the whole log shows; that nothing about the case was recorded
under another; that the log was not made anew with the laboratory's own keys, or cut: that shows a receipt only.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from ballistics.errors import CorruptFileError, ParameterError
from ballistics.files import written_whole
from ballistics.records.entry import NOTHING_BEFORE, Entry, entry_of
from ballistics.records.log import Log
from ballistics.records.operators import KEY, LABORATORY
from ballistics.records.views import Row, rows_of

SCHEMA = "ballistics log 1"


def write_extract(
    log: Log, library: str, path: Path, case: str | None = None, also: Collection[tuple[str, str]] = ()
) -> int:
    """Write an extract of a log.

    Parameters
    ----------
    log : Log
        Verified: what cannot be read is refused, what was altered is written as it stands.
    library : str
        Identifier of the library that holds it.
    path : Path
        A file that does not exist, ``.jsonl``.
    case : str, optional
        Show only this case's entries, those about keys, and those of ``also``. Default: all.
    also : collection of (str, str)
        Kinds and identifiers of records to show beside those of the case, in all versions: instruments, test fires.

    Returns
    -------
    int
        How many entries are shown.

    Raises
    ------
    ParameterError
        When the log holds no entry of the case.
    CorruptFileError
        When an entry cannot be read.
    WriteError
        When the file exists or cannot be written.
    """
    shown = 0
    with (
        log.view() as view,
        written_whole(path, overwrite=False) as temporary,
        open(temporary, "w", encoding="utf-8", newline="\n") as file,
    ):
        if case is not None and view.group(case) is None:
            raise ParameterError(f"the log holds no case '{case}'")
        for line in lines_of(rows_of(view.connection), library, case, also):
            file.write(line + "\n")
            shown += line.startswith('{"content"')
    return shown


def lines_of(
    rows: Iterator[Row], library: str, case: str | None = None, also: Collection[tuple[str, str]] = ()
) -> Iterator[str]:
    """Yield the lines of an extract of the rows of a log, without the lines' ends.

    Parameters
    ----------
    rows : iterator of Row
        All rows of the log, in order.
    library : str
        Identifier of the library that holds it.
    case, also
        As of `write_extract`.
    """
    yield _line({"extract": SCHEMA, "library": library, **({} if case is None else {"case": case})})
    kept, n_entries = set(also), 0
    last: Row | None = None
    for last in rows:
        n_entries += 1
        entry = None if case is None else entry_of(last.content, f"entry {last.number}")
        if entry is None or _is_shown(entry, case, kept):
            yield _line({"content": _text(last), "signature": last.signature})
        else:
            yield _line({"digest": entry.digest, "tag": entry.tag})
    yield _line({"entries": n_entries, **_end(last)})


def _end(last: Row | None) -> dict[str, str]:
    if last is None:
        return {"hash": NOTHING_BEFORE, "key": "", "signature": ""}
    try:
        key = entry_of(last.content, f"entry {last.number}").key
    except CorruptFileError:
        key = ""  # who verifies the extract finds that
    return {"hash": last.hash, "key": key, "signature": last.signature}


def _is_shown(entry: Entry, case: str | None, also: Collection[tuple[str, str]]) -> bool:
    return entry.kind in (KEY, LABORATORY) or entry.case == case or (entry.kind, entry.record) in also


def _text(row: Row) -> str:
    try:
        return row.content.decode()
    except UnicodeDecodeError as error:
        raise CorruptFileError(f"entry {row.number} is no text: verify the log") from error


def _line(content: dict[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False)
