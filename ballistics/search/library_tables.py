"""The tables of a library, and the door to its database: SQLite in the library's folder, or PostgreSQL by URL."""

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

from ballistics.errors import CorruptFileError, ParameterError, WriteError

DATABASE_FILE = "library.sqlite"
SQLITE = "sqlite"
_PASSWORD_VARIABLE = "PGPASSWORD"  # the one that PostgreSQL's own programs read
_WAIT_S = 120.0

_TABLES = sa.MetaData()

about = sa.Table(
    "about",
    _TABLES,
    sa.Column("key", sa.String(40), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
marks = sa.Table(
    "marks",
    _TABLES,
    sa.Column("id", sa.Integer, primary_key=True),
    # SHA-256 of the scan's file; of the mark's heights when the mark came from no file.
    sa.Column("identity", sa.String(64), nullable=False),
    sa.Column("mark_kind", sa.String(40), nullable=False),
    sa.Column("scan", sa.Text, nullable=False),
    sa.Column("array_sha256", sa.String(64), nullable=False, index=True),
    sa.Column("surface_kind", sa.String(20), nullable=False),
    sa.Column("spacing_um", sa.Float, nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("columns", sa.Integer, nullable=False),
    sa.Column("preparation", sa.Text, nullable=False),
    sa.Column("record", sa.Text, nullable=False),
    *(
        sa.Column(name, sa.Text, nullable=False, index=True)
        for name in (
            "calibre",
            "firing_pin_shape",
            "breech_face_type",
            "instrument",
            "ammunition",
            "incident",
            "place",
        )
    ),
    sa.UniqueConstraint("identity", "mark_kind"),
    # The number of a removed mark is never given to another one.
    sqlite_autoincrement=True,
)
stacks = sa.Table(
    "stacks",
    _TABLES,
    sa.Column("version", sa.String(40), primary_key=True),
    sa.Column("record_bytes", sa.Integer, nullable=False),
    sa.Column("records", sa.Integer, nullable=False),
)
templates = sa.Table(
    "templates",
    _TABLES,
    sa.Column("mark_id", sa.Integer, sa.ForeignKey("marks.id"), primary_key=True),
    sa.Column("version", sa.String(40), primary_key=True),
    sa.Column("slot", sa.Integer, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.UniqueConstraint("version", "slot"),
)
removals = sa.Table(
    "removals",
    _TABLES,
    sa.Column("mark_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("identity", sa.String(64), nullable=False, index=True),
    sa.Column("mark_kind", sa.String(40), nullable=False),
    sa.Column("scan", sa.Text, nullable=False),
    sa.Column("array_sha256", sa.String(64), nullable=False),
    sa.Column("removed_by", sa.Text, nullable=False),
    sa.Column("removed_on", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
)
# What must go from the disk. Written in the transaction that no longer needs it, so that a stop in between loses
# neither the mark nor the order to delete it.
deletions = sa.Table(
    "deletions",
    _TABLES,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("array_sha256", sa.String(64)),
    sa.Column("version", sa.String(40)),
    sa.Column("slot", sa.Integer),
)


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
            f"a library is kept in SQLite (give no URL) or PostgreSQL, not in '{url.get_backend_name()}'"
        )
    if find_spec("pg8000") is None:
        raise ParameterError("PostgreSQL needs the extra 'postgresql' (pip install 'ballistics[postgresql]')")
    return url.set(drivername="postgresql+pg8000")


def without_password(url: URL) -> str:
    """Return a URL as it may be written down."""
    kept = URL.create(
        url.drivername, url.username, host=url.host, port=url.port, database=url.database, query=url.query
    )
    return kept.render_as_string()


def open_database(folder: Path, database: str) -> Engine:
    """Return the engine of a library's database.

    Parameters
    ----------
    folder : Path
        The library's folder.
    database : str
        ``"sqlite"``, or a PostgreSQL URL.
    """
    if database != SQLITE:
        url = database_url(database)
        # Never None: pg8000 fails with an AttributeError when a server asks for a password that it has not.
        password = url.password or os.environ.get(_PASSWORD_VARIABLE, "")
        engine = sa.create_engine(
            url, connect_args={"password": password}, isolation_level="REPEATABLE READ", pool_pre_ping=True
        )
    else:
        url = URL.create("sqlite", database=str(folder / DATABASE_FILE))
        engine = sa.create_engine(url, connect_args={"timeout": _WAIT_S})
        sa.event.listen(engine, "connect", _configure_sqlite)
    sa.event.listen(engine, "begin", _begin)
    return engine


def _configure_sqlite(connection: sqlite3.Connection, _: object) -> None:
    # The driver must not begin transactions by itself; `_begin` does.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON", "trusted_schema=OFF"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    writing = connection.get_execution_options().get("writing", False)
    if connection.dialect.name == SQLITE:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
    elif writing:
        connection.exec_driver_sql(f"LOCK TABLE {about.name} IN EXCLUSIVE MODE")


def make_tables(connection: Connection) -> None:
    """Make the tables of an empty library."""
    _TABLES.create_all(connection)


def tables() -> list[sa.Table]:
    """Return all tables, those that others refer to first."""
    return list(_TABLES.sorted_tables)


@contextmanager
def reading(engine: Engine, where: str) -> Iterator[Connection]:
    """Give a connection that sees the library as it is now, whatever others write meanwhile."""
    with database_errors(where), engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine, where: str) -> Iterator[Connection]:
    """Give a connection that is the only one to write; what it did is kept, durably, when the block ends."""
    with (
        database_errors(where),
        engine.connect().execution_options(writing=True) as connection,
        connection.begin(),
    ):
        yield connection


@contextmanager
def database_errors(where: str) -> Iterator[None]:
    """Turn what a database reports into the errors of this package."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        cause: Any = error.orig
        if isinstance(cause, sqlite3.OperationalError) and "locked" in str(cause):
            raise WriteError(
                f"{where}: another process has been writing for {_WAIT_S:g} s; nothing was changed, try again"
            ) from error
        if isinstance(cause, sqlite3.OperationalError) and ("full" in str(cause) or "readonly" in str(cause)):
            raise WriteError(f"{where} cannot be written: {cause}; nothing was changed") from error
        if isinstance(cause, sqlite3.Error):
            raise CorruptFileError(
                f"{where}: the database cannot be used: {cause}. Open the newest backup, or have it examined"
            ) from error
        # What a PostgreSQL server says comes as fields; M is the sentence.
        said = cause.args[0].get("M") if cause.args and isinstance(cause.args[0], dict) else None
        raise WriteError(
            f"{where}: the database does not answer: {said or cause}; is the server running, and PGPASSWORD right?"
        ) from error
