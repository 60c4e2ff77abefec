"""The revisions of the tables: made by Alembic, one after the other, in the transaction of the caller.

A room that needs a table adds a file to ``revisions/versions``, the newest there as ``down_revision``. It makes
the table with Alembic's operations and imports nothing of this project: what a revision makes must never change again.
The same table stands in the room as a `sqlalchemy.Table`; a test compares the two.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from ballistics.errors import UnsupportedFormatError
from ballistics.store.databases import ABOUT, SQLITE, reading, writing

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy.engine import Connection, Engine

_FOLDER = Path(__file__).parent / "revisions"
# Libraries made before there were revisions hold the tables of this one.
_FIRST = "library_0001"
#: The newest revision in the folder: stated here, since Alembic, which would find it, takes half a second to import.
NEWEST = "registry_0003"
_STATED = "alembic_version"


def make_schema(connection: Connection) -> None:
    """Make all tables of an empty database, or bring those of an earlier version up to date."""
    from alembic import command

    config = _config(connection)
    if schema_of(connection) is None and sa.inspect(connection).has_table(ABOUT):
        command.stamp(config, _FIRST)
    command.upgrade(config, "head")


def update_schema(engine: Engine, where: str) -> bool:
    """Bring the tables of a database up to date; tables of this version are left as they are.

    Parameters
    ----------
    engine : sqlalchemy.engine.Engine
        From `open_database`.
    where : str
        Its name, for messages.

    Returns
    -------
    bool
        Whether a table was made or changed.

    Raises
    ------
    UnsupportedFormatError
        When a later version of this program has changed them.
    WriteError
        When the database cannot be written.
    """
    with reading(engine, where) as connection:
        held = schema_of(connection)
    if held == NEWEST:
        return False
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(_FOLDER))
    if held is not None and held not in {script.revision for script in scripts.walk_revisions()}:
        raise UnsupportedFormatError(
            f"{where}: its tables are those of a later version of this program ({held}): update the program"
        )
    with writing(engine, where) as connection:
        make_schema(connection)
    return True


def schema_of(connection: Connection) -> str | None:
    """Return the revision of a database's tables; None when they were made before there were revisions, or are none."""
    if not sa.inspect(connection).has_table(_STATED):
        return None
    # A damaged table can hold several, and bytes instead of text: then they are what no revision is called.
    heads = connection.scalars(sa.select(sa.table(_STATED, sa.column("version_num")).c.version_num))
    return ", ".join(str(head) for head in heads) or None


def _config(connection: Connection) -> Config:
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    return config


def schema_faults(connection: Connection) -> list[str]:
    """Return which tables and indexes of an SQLite database are not as the revisions make them, a sentence each.

    Of PostgreSQL nothing is told: its server keeps its own catalogue.
    """
    from alembic import command
    from alembic.util import CommandError

    held = schema_of(connection)
    if connection.dialect.name != SQLITE or held is None:
        return []
    engine = sa.create_engine("sqlite://")
    try:
        with engine.begin() as made:
            command.upgrade(_config(made), held)
            expected = _statements(made)
    except CommandError:
        return [f"its tables state the revision '{held}', which this program does not know"]
    finally:
        engine.dispose()
    found = _statements(connection)
    names = sorted(name for name in {*expected, *found} if expected.get(name) != found.get(name))
    return [f"the table or index '{name}' is not as this program makes it" for name in names]


def _statements(connection: Connection) -> dict[str, str]:
    rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    # Names mean the same in small letters and capitals; blanks are those of whoever wrote the statement.
    return {str(row[0]).lower(): "".join(str(row[1]).lower().split()) for row in rows}
