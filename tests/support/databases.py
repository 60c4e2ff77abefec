"""Where tests of logs and laboratories keep their rows: SQLite, and databases of a real PostgreSQL server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from postgresql_server import PASSWORD


def _connected(port: int | None, name: str = "postgres") -> Any:
    import pg8000.native

    return pg8000.native.Connection("lab", "127.0.0.1", name, port, PASSWORD)


class Databases:
    """Where the logs and laboratories of a test module keep their rows: SQLite, or PostgreSQL databases."""

    def __init__(self, port: int | None = None) -> None:
        self.port = port
        # Each with the test that made it.
        self._made: dict[str, str] = {}

    def new(self) -> str | None:
        """Return the URL of an empty database; None for SQLite in the folder of who asks.

        A new database takes time to make and to delete: those of earlier tests to which nobody is connected are
        emptied and used again.
        """
        if self.port is None:
            return None
        test = os.environ.get("PYTEST_CURRENT_TEST", "").partition(" (")[0]
        name = next(filter(self._is_idle, (name for name, by in self._made.items() if by != test)), None)
        if name is None:
            name = f"made_{len(self._made)}"
            with _connected(self.port) as connection:
                connection.run(f"CREATE DATABASE {name}")
        else:
            with _connected(self.port, name) as connection:
                connection.run("DROP SCHEMA public CASCADE")
                connection.run("CREATE SCHEMA public")
        self._made[name] = test
        return f"postgresql://lab@127.0.0.1:{self.port}/{name}"

    def _is_idle(self, name: str) -> bool:
        with _connected(self.port) as connection:
            return not connection.run("SELECT count(*) FROM pg_stat_activity WHERE datname = :name", name=name)[0][0]


#: What `signed_log` and `casework_story` use; the fixture `both_databases` sets it for a module.
USED = Databases()


@contextmanager
def used(port: int | None, config: Path) -> Iterator[Databases]:
    """Use a server's databases, or SQLite, while the block runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PGPASSWORD", PASSWORD)
        patch.setenv("XDG_CONFIG_HOME", str(config))
        patch.setenv("BALLISTICS_DATABASES", "")
        USED.port = port
        try:
            yield USED
        finally:
            USED.port = None
