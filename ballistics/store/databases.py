"""The door to a laboratory's database: SQLite in a folder of its own, or PostgreSQL by URL."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine, make_url

from ballistics.errors import BallisticsError, CorruptFileError, ParameterError, WriteError
from ballistics.files import real_path
from ballistics.store.servers import secured

DATABASE_FILE = "library.sqlite"
SQLITE = "sqlite"
#: Name of the table that says what the database is; whoever writes locks it first.
ABOUT = "about"
_PASSWORD_VARIABLE = "PGPASSWORD"  # the one that PostgreSQL's own programs read
_WAIT_S = 120.0
# What SQLite says when it cannot make the files beside the database that it needs for writing.
_NO_ROOM = ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_READONLY")


def database_url(given: str) -> URL:
    """Return the URL of a PostgreSQL database; its password, if not in it, is that of the variable PGPASSWORD.

    Raises
    ------
    ParameterError
        For another kind of database, or when the driver is not installed.

    Examples
    --------
    >>> str(database_url("postgresql://lab@server/library"))
    'postgresql+pg8000://lab@server/library'
    """
    try:
        url = make_url(given)
    except sa.exc.ArgumentError:
        raise ParameterError(f"'{given}' is not the URL of a database: postgresql://USER@SERVER/DATABASE") from None
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise ParameterError(
            f"the rows are kept in SQLite (give no URL) or PostgreSQL, not in '{url.get_backend_name()}'"
        )
    if find_spec("pg8000") is None:
        raise ParameterError("PostgreSQL needs the extra 'postgresql' (pip install 'ballistics[postgresql]')")
    return url.set(drivername="postgresql+pg8000")


def open_database(folder: Path, database: str) -> Engine:
    """Return the engine of a database.

    Parameters
    ----------
    folder : Path
        The folder of the library.
    database : str
        ``"sqlite"``, or the URL of a PostgreSQL database by which the user named it: the password is sent there.
    """
    if database != SQLITE:
        url, security = secured(database_url(database))
        # Never None: pg8000 fails with an AttributeError when a server asks for a password that it has not.
        password = url.password or os.environ.get(_PASSWORD_VARIABLE, "")
        engine = sa.create_engine(
            url,
            connect_args={"password": password, **security},
            isolation_level="REPEATABLE READ",
            pool_pre_ping=True,
        )
        sa.event.listen(engine, "handle_error", _foreign)
    else:
        engine = sa.create_engine("sqlite://", creator=lambda: connect_sqlite(folder), poolclass=sa.pool.QueuePool)
    sa.event.listen(engine, "begin", _begin)
    return engine


def is_writable(folder: Path) -> bool:
    """Return whether a library's SQLite database can be written where it lies."""
    rows = folder / DATABASE_FILE
    return os.access(folder, os.W_OK) and (not rows.exists() or os.access(rows, os.W_OK))


def connect_sqlite(folder: Path) -> sqlite3.Connection:
    """Open a library's SQLite database; where it cannot be written, or the disk is full, only for reading."""
    if not is_writable(folder):
        return _for_reading(folder)
    connection = sqlite3.connect(folder / DATABASE_FILE, timeout=_WAIT_S, check_same_thread=False)
    try:
        _configure(connection, "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON")
        # Only now files beside the database are wanted.
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except BaseException as error:
        # Left open it would hold its locks as long as the traceback lives, and the next one would wait for them.
        connection.close()
        if not (getattr(error, "sqlite_errorname", "") or "").startswith(_NO_ROOM):
            raise
        return _for_reading(folder)
    return connection


