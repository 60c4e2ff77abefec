"""Renewing the templates of a library after an update of the program, while others use it."""

from __future__ import annotations

from ballistics.errors import CorruptFileError
from ballistics.library import seals as seals
from ballistics.library.items import EnrolledMark
from ballistics.library.store import LibraryStore
from ballistics.library.template_stacks import record_of
from ballistics.progress import Progress
from ballistics.store import reading, writing


def renew_templates(library: LibraryStore, progress: Progress | None = None) -> int:
    """Make the template of every mark that has none of the current version; older ones are deleted.

    Needed after an update of the program that changed the templates; no scan is read for it. It may be stopped, and
    goes on where it was.

    Returns
    -------
    int
        How many were made.

    Raises
    ------
    CorruptFileError
        When the heights of a mark are missing or were changed.
    """
    entries = library.contents().marks
    made = 0
    for done, entry in enumerate(entries, 1):
        made += _renewed(library, entry)
        if progress is not None:
            progress("making templates", done, len(entries))
    library.delete_pending()
    return made


def _renewed(library: LibraryStore, entry: EnrolledMark) -> bool:
    """Make the template of a mark if it has none of the current version, and return whether it was made."""
    engine, where = library.engine, str(library.folder)
    with reading(engine, where) as connection:
        if library.templates.has(connection, entry.id, entry.mark_kind):
            return False
    try:
        mark = library.with_heights(entry)
    except CorruptFileError:
        with reading(engine, where) as connection:
            if library.is_unchanged(connection, entry):
                raise
        return False
    record = record_of(mark)
    with writing(engine, where) as connection:
        # It may have been removed, or enrolled anew with a template of its own, meanwhile.
        if not library.is_unchanged(connection, entry):
            return False
        library.templates.put(connection, entry.id, entry.mark_kind, record)
        seals.seal_mark(connection, entry.id)
    return True
