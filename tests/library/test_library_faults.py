"""What faults and strangers do to a library: rows altered by SQL, servers nobody named, media not to be written."""

from __future__ import annotations

import json
import shutil
import socket
import sqlite3
import threading

import pytest
from click.testing import CliRunner
from library_marks import noise_mark
from sqlalchemy.engine import make_url

from ballistics.cli import main
from ballistics.errors import BallisticsError, CorruptFileError, ParameterError, WriteError
from ballistics.library import integrity, tables
from ballistics.library.items import Description
from ballistics.search.library import Library
from ballistics.store import databases, servers

MARKS = 3


@pytest.fixture(autouse=True)
def own_list(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("APPDATA", str(tmp_path / "config"))
    monkeypatch.setenv(servers.VARIABLE, "")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "library"
    with Library.create(folder) as library:
        for seed in range(1, MARKS + 2):
            description = Description(calibre="9 mm Luger", incident=f"case {seed}", place="Skopje")
            library.enrol(noise_mark(seed), f"scan-{seed}.x3p", description)
        library.remove(MARKS + 1, "A", "today", "court order")
    return folder


@pytest.fixture
def folder(made, tmp_path):
    shutil.copytree(made, tmp_path / "library")
    return tmp_path / "library"


def by_sql(folder, *statements):
    with sqlite3.connect(folder / "library.sqlite") as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def verified(folder):
    with Library.open(folder) as library:
        return library.verify()


def test_what_is_written_is_sealed(folder):
    assert verified(folder).clean
    assert verified(folder).cautions == ()
    with Library.open(folder) as library:
        library.describe(1, Description(place="Tetovo"))
        library.enrol(noise_mark(2, version="2"), "scan-2.x3p")
        library.renew_templates()
    assert verified(folder).clean


MARK_COLUMNS = [column.name for column in tables.marks.columns if column.name != "id"]


@pytest.mark.parametrize("column", MARK_COLUMNS)
def test_every_column_of_a_mark_altered_by_sql_is_named(folder, column):
    by_sql(folder, f"UPDATE marks SET {column} = CASE typeof({column}) WHEN 'text' THEN {column} || ' ' "
                   f"ELSE {column} * 2 END WHERE id = 2")  # fmt: skip
    assert {fault.mark_id for fault in verified(folder).faults} == {2}


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE templates SET sha256 = 'x' WHERE mark_id = 2", "template"),
        ("UPDATE templates SET slot = 77 WHERE mark_id = 2", "template"),
        ("UPDATE removals SET reason = 'other' WHERE mark_id = 4", "record of its removal, 4"),
        ("UPDATE removals SET removed_by = 'B' WHERE mark_id = 4", "record of its removal, 4"),
        ("DELETE FROM removals WHERE mark_id = 4", "removal of mark 4 was taken out"),
        ("DELETE FROM seals WHERE number = 2", "has no seal"),
        ("UPDATE seals SET sha256 = 'x' WHERE number = 2", "is not as it was written"),
        ("UPDATE marks SET record = '{' WHERE id = 2", "is not as it was written"),
        ("UPDATE stacks SET records = 1", "place that no stack has"),
    ],
)
def test_every_table_altered_by_sql_is_named(folder, statement, words):
    by_sql(folder, statement)
    found = verified(folder).faults
    assert any(words in fault.what for fault in found), found


def test_a_mark_taken_out_or_put_in_by_sql_is_named(folder):
    by_sql(folder, "DELETE FROM templates WHERE mark_id = 2", "DELETE FROM marks WHERE id = 2")
    assert "mark 2 was taken out of the database" in verified(folder).faults[0].what
    columns = ", ".join(MARK_COLUMNS).replace("identity", "'forged'", 1)
    by_sql(folder, f"INSERT INTO marks ({', '.join(MARK_COLUMNS)}) SELECT {columns} FROM marks WHERE id = 1")
    assert any("has no seal" in fault.what for fault in verified(folder).faults)


def test_an_altered_record_is_an_error_of_ours_everywhere(folder):
    by_sql(folder, "UPDATE marks SET record = '[' WHERE id = 2")
    with Library.open(folder) as library:
        with pytest.raises(CorruptFileError, match="mark 2"):
            library.contents()
        assert library.entry(1).scan == "scan-1.x3p"


