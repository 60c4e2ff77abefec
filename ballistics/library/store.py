"""The store of a library: marks, templates and what is known of the exhibits; nothing acknowledged is ever lost."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import sqlalchemy as sa

from ballistics.errors import CorruptFileError, ParameterError, WriteError
from ballistics.files import reason
from ballistics.findings import Finding
from ballistics.library import rows as rows
from ballistics.library import seals as seals
from ballistics.library import tables
from ballistics.library.arrays import ArrayFolder
from ballistics.library.items import (
    UNDESCRIBED,
    Contents,
    Description,
    EnrolledMark,
    Enrolment,
    Removal,
    Where,
    checked_filter,
    is_admitted,
)
from ballistics.library.marker import SCHEMA, VERSION, check_version, read_marker, write_marker
from ballistics.library.raw_files import FileFolder
from ballistics.library.template_stacks import TemplateStacks, record_of
from ballistics.store import DATABASE_FILE, SQLITE, database_url, make_schema, open_database, reading, servers, writing
from ballistics.surfaces import Mark

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Engine


class LibraryStore:
    """A collection of marks that can be searched.

    A folder with ``library.json`` (what it is), ``library.sqlite`` (every row; or a PostgreSQL database elsewhere),
    ``arrays`` (prepared heights, each file named after its content), ``templates`` (fixed-length records, mapped into
    memory by searches) and ``files`` (what casework keeps as it came). Any number of processes may search while others
    enrol: readers see the library as it was when they began, writers wait for each other. Everything that a row names
    is on the disk before the row is, so that a process killed at any moment loses only what it had not yet
    acknowledged. SQLite needs a local disk; on a network share, use PostgreSQL.

    Open it with `LibraryStore.open`, make one with `LibraryStore.create`; use it as a context manager, or `close` it.

    Examples
    --------
    >>> import tempfile
    >>> from ballistics.surfaces import prepare, simulate_firearm, simulate_head, simulate_shot
    >>> head = simulate_head(simulate_firearm(1), simulate_shot(2), spacing_um=12.5)
    >>> with tempfile.TemporaryDirectory() as folder, LibraryStore.create(Path(folder) / "open cases") as library:
    ...     library.enrol(prepare(head.surface), "K-17.x3p", Description(calibre="9 mm Luger")).outcome
    ...     [mark.scan for mark in library.contents({"calibre": "9 mm Luger"}).marks]
    'enrolled'
    ['K-17.x3p']
    """

    def __init__(self, folder: Path, identifier: str, database: str, engine: Engine) -> None:
        self.folder = folder
        self.identifier = identifier
        self.database = database
        self.engine = engine
        self.arrays = ArrayFolder(folder / "arrays")
        self.templates = TemplateStacks(folder / "templates")
        self.files = FileFolder(folder / "files")

    @classmethod
    def create(cls, folder: str | Path, database: str | None = None) -> Self:
        """Make an empty library.

        Parameters
        ----------
        folder : path
            A folder that is empty or does not exist.
        database : str, optional
            URL of an empty PostgreSQL database, ``postgresql://USER@SERVER/NAME``, for the rows. A password in it is
            not written down: later it is read from the variable PGPASSWORD. The server is added to the list of those
            that this user has named. Default: SQLite in the folder.

        Raises
        ------
        WriteError
            When the folder or the database holds something, or cannot be written.
        ParameterError
            When the URL is not one of a PostgreSQL database.
        """
        folder = Path(folder)
        url = None if database is None else database_url(database)
        kept = SQLITE if url is None else servers.without_password(url)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if any(folder.iterdir()):
                raise WriteError(f"{folder} is not empty: choose another folder for a new library")
        except OSError as error:
            raise WriteError(f"{folder} cannot be made: {reason(error)}; choose another folder") from error
        if url is not None:
            servers.remember(url)
        identifier = uuid.uuid4().hex
        with _opened(folder, database or SQLITE) as engine:
            with reading(engine, str(folder)) as connection:
                if sa.inspect(connection).get_table_names():
                    raise WriteError(f"the database {kept} holds tables: a new library needs an empty one")
                make_schema(connection)
                says = {"schema": SCHEMA, "version": str(VERSION), "id": identifier}
                connection.execute(tables.about.insert(), [{"key": key, "value": value} for key, value in says.items()])
            write_marker(folder, identifier, kept)
        return cls(folder, identifier, kept, engine)

    @classmethod
    def open(cls, folder: str | Path, database: str | None = None) -> Self:
        """Open a library.

        Parameters
        ----------
        folder : path
            The library's folder.
        database : str, optional
            URL of the PostgreSQL database that holds its rows. Needed once when the folder names a server that is not
            on the user's list (`library_servers.list_path`): a password is sent only to servers that the user named.

        Raises
        ------
        ReadError
            When there is none.
        ParameterError
            When the folder names a server that the user did not.
        CorruptFileError
            When it is no library, or its folder and database do not belong together.
        UnsupportedFormatError
            When a later version of this program wrote it.
        """
        folder = Path(folder)
        marker = read_marker(folder)
        if marker["database"] == SQLITE and not (folder / DATABASE_FILE).is_file():
            raise CorruptFileError(f"{folder / DATABASE_FILE} is missing: open the newest backup")
        with (
            _opened(folder, _named(folder, marker["database"], database)) as engine,
            reading(engine, str(folder)) as connection,
        ):
            if not sa.inspect(connection).has_table(tables.about.name):
                raise CorruptFileError(f"{folder}: its database holds no library; open the newest backup")
            says = {row.key: row.value for row in connection.execute(sa.select(tables.about))}
            check_version(folder, says.get("schema"), says.get("version"))
            if says.get("id") != marker["id"]:
                raise CorruptFileError(f"{folder}: the folder and the database belong to different libraries")
        return cls(folder, marker["id"], marker["database"], engine)

    def close(self) -> None:
        """Close the database; the library can be opened again."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def enrol(
        self,
        mark: Mark,
        scan: str,
        description: Description = UNDESCRIBED,
        method: Mapping[str, Any] | None = None,
        again: bool = False,
    ) -> Enrolment:
        """Add a mark; when this returns, it is on the disk.

        A scan (by the SHA-256 of its file) has one entry for each kind of mark. One that is there, prepared by another
        method or described otherwise, is replaced under its old number.

        Parameters
        ----------
        mark : Mark
            From `ballistics.prepare`.
        scan : str
            Name of the scan's file.
        description : Description
            What is known of the exhibit.
        method : mapping, optional
            What the caller needs to know later of how the mark was made, see `library_enrolment`.
        again : bool
            Take back a scan that was removed; otherwise it is refused.

        Raises
        ------
        ParameterError
            When the mark has no provenance, or is of a kind that has no template.
        WriteError
            When the disk or the database cannot be written.
        """
        found = tuple(sorted({f"{finding.severity}: {finding.code}" for finding in mark.findings}))
        if mark.insufficient is not None:
            return Enrolment(scan, "insufficient", None, mark.insufficient, found)
        row = rows.row_of(mark, scan, method)
        record = record_of(mark)
        with writing(self.engine, str(self.folder)) as connection:
            refusal = "" if again else rows.refusal(connection, row["identity"], mark.kind)
            if refusal:
                return Enrolment(scan, "refused", None, refusal, found)
            old = connection.execute(rows.of_scan(row["identity"], mark.kind)).one_or_none()
            if old is not None:
                before = rows.enrolled(old).description
                description = before.updated(description)
                changes = before.changes(description)
                unchanged = all(old._mapping[name] == value for name, value in row.items())
                if unchanged and self.templates.has(connection, old.id, mark.kind):
                    if changes:
                        self._describe(connection, old.id, description)
                    return Enrolment(scan, "described anew" if changes else "present", old.id, changes, found)
            self.arrays.write(mark.heights_um)
            row |= asdict(description)
            if old is None:
                inserted = connection.execute(tables.marks.insert().values(**row)).inserted_primary_key
                assert inserted is not None
                mark_id = int(inserted[0])
            else:
                mark_id = int(old.id)
                connection.execute(tables.marks.update().where(tables.marks.c.id == mark_id).values(**row))
                if old.array_sha256 != row["array_sha256"]:
                    connection.execute(tables.deletions.insert().values(array_sha256=old.array_sha256))
            self.templates.put(connection, mark_id, mark.kind, record)
            seals.seal_mark(connection, mark_id)
        self.delete_pending()
        if old is None:
            return Enrolment(scan, "enrolled", mark_id, "", found)
        return Enrolment(scan, "enrolled anew", mark_id, changes, found)

    def describe(self, mark_id: int, description: Description) -> Enrolment:
        """Change what is known of an exhibit; what is not stated stays as it was.

        Raises
        ------
        ParameterError
            When there is no such mark.
        """
        with writing(self.engine, str(self.folder)) as connection:
            entry = self.entry_in(connection, mark_id)
            after = entry.description.updated(description)
            if entry.description.changes(after):
                self._describe(connection, mark_id, after)
        changes = entry.description.changes(after)
        return Enrolment(entry.scan, "described anew" if changes else "present", mark_id, changes)

    def remove(self, mark_id: int, removed_by: str, removed_on: str, reason: str) -> Removal:
        """Remove a mark for good, and keep a record of it: heights and templates are deleted.

        Parameters
        ----------
        mark_id : int
            Its number.
        removed_by, removed_on, reason : str
            Who, when and why, as they are to be recorded.

        Raises
        ------
        ParameterError
            When there is no such mark, or who, when or why is empty.
        """
        for name, value in (("removed_by", removed_by), ("removed_on", removed_on), ("reason", reason)):
            if not value.strip():
                raise ParameterError(f"a mark is removed with a record: '{name}' must be stated")
        with writing(self.engine, str(self.folder)) as connection:
            entry = self.entry_in(connection, mark_id)
            removal = Removal(
                mark_id,
                entry.scan,
                entry.identity,
                entry.mark_kind,
                entry.array_sha256,
                removed_by,
                removed_on,
                reason,
            )
            self.templates.drop(connection, mark_id)
            connection.execute(tables.deletions.insert().values(array_sha256=entry.array_sha256))
            connection.execute(tables.marks.delete().where(tables.marks.c.id == mark_id))
            connection.execute(tables.removals.insert().values(**asdict(removal)))
            seals.seal_mark(connection, mark_id)
            seals.seal_removal(connection, mark_id)
        self.delete_pending()
        return removal

    def contents(self, where: Where | None = None) -> Contents:
        """Return the marks that a filter admits, by number, and all records of removal.

        Parameters
        ----------
        where : mapping, optional
            Field of `Description` to a value, or to several of which one must be met (upper and lower case alike).
            A mark for which the field is not stated is admitted: what is unknown excludes nothing.
        """
        admitted = checked_filter(where)
        with reading(self.engine, str(self.folder)) as connection:
            return self._contents(connection, admitted)

    def mark(self, mark_id: int) -> Mark:
        """Return a mark with its heights, which are checked against their hash.

        Raises
        ------
        ParameterError
            When there is no such mark.
        CorruptFileError
            When its file is missing or was changed.
        """
        return self.current(mark_id)[1]

    def current(self, mark_id: int) -> tuple[EnrolledMark, Mark]:
        """Return what is known of a mark and its heights, as they belong together; errors as of `mark`."""
        while True:
            entry = self.entry(mark_id)
            try:
                return entry, self.with_heights(entry)
            except CorruptFileError:
                with reading(self.engine, str(self.folder)) as connection:
                    if self.is_unchanged(connection, entry):
                        raise
                # The mark was removed, which the next look reports, or enrolled anew, and its new heights are there.

    def entry(self, mark_id: int) -> EnrolledMark:
        """Return what is known of a mark, without its heights.

        Raises
        ------
        ParameterError
            When there is no such mark.
        """
        with reading(self.engine, str(self.folder)) as connection:
            return self.entry_in(connection, mark_id)

    def with_heights(self, entry: EnrolledMark) -> Mark:
        """Return the mark of an entry; errors as of `mark`."""
        return Mark(
            entry.mark_kind,
            self.arrays.read(entry.array_sha256),
            entry.spacing_um,
            "reflectance" if entry.surface_kind == "reflectance" else "topography",
            findings=tuple(Finding(**finding) for finding in entry.record["findings"]),
        )

    def find(self, identity: str, mark_kind: str) -> EnrolledMark | None:
        """Return the entry of a scan by the SHA-256 of its file; None when there is none with a current template."""
        with reading(self.engine, str(self.folder)) as connection:
            row = connection.execute(rows.of_scan(identity, mark_kind)).one_or_none()
            if row is None or not self.templates.has(connection, row.id, mark_kind):
                return None
        return rows.enrolled(row)

    def _contents(self, connection: Connection, admitted: Mapping[str, tuple[str, ...]]) -> Contents:
        entries = map(rows.enrolled, connection.execute(sa.select(tables.marks).order_by(tables.marks.c.id)))
        removed = connection.execute(sa.select(tables.removals).order_by(tables.removals.c.mark_id))
        return Contents(
            tuple(entry for entry in entries if is_admitted(entry.description, admitted)),
            tuple(Removal(**row._mapping) for row in removed),
        )

    def entry_in(self, connection: Connection, mark_id: int) -> EnrolledMark:
        """Return a mark's entry as of `entry`, in a transaction that is already open.

        Parameters
        ----------
        connection : sqlalchemy.engine.Connection
            To the library's database, open.
        mark_id : int
            Number of the mark.

        Raises
        ------
        ParameterError
            When there is no such mark, or it was removed.
        """
        row = connection.execute(sa.select(tables.marks).where(tables.marks.c.id == mark_id)).one_or_none()
        if row is not None:
            return rows.enrolled(row)
        gone = connection.execute(sa.select(tables.removals).where(tables.removals.c.mark_id == mark_id)).one_or_none()
        if gone is not None:
            raise ParameterError(f"mark {mark_id} was removed by {gone.removed_by} on {gone.removed_on}: {gone.reason}")
        raise ParameterError(f"{self.folder} holds no mark {mark_id}; `ballistics library list` shows what it holds")

    def is_unchanged(self, connection: Connection, entry: EnrolledMark) -> bool:
        """Return whether a mark was neither removed nor enrolled with other heights since its entry was read."""
        heights = sa.select(tables.marks.c.array_sha256).where(tables.marks.c.id == entry.id)
        return connection.execute(heights).scalar_one_or_none() == entry.array_sha256

    def _describe(self, connection: Connection, mark_id: int, description: Description) -> None:
        of_mark = tables.marks.c.id == mark_id
        connection.execute(tables.marks.update().where(of_mark).values(**asdict(description)))
        seals.seal_mark(connection, mark_id)

    def delete_pending(self) -> None:
        """Carry out the deletions that were ordered, also those of a process that was stopped before it could."""
        with reading(self.engine, str(self.folder)) as connection:
            if connection.execute(sa.select(tables.deletions.c.id)).first() is None:
                return
        with writing(self.engine, str(self.folder)) as connection:
            lengths = {row.version: row.record_bytes for row in connection.execute(sa.select(tables.stacks))}
            for row in connection.execute(sa.select(tables.deletions)).all():
                if row.array_sha256 is None:
                    self.templates.stack(row.version, lengths[row.version]).erase(row.slot)
                elif not self._refers(connection, row.array_sha256):
                    self.arrays.delete(row.array_sha256)
                connection.execute(tables.deletions.delete().where(tables.deletions.c.id == row.id))

    def _refers(self, connection: Connection, array_sha256: str) -> bool:
        found = connection.execute(sa.select(tables.marks.c.id).where(tables.marks.c.array_sha256 == array_sha256))
        return found.first() is not None


def _named(folder: Path, stated: str, database: str | None) -> str:
    """Return the database to open: the one that the folder states, by the URL that the user named it with."""
    if stated == SQLITE:
        if database is not None:
            raise ParameterError(f"{folder} keeps its rows in the folder: it has no database elsewhere")
        return stated
    url = database_url(stated)
    if database is not None:
        servers.name_for_now(database_url(database))
    own = servers.named(url)
    if own is None:
        raise servers.refusal(folder, url)
    given = None if database is None else database_url(database)
    if given is not None and given.password is not None:
        own = own.set(password=given.password)
    return own.render_as_string(hide_password=False)


@contextmanager
def _opened(folder: Path, database: str) -> Iterator[Engine]:
    """Give the engine of a database; it is closed again when the block fails."""
    engine = open_database(folder, database)
    try:
        yield engine
    except BaseException:
        engine.dispose()
        raise
