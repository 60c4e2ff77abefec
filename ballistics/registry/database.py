"""The tables of a registry, and the door to its database: an SQLite file, or PostgreSQL by URL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from ballistics.errors import ParameterError
from ballistics.library import tables as library_tables

#: A block in which a connection reads or writes.
Transaction = AbstractContextManager[Connection]

TABLES = sa.MetaData()
# Text that is compared and sorted byte by byte on every server, so that results and ranges are the same.
_KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

about = sa.Table(
    "registry_about",
    TABLES,
    sa.Column("key", sa.String(40), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
names = sa.Table(
    "registry_names",
    TABLES,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.String(10), nullable=False),
    sa.Column("written", _KEY, nullable=False),
    sa.Column("key", _KEY, nullable=False),
    sa.UniqueConstraint("kind", "written"),
    sa.Index("registry_names_key", "kind", "key"),
)
firearms = sa.Table(
    "registry_firearms",
    TABLES,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    # Who keeps the record, and its number there: a later import of the same record is known by them.
    sa.Column("source", _KEY, nullable=False),
    sa.Column("source_key", _KEY, nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("import_id", sa.String(64), nullable=False),
    sa.Column("make", sa.Integer, nullable=False),
    sa.Column("model", sa.Integer, nullable=False),
    sa.Column("calibre", sa.Integer, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.UniqueConstraint("source", "source_key"),
    sa.Index("registry_firearms_names", "make", "model"),
)
serials = sa.Table(
    "registry_serials",
    TABLES,
    sa.Column("firearm", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    # Empty for the serial of the firearm itself.
    sa.Column("component", sa.Text, nullable=False),
    sa.Column("written", sa.Text, nullable=False),
    sa.Column("key", _KEY, nullable=False),
    sa.Column("reversed", _KEY, nullable=False),
    sa.Index("registry_serials_key", "key"),
    sa.Index("registry_serials_reversed", "reversed"),
    sqlite_with_rowid=False,
)
# What a record said before it was changed by a later import.
revisions = sa.Table(
    "registry_revisions",
    TABLES,
    sa.Column("firearm", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("import_id", sa.String(64), nullable=False),
    sa.Column("replaced_on", sa.String(32), nullable=False),
)
events = sa.Table(
    "registry_events",
    TABLES,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("firearm", sa.Integer, sa.ForeignKey("registry_firearms.id"), nullable=False, index=True),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("on", sa.String(10), nullable=False),
    sa.Column("unit", sa.Text, nullable=False),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("reference", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    # An event is corrected once; the correction can be corrected in its turn.
    sa.Column("supersedes", sa.Integer, sa.ForeignKey("registry_events.id"), unique=True),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("recorded_on", sa.String(32), nullable=False),
    sa.Column("recorded_by", sa.Text, nullable=False),
    sa.UniqueConstraint("firearm", "digest"),
)


def open_engine(where: str | Path) -> Engine:
    """Return the engine of a registry's database.

    Parameters
    ----------
    where : str or Path
        An SQLite file, or ``postgresql://USER@SERVER/NAME``; the password is read from PGPASSWORD.
    """
    if "://" in str(where):
        return _server(str(where))
    path = Path(where)
    if path.is_dir():
        raise ParameterError(f"{path} is a folder; a registry is a file, or the URL of a PostgreSQL database")

    def configure(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-65536"):
            connection.execute(f"PRAGMA {pragma}")

    engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": 120.0})
    sa.event.listen(engine, "connect", configure)
    sa.event.listen(engine, "begin", _begin)
    return engine


def _server(where: str) -> Engine:
    url = library_tables.database_url(where)
    password = url.password or os.environ.get("PGPASSWORD", "")
    return sa.create_engine(
        url, connect_args={"password": password}, isolation_level="REPEATABLE READ", pool_pre_ping=True
    )


def _begin(connection: Connection) -> None:
    writing = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


@contextmanager
def reading(engine: Engine, where: str) -> Iterator[Connection]:
    """Give a connection that sees the registry as it is now."""
    with library_tables.database_errors(where), engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine, where: str) -> Iterator[Connection]:
    """Give a connection that is the only one to write; what it did is kept, durably, when the block ends."""
    with writing_anew(engine, where) as connection:
        if connection.dialect.name != "sqlite":
            connection.exec_driver_sql(f"LOCK TABLE {about.name} IN EXCLUSIVE MODE")
        yield connection


@contextmanager
def writing_anew(engine: Engine, where: str) -> Iterator[Connection]:
    """Give a connection that writes where there is no registry yet."""
    with (
        library_tables.database_errors(where),
        engine.connect().execution_options(writing=True) as connection,
        connection.begin(),
    ):
        yield connection
