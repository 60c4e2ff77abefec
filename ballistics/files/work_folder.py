"""Folders of unfinished work, which say what they are to whoever finds them."""

from __future__ import annotations

from pathlib import Path

from ballistics.errors import WriteError
from ballistics.files.durable import reason

#: The note in every such folder.
NOTE = "READ-ME.txt"
_TEXT = """This folder holds finished parts of a run of ballistics: {what}.

If the run was stopped, the same command goes on from here. When it has ended and its result is kept, this folder is
not needed any more; a later run on the same files is faster with it. Nothing in it should be changed: changed files
are refused.
"""


def make_work_folder(folder: Path, what: str, inner: str = "") -> None:
    """Make a folder for the finished parts of a run, with a note that says so.

    Parameters
    ----------
    folder : Path
    what : str
        The run, for the note: "comparisons of a batch".
    inner : str
        A folder in it that is made too.

    Raises
    ------
    WriteError
        When it cannot be made.
    """
    try:
        (folder / inner).mkdir(parents=True, exist_ok=True)
        note = folder / NOTE
        if not note.exists():
            note.write_text(_TEXT.format(what=what), encoding="utf-8")
    except OSError as error:
        raise WriteError(f"{folder} cannot be made: {reason(error)}; choose another folder (--work)") from error
