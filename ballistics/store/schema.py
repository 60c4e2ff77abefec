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
from ballistics.store.databases import ABOUT, reading, writing

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy.engine import Connection, Engine

_FOLDER = Path(__file__).parent / "revisions"
# Libraries made before there were revisions hold the tables of this one.
_FIRST = "library_0001"


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
    from alembic.script import ScriptDirectory

    with reading(engine, where) as connection:
        held = schema_of(connection)
        scripts = ScriptDirectory.from_config(_config(connection))
    if held == scripts.get_current_head():
        return False
    if held is not None and held not in {script.revision for script in scripts.walk_revisions()}:
        raise UnsupportedFormatError(
            f"{where}: its tables are those of a later version of this program ({held}): update the program"
        )
    with writing(engine, where) as connection:
        make_schema(connection)
    return True


def schema_of(connection: Connection) -> str | None:
    """Return the revision of a database's tables; None when they were made before there were revisions, or are none."""
    from alembic.migration import MigrationContext

    return MigrationContext.configure(connection).get_current_revision()


def _config(connection: Connection) -> Config:
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    return config
