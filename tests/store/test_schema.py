"""The revisions make the tables that the rooms use, in new databases and in those of earlier versions."""

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from library_marks import noise_mark

from ballistics.errors import BallisticsError, UnsupportedFormatError
from ballistics.library import LibraryStore, verify
from ballistics.library.tables import TABLES
from ballistics.records.tables import TABLES as LOG
from ballistics.registry.tables import TABLES as REGISTRY
from ballistics.store import make_schema, open_database, reading, schema_faults, schema_of, update_schema, writing
from ballistics.store.schema import NEWEST

ROOMS = (TABLES, LOG, REGISTRY)


@pytest.fixture
def engine(tmp_path):
    engine = open_database(tmp_path, "sqlite")
    yield engine
    engine.dispose()


def test_revisions_make_the_tables_that_the_rooms_use(engine):
    with writing(engine, "here") as connection:
        make_schema(connection)
    with reading(engine, "here") as connection:
        assert schema_of(connection) == NEWEST
        assert compare_metadata(MigrationContext.configure(connection), list(ROOMS)) == []
        made = set(sa.inspect(connection).get_table_names())
    assert made == {table.name for room in ROOMS for table in room.sorted_tables} | {"alembic_version"}


def test_a_library_made_before_there_were_revisions_keeps_what_it_holds(tmp_path):
    with LibraryStore.create(tmp_path / "library") as library:
        library.enrol(noise_mark(1), "1.x3p")
        with writing(library.engine, "here") as connection:
            for room in ROOMS[1:]:
                room.drop_all(connection)
            connection.exec_driver_sql("DROP TABLE alembic_version")
    with LibraryStore.open(tmp_path / "library") as library:
        assert update_schema(library.engine, "here")
        assert not update_schema(library.engine, "here")
        assert [mark.scan for mark in library.contents().marks] == ["1.x3p"]
        assert verify(library).clean
        with reading(library.engine, "here") as connection:
            assert sa.inspect(connection).has_table("entries")


def test_a_failed_revision_changes_nothing(engine):
    def make():
        with writing(engine, "here") as connection:
            make_schema(connection)
            connection.exec_driver_sql("SELECT * FROM no_such_table")

    with pytest.raises(BallisticsError):
        make()
    with reading(engine, "here") as connection:
        assert schema_of(connection) is None
        assert sa.inspect(connection).get_table_names() == []


def test_tables_of_a_later_version_are_refused(engine):
    with writing(engine, "here") as connection:
        make_schema(connection)
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'later_9999'")
    with pytest.raises(UnsupportedFormatError, match=r"later_9999.*update the program"):
        update_schema(engine, "here")


def test_a_damaged_revision_is_told_not_followed(engine):
    with writing(engine, "here") as connection:
        make_schema(connection)
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = x'00ff'")
    with reading(engine, "here") as connection:
        (fault,) = schema_faults(connection)
    assert "which this program does not know" in fault
    with pytest.raises(UnsupportedFormatError, match="update the program"):
        update_schema(engine, "here")
