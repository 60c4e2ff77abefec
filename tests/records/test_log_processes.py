"""Several processes that record at once, on SQLite and on PostgreSQL: one unbroken chain, nothing is lost."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from signed_log import LIBRARY, begun_log

from ballistics.records import Log, verify_log
from ballistics.records.log import _entry, _write
from ballistics.records.views import View
from ballistics.store import open_database, writing

SCRIPT = Path(__file__).with_name("log_processes.py")
PROCESSES, EACH = 10, 12

pytestmark = pytest.mark.usefixtures("both_databases")


@pytest.fixture
def begun(tmp_path, both_databases):
    log, key = begun_log(tmp_path)
    yield log, key, "sqlite" if both_databases.port is None else log.engine.url.render_as_string(hide_password=False)
    log.engine.dispose()


@pytest.mark.skipif(os.name == "nt", reason="processes are forked")
@pytest.mark.slow
def test_ten_processes_recording_at_once_make_one_unbroken_chain(begun, tmp_path):
    log, key, database = begun
    secret = key.private.private_bytes_raw().hex()
    command = [sys.executable, str(SCRIPT), str(tmp_path), database, str(PROCESSES), str(EACH), secret]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    acknowledged = [line.split() for line in done.stdout.splitlines()]
    assert len(acknowledged) == PROCESSES * EACH
    rows = {row.number: row for row in log.rows()}
    assert sorted(rows) == list(range(1, 2 + PROCESSES * EACH + 1))
    for number, digest, record in acknowledged:
        assert (rows[int(number)].hash, rows[int(number)].record) == (digest, record)
    assert verify_log(log, LIBRARY).clean


def test_who_waited_for_the_lock_sees_the_newest_head(begun, tmp_path):
    """A transaction that sees the database as it was before the wait would write a second entry of the same number."""
    log, key, database = begun
    second = Log(open_database(tmp_path, database), "the log")
    second.append(key, "item", "K-0", {})  # its pool holds a connection that was used
    found = []
    thread = threading.Thread(target=lambda: found.append(second.append(key, "item", "K-2", {})))
    with writing(log.engine, "the log") as connection:
        thread.start()
        time.sleep(0.3)
        first = _entry(View(connection), key, "item", "K-1", {})
        _write(connection, first, key)
        assert not found
    thread.join()
    assert (first.number, found[0].number, found[0].previous) == (4, 5, first.hash)
    assert verify_log(log, LIBRARY).clean
    second.engine.dispose()
