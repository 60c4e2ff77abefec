"""A file of SQLite that somebody else has altered: bytes that are no text, tables of another make."""

import sqlite3

import pytest
from signed_log import LIBRARY, filled_log

from ballistics.errors import BallisticsError
from ballistics.records import verify_log


def faults(log):
    return [(fault.number, fault.what) for fault in verify_log(log, LIBRARY).faults]


@pytest.mark.parametrize("value", ["x'ff'", "CAST(x'ff' AS TEXT)", "''", "x''", "17", "char(0)", "'{}'"])
@pytest.mark.parametrize("column", ["kind", "record", "case_id", "content", "hash", "signature"])
@pytest.mark.slow
def test_bytes_that_are_no_text_are_a_fault_of_their_entry(column, value, tmp_path):
    log, _ = filled_log(tmp_path)
    with sqlite3.connect(tmp_path / "library.sqlite") as connection:
        connection.execute(f"UPDATE entries SET {column} = {value} WHERE number = 6")
    connection.close()
    assert 6 in {number for number, _ in faults(log)}
    log.engine.dispose()


def test_a_table_of_another_make_ends_in_an_error_of_this_package(tmp_path):
    log, _ = filled_log(tmp_path)
    log.engine.dispose()
    with sqlite3.connect(tmp_path / "library.sqlite") as connection:
        connection.execute("CREATE TABLE others AS SELECT * FROM entries")
        connection.execute("DROP TABLE entries")
        connection.execute("ALTER TABLE others RENAME TO entries")
        connection.execute("UPDATE entries SET number = 'seven' WHERE number = 7")
        connection.execute("UPDATE entries SET number = NULL, hash = NULL WHERE number = 8")
    connection.close()
    assert "inserted" in {what for _, what in faults(log)}
    with sqlite3.connect(tmp_path / "library.sqlite") as connection:
        connection.execute("ALTER TABLE entries DROP COLUMN signature")
    connection.close()
    with pytest.raises(BallisticsError):
        verify_log(log, LIBRARY)
    log.engine.dispose()