def test_a_library_of_an_earlier_version_is_checked_as_far_as_it_can_be_and_sealed_from_then_on(folder):
    for table in ("seals", "alembic_version"):
        by_sql(folder, f"DROP TABLE {table}")
    found = verified(folder)
    assert found.clean
    assert "without seals" in found.cautions[0]
    with Library.open(folder) as library:
        library.enrol(noise_mark(9), "scan-9.x3p", Description())
        number = library.contents().marks[-1].id
    found = verified(folder)
    assert found.clean
    assert "4 rows were written by an earlier version" in found.cautions[0]
    by_sql(folder, f"UPDATE marks SET incident = 'x' WHERE id = {number}")
    assert [fault.mark_id for fault in verified(folder).faults] == [number]


def test_a_backup_has_the_seals(folder, tmp_path):
    with Library.open(folder) as library:
        assert library.backup(tmp_path / "copy").clean
    by_sql(tmp_path / "copy", "UPDATE marks SET place = 'x' WHERE id = 1")
    assert [fault.mark_id for fault in verified(tmp_path / "copy").faults] == [1]


@pytest.fixture
def listener():
    """Listen as an evil server does, and keep what is sent."""
    received = []
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(5)

        def serve():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                received.append(b"connected")
                with connection:
                    # AuthenticationCleartextPassword
                    received.append(connection.recv(4096))
                    connection.sendall(b"R\x00\x00\x00\x08\x00\x00\x00\x03")
                    received.append(connection.recv(4096))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1], received
        server.shutdown(socket.SHUT_RDWR)
    thread.join(timeout=10)


def evil(tmp_path, port):
    folder = tmp_path / "evil"
    folder.mkdir()
    database = f"postgresql+pg8000://lab@127.0.0.1:{port}/library"
    content = {"schema": "ballistics/library", "version": 1, "id": "x", "database": database}
    (folder / "library.json").write_text(json.dumps(content))
    return folder


def test_a_strangers_library_is_sent_nothing(tmp_path, listener, monkeypatch):
    pytest.importorskip("pg8000")
    monkeypatch.setenv("PGPASSWORD", "secret of the laboratory")
    port, received = listener
    folder = evil(tmp_path, port)
    for arguments in (["list"], ["verify"], ["renew"], ["backup"]):
        more = [str(tmp_path / "copy")] if arguments == ["backup"] else []
        done = CliRunner().invoke(main, ["library", *arguments, str(folder), *more])
        assert isinstance(done.exception, ParameterError | SystemExit)
        assert "which you have not named: nothing was sent to it" in f"{done.exception}{done.output}"
    assert received == []
    # Another server that the user named does not stand for this one.
    servers.remember(make_url(f"postgresql+pg8000://lab@127.0.0.1:{port + 1}/library"))
    servers.remember(make_url(f"postgresql+pg8000://other@127.0.0.1:{port}/library"))
    with pytest.raises(ParameterError, match="have not named"):
        Library.open(folder)
    assert received == []
    # Whoever names it is asked by it.
    with pytest.raises(BallisticsError):
        Library.open(folder, f"postgresql://lab@127.0.0.1:{port}/library")
    assert received


def test_the_fault_of_the_report_is_refused(tmp_path, monkeypatch):
    pytest.importorskip("pg8000")
    with pytest.raises(ParameterError, match="have not named"):
        Library.open(evil(tmp_path, 55999))


@pytest.mark.parametrize(
    ("url", "encrypted", "checked"),
    [
        ("postgresql://lab@db.example/library", True, True),
        ("postgresql://lab@192.0.2.7:5433/library", True, True),
        ("postgresql://lab@127.0.0.1/library", False, False),
        ("postgresql://lab@localhost/library", False, False),
        ("postgresql://lab@[::1]/library", False, False),
        ("postgresql://lab@127.0.0.1/library?sslmode=verify-full", True, True),
        ("postgresql://lab@db.example/library?sslmode=require", True, False),
        ("postgresql://lab@db.example/library?sslmode=disable", False, False),
    ],
)
def test_every_server_but_this_machine_is_spoken_to_in_tls(url, encrypted, checked):
    bare, options = servers.secured(make_url(url))
    assert "sslmode" not in bare.query
    assert ("ssl_context" in options) == encrypted
    if encrypted:
        assert options["ssl_context"].check_hostname == checked


