"""The copy of a library that is in use: the copy is a library itself, and is restored by opening it."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa

from ballistics.errors import BallisticsError, WriteError
from ballistics.files import real_path, reason, sync_folder
from ballistics.library.arrays import ArrayFolder
from ballistics.library.integrity import verify
from ballistics.library.items import Integrity
from ballistics.library.marker import holds_nothing, read_marker, write_marker
from ballistics.library.stack import RecordStack
from ballistics.library.store import LibraryStore
from ballistics.progress import Progress
from ballistics.store import DATABASE_FILE, SQLITE, connect_sqlite, make_schema, reading, sqlite_error

#: Where the exchange between laboratories keeps what came from partners.
PARTNERS = "exchange"
_ROUNDS = 5
_ROWS_AT_ONCE = 10_000


def backup(library: LibraryStore, folder: Path, progress: Progress | None = None) -> Integrity:
    """Copy a library to another folder, as one moment shows it, while others search and enrol.

    The rows are copied first, by SQLite's own online backup (from PostgreSQL: in one transaction, into SQLite), then
    the arrays that they name. An earlier backup of the same library is brought up to date: only new arrays are copied.
    The copy is checked before this returns.

    Parameters
    ----------
    library : LibraryStore
    folder : Path
        Empty or not there, or an earlier backup of this library.
    progress : callable, optional
        Told the stage, how many are done, and how many there are.

    Returns
    -------
    Integrity
        Of the copy.

    Raises
    ------
    WriteError
        When the folder holds anything else, or cannot be written.
    """

    _refuse(library, folder)
    for _ in range(_ROUNDS):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_marker(folder, library.identifier, SQLITE)
            # The earlier copy of the rows stays until the new rows, and all that they name, are complete.
            fresh = folder / "library.part"
            fresh.unlink(missing_ok=True)
            try:
                _copy_rows(library, fresh)
                _copy_files(library, fresh, folder, progress)
                with closing(sqlite3.connect(fresh)) as source, closing(sqlite3.connect(_rows_of(folder))) as target:
                    source.backup(target)
            finally:
                for path in (fresh, folder / "library.part-wal", folder / "library.part-shm"):
                    path.unlink(missing_ok=True)
            sync_folder(folder)
        except OSError as error:
            raise WriteError(
                f"{folder}: the backup cannot be written: {reason(error)}; the library is untouched, an earlier backup "
                "there still is one. Make room, or choose another folder"
            ) from error
        except sqlite3.Error as error:
            raise WriteError(f"the backup cannot be made: {sqlite_error(str(folder), error)}") from error
        with LibraryStore.open(folder) as copy:
            copy.delete_pending()
            found = verify(copy, tidy=True, progress=progress)
        # A mark that was removed after its row was copied and before its array was is a fault of the copy: copy again.
        if found.clean:
            break
    return found


def _rows_of(folder: Path) -> Path:
    return folder / DATABASE_FILE


def _has_rows(folder: Path) -> bool:
    """Return whether the rows of a backup were ever complete; the file is there, empty, a moment before they are."""
    if not _rows_of(folder).exists():
        return False
    try:
        with closing(sqlite3.connect(_rows_of(folder))) as rows:
            return rows.execute("SELECT 1 FROM sqlite_master").fetchone() is not None
    except sqlite3.Error:
        return True  # of whatever is there, opening it says what is wrong


def _refuse(library: LibraryStore, folder: Path) -> None:
    """Refuse to write over anything but an earlier backup of this library that was not used since."""
    if real_path(folder) == real_path(library.folder):
        raise WriteError(f"{folder} is the library itself: choose another folder for the backup")
    if not folder.exists() or (folder.is_dir() and holds_nothing(folder)):
        return
    try:
        marker = read_marker(folder)
    except BallisticsError as error:
        raise WriteError(f"{folder} is neither empty nor an earlier backup of this library: {error}") from error
    if marker["id"] != library.identifier or marker["database"] != SQLITE:
        raise WriteError(f"{folder} is another library: choose another folder for the backup")
    if not _has_rows(folder):
        return  # a first backup that was stopped
    with LibraryStore.open(folder) as earlier:
        theirs, ours = earlier.contents(), library.contents()
    known = {(mark.id, mark.identity) for mark in ours.marks} | {
        (removal.mark_id, removal.identity) for removal in ours.removals
    }
    unknown = [mark for mark in theirs.marks if (mark.id, mark.identity) not in known]
    if unknown or not set(theirs.removals) <= set(ours.removals):
        raise WriteError(
            f"{folder} was used as a library since it was copied ({len(unknown)} marks are only there): "
            "choose another folder for the backup"
        )


def _copy_rows(library: LibraryStore, fresh: Path) -> None:
    if library.database == SQLITE:
        with (
            closing(connect_sqlite(library.folder)) as source,
            closing(sqlite3.connect(fresh)) as target,
        ):
            source.backup(target)
        return
    engine = sa.create_engine(f"sqlite:///{fresh}")
    with reading(library.engine, str(library.folder)) as source_rows, engine.begin() as copied:
        make_schema(copied)
        ours = sa.MetaData()
        ours.reflect(copied)
        held = set(sa.inspect(source_rows).get_table_names())
        for table in ours.sorted_tables:
            if table.name not in held:  # a library of an earlier version
                table.drop(copied)
                continue
            copied.execute(table.delete())  # Alembic has written its own row
            result = source_rows.execution_options(yield_per=_ROWS_AT_ONCE).execute(sa.select(table))
            for rows in result.mappings().partitions():
                copied.execute(table.insert(), [dict(row) for row in rows])
    engine.dispose()


def _copy_files(library: LibraryStore, fresh: Path, folder: Path, progress: Progress | None) -> None:
    arrays = ArrayFolder(folder / "arrays")
    with closing(sqlite3.connect(fresh)) as rows:
        names = [name for (name,) in rows.execute("SELECT DISTINCT array_sha256 FROM marks ORDER BY 1")]
        stacks = rows.execute("SELECT version, record_bytes, records FROM stacks").fetchall()
    for done, name in enumerate(names, 1):
        source, target = library.arrays.path(name), arrays.path(name)
        if not target.exists() and source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            _copy(source, target)
        if progress is not None:
            progress("copying arrays", done, len(names))
    library.files.copy_to(folder / "files")
    _mirror(library.folder / PARTNERS, folder / PARTNERS)
    for version, record_bytes, records in stacks:
        source = library.templates.stack(version, record_bytes).path
        target = RecordStack(folder / source.relative_to(library.folder), record_bytes).path
        if source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            _copy(source, target, records * record_bytes)


def _mirror(source: Path, target: Path) -> None:
    """Copy the packages of partners, and delete those from an earlier backup that were withdrawn since."""
    ours = {path.relative_to(source) for path in source.glob("*/**/*") if path.is_file()}
    for path in [path for path in target.glob("*/**/*") if path.is_file()]:
        if path.relative_to(target) not in ours:
            path.unlink()
    for name in sorted(ours):
        # A package is never changed: a file that is there is the one that was copied.
        if not (target / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            _copy(source / name, target / name)


def _copy(source: Path, target: Path, length: int = -1) -> None:
    """Copy a file, or its beginning, whole or not at all."""
    part = target.with_suffix(".part")
    with open(source, "rb") as read, open(part, "wb") as written:
        if length < 0:
            shutil.copyfileobj(read, written)
        else:
            while length and (block := read.read(min(length, 1 << 20))):
                written.write(block)
                length -= len(block)
        written.flush()
        os.fsync(written.fileno())
    os.replace(part, target)
    sync_folder(target.parent)