def _for_reading(folder: Path) -> sqlite3.Connection:
    rows, log = folder / DATABASE_FILE, folder / f"{DATABASE_FILE}-wal"
    # Where nothing can be written nobody writes: then no lock is needed, nor the files that hold locks.
    mode = "mode=ro" if log.exists() and log.stat().st_size else "immutable=1"
    uri = f"{real_path(rows).as_uri()}?{mode}"
    connection = sqlite3.connect(uri, uri=True, timeout=_WAIT_S, check_same_thread=False)
    try:
        _configure(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _configure(connection: sqlite3.Connection, *pragmas: str) -> None:
    # The driver must not begin transactions by itself; `_begin` does.
    connection.isolation_level = None
    for pragma in (*pragmas, "trusted_schema=OFF"):
        connection.execute(f"PRAGMA {pragma}")


class _DriverError(Exception):
    """A database's driver failed in a way that it does not call an error of the database."""


def _foreign(context: Any) -> None:
    if context.sqlalchemy_exception is None and isinstance(context.original_exception, Exception):
        raise _DriverError(_said(context.original_exception)) from context.original_exception


def _begin(connection: Connection) -> None:
    writing = connection.get_execution_options().get("writing", False)
    if connection.dialect.name == SQLITE:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
    elif writing:
        connection.exec_driver_sql(f"LOCK TABLE {ABOUT} IN EXCLUSIVE MODE")


@contextmanager
def reading(engine: Engine, where: str) -> Iterator[Connection]:
    """Give a connection that sees the library as it is now, whatever others write meanwhile."""
    with database_errors(where), _connected(engine) as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine, where: str) -> Iterator[Connection]:
    """Give a connection that is the only one to write; what it did is kept, durably, when the block ends."""
    with (
        database_errors(where),
        _connected(engine).execution_options(writing=True) as connection,
        connection.begin(),
    ):
        yield connection


def _connected(engine: Engine) -> Connection:
    try:
        return engine.connect()
    except sa.exc.SQLAlchemyError:
        raise
    except Exception as error:  # a driver passes on whatever its socket, or a strange server, makes it meet
        raise _DriverError(_said(error)) from error


@contextmanager
def database_errors(where: str) -> Iterator[None]:
    """Turn what a database reports into the errors of this package."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        cause: Any = error.orig
        if isinstance(cause, sqlite3.Error):
            raise sqlite_error(where, cause) from error
        # What a PostgreSQL server says comes as fields; M is the sentence.
        fields = cause.args[0] if cause is not None and cause.args else None
        said = fields.get("M") if isinstance(fields, dict) else None
        raise _no_answer(where, str(said or _said(cause or error))) from error
    except (_DriverError, sa.exc.SQLAlchemyError) as error:
        raise _no_answer(where, _said(error)) from error


def sqlite_error(where: str, cause: sqlite3.Error) -> BallisticsError:
    """Return what SQLite reports as an error of this package: what happened, what was not done, what to do."""
    name, said = getattr(cause, "sqlite_errorname", "") or "", _said(cause)
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")) or "locked" in said:
        return WriteError(
            f"{where}: another process has been writing for {_WAIT_S:g} s; nothing was changed, try again"
        )
    if name.startswith("SQLITE_READONLY"):
        return WriteError(f"{where} cannot be written: {said}; nothing was changed. Listing, searching, checking and "
                          "copying it (`ballistics library backup`) work where it lies")  # fmt: skip
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_NOMEM", "SQLITE_TOOBIG")):
        return WriteError(
            f"{where} cannot be written or read: {said}; nothing was changed. Make room, or see to the disk"
        )
    if name.startswith(("SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH")):
        return WriteError(
            f"{where}: {DATABASE_FILE} cannot be opened: {said}; nothing was changed. See to the permissions of the "
            "folder; on a medium that cannot be written, the copy must be one of a library that was closed"
        )
    return CorruptFileError(
        f"{where}: the database cannot be used: {said}. Open the newest backup, or have it examined"
    )


def _no_answer(where: str, said: str) -> WriteError:
    return WriteError(
        f"{where}: the database does not answer as it should: {said}; what was not acknowledged was not kept. Is the "
        "server running, its certificate in order, and PGPASSWORD right?"
    )


def _said(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]