def test_how_a_server_is_spoken_to_is_the_users_word_not_the_folders(tmp_path):
    servers.remember(make_url("postgresql+pg8000://lab@db.example/one"))
    found = servers.named(make_url("postgresql+pg8000://lab@DB.example:5432/two?sslmode=disable"))
    assert str(found) == "postgresql+pg8000://lab@db.example/two"


def test_a_server_that_answers_nonsense_is_an_error_of_ours(tmp_path, monkeypatch):
    pytest.importorskip("pg8000")
    monkeypatch.setenv("PGPASSWORD", "x")
    for answer in (
        b"",
        b"\x00" * 50,
        b"R\x00\x00\x00\x04",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"R\x00\x00\x00\x09\xff\xff\xff\xffx",
    ):
        with socket.socket() as server:
            server.bind(("127.0.0.1", 0))
            server.listen(1)

            def serve(server=server, answer=answer):
                connection, _ = server.accept()
                with connection:
                    connection.recv(4096)
                    connection.sendall(answer)

            thread = threading.Thread(target=serve, daemon=True)
            thread.start()
            port = server.getsockname()[1]
            shutil.rmtree(tmp_path / "evil", ignore_errors=True)
            with pytest.raises(WriteError, match="does not answer as it should") as failed:
                Library.open(evil(tmp_path, port), f"postgresql://lab@127.0.0.1:{port}/library")
            thread.join(timeout=10)
            assert "None" not in str(failed.value)


@pytest.fixture
def read_only(folder, monkeypatch):
    for module in (databases, integrity):
        monkeypatch.setattr(module, "is_writable", lambda place: place != folder)
    return folder


def test_a_library_that_cannot_be_written_is_listed_searched_checked_and_copied(read_only, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in read_only.rglob("*")}
    with Library.open(read_only) as library:
        assert len(library.contents().marks) == MARKS
        result = library.search(noise_mark(1), top=2)
        assert [entry.id for entry in result.same_scan] == [1]
        assert result.n_compared == 2
        assert library.verify().clean
        assert library.backup(tmp_path / "copy").clean
        assert {path: path.stat().st_mtime_ns for path in read_only.rglob("*")} == before
        with pytest.raises(WriteError, match=r"cannot be written: .*nothing was changed"):
            library.enrol(noise_mark(8), "scan-8.x3p")
        with pytest.raises(WriteError, match="leave --tidy out"):
            library.verify(tidy=True)


@pytest.mark.parametrize("length", [0, 100, 5000, 20_000, 40_000])
def test_a_truncated_database_is_an_error_of_ours(folder, length):
    path = folder / "library.sqlite"
    path.write_bytes(path.read_bytes()[:length])
    try:
        said = [fault.what for fault in verified(folder).faults]
    except BallisticsError as error:
        said = [str(error)]
    assert said
    assert "None" not in " ".join(said)


def test_an_unreadable_stack_is_an_error_of_ours(folder):
    (stack,) = (folder / "templates").glob("*.stack")
    stack.unlink()
    stack.mkdir()
    with Library.open(folder) as library:
        assert {fault.mark_id for fault in library.verify().faults} == set(range(1, MARKS + 1))
        with pytest.raises(CorruptFileError, match=r"the templates, cannot be read|holds . templates"):
            library.search(noise_mark(1))
        with pytest.raises(WriteError, match="Is a directory"):
            library.enrol(noise_mark(8), "scan-8.x3p")


@pytest.mark.parametrize(
    "header", ["(((((", "{'descr': '<f4' * 10, 'shape': (1,)}", "{'shape': (999999999, 999999999)}"]
)
def test_a_forged_array_is_an_error_of_ours(folder, header):
    for path in (folder / "arrays").rglob("*.npy"):
        text = header.encode().ljust(117) + b"\n"
        path.write_bytes(b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + path.read_bytes()[128:])
    with Library.open(folder) as library:
        assert len(library.verify().faults) == MARKS
        with pytest.raises(CorruptFileError, match="backup"):
            library.mark(1)


def test_a_table_that_was_made_otherwise_is_found(folder):
    by_sql(folder, "DROP TABLE seals")
    faults = [fault.what for fault in verified(folder).faults]
    assert "the database was changed: the table or index 'seals' is not as this program makes it" in faults
    by_sql(folder, "UPDATE alembic_version SET version_num = 'other'")
    assert any("the revision 'other', which this program does not know" in f.what for f in verified(folder).faults)
