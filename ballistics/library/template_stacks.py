"""The templates of a library: one stack for each version, and the rows that say which record is whose."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from ballistics.errors import CorruptFileError, ParameterError
from ballistics.library import tables
from ballistics.library.stack import RecordStack

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from ballistics.surfaces import Mark

# A template takes 3 KB; SQLite keeps whatever type or size a changed row has.
_MOST_RECORD_BYTES = 1 << 20


def version_of(mark_kind: str) -> str:
    """Return the current version of the templates of a kind of mark."""
    from ballistics.library import signature_template, template

    return signature_template.VERSION if _is_striated(mark_kind) else template.VERSION


def record_of(mark: Mark) -> bytes:
    """Make the template of a mark, as a record of the version of its kind.

    Raises
    ------
    ParameterError
        When the mark is of a kind that is not known.
    """
    from ballistics.library import signature_template, template

    return signature_template.make_record(mark) if _is_striated(mark.kind) else template.make_template(mark).to_bytes()


def _is_striated(mark_kind: str) -> bool:
    # Its import takes a second, which nobody waits for who opens a library for its registry or its log.
    from ballistics.methods import method_of

    try:
        return method_of(mark_kind).family == "striated"
    except ParameterError:
        return False  # an altered row, which `verify` names


class TemplateStacks:
    """The folder of stacks.

    Parameters
    ----------
    folder : Path
        Where; made with the first template.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def has(self, connection: Connection, mark_id: int, mark_kind: str) -> bool:
        """Return whether a mark of a kind has a template of the current version of that kind.

        Parameters
        ----------
        connection : Connection
            To the library's database.
        mark_id : int
            Its row.
        mark_kind : str
            Its kind.
        """
        found = connection.execute(
            sa.select(tables.templates.c.slot).where(
                tables.templates.c.mark_id == mark_id, tables.templates.c.version == version_of(mark_kind)
            )
        )
        return found.first() is not None

    def stack(self, version: str, record_bytes: int) -> RecordStack:
        """Return the file of one version."""
        # A database from elsewhere must not name files outside the folder.
        fits = isinstance(version, str) and type(record_bytes) is int and 1 <= record_bytes <= _MOST_RECORD_BYTES
        if not fits or not re.fullmatch(r"[\w.-]+", version):
            raise CorruptFileError(f"{self.folder}: '{version}' is no version of a template; the database was changed")
        return RecordStack(self.folder / f"{version}.stack", record_bytes)

    def put(self, connection: Connection, mark_id: int, mark_kind: str, record: bytes) -> None:
        """Write a template behind the last one, and replace what the mark had.

        Parameters
        ----------
        connection : sqlalchemy.engine.Connection
            To the library's database, in a transaction that writes: no other process adds a template meanwhile.
        mark_id : int
            Number of the mark.
        mark_kind : str
            Its kind.
        record : bytes
            The template of the current version.

        Raises
        ------
        CorruptFileError
            When templates of this version have another length in this library.
        """
        version = version_of(mark_kind)
        self.drop(connection, mark_id)
        of_version = tables.stacks.c.version == version
        stack = connection.execute(sa.select(tables.stacks).where(of_version)).one_or_none()
        slot = 0 if stack is None else stack.records
        if stack is not None and stack.record_bytes != len(record):
            raise CorruptFileError(
                f"{self.folder}: templates of version {version} have {stack.record_bytes} bytes there, "
                f"{len(record)} here: the library was written by another program"
            )
        if stack is None:
            connection.execute(tables.stacks.insert().values(version=version, record_bytes=len(record), records=0))
        self.stack(version, len(record)).write(slot, record)
        connection.execute(tables.stacks.update().where(of_version).values(records=slot + 1))
        connection.execute(
            tables.templates.insert().values(
                mark_id=mark_id, version=version, slot=slot, sha256=sha256(record).hexdigest()
            )
        )

    def drop(self, connection: Connection, mark_id: int) -> None:
        """Forget the templates of a mark, and order that they be erased."""
        of_mark = tables.templates.c.mark_id == mark_id
        for row in connection.execute(sa.select(tables.templates).where(of_mark)).all():
            connection.execute(tables.deletions.insert().values(version=row.version, slot=row.slot))
        connection.execute(tables.templates.delete().where(of_mark))
