"""A PostgreSQL server for tests, in a folder of its own; and an empty database on it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PASSWORD = "secret of the test"


def _program(name: str) -> str:
    found = shutil.which(name) or next(iter(sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))), None)
    if found is None:
        pytest.skip(f"no PostgreSQL server on this machine ({name}): not tested against one")
    return str(found)


@contextmanager
def postgresql_server() -> Iterator[int]:
    """Start a server and give its port; PostgreSQL refuses to run as root. Skip the test where there is none."""
    pwd = pytest.importorskip("pwd", reason="the server is started as on Unix")
    pytest.importorskip("pg8000", reason="the extra 'postgresql' is not installed")
    as_root = os.geteuid() == 0
    user: dict[str, object] = {}
    if as_root:
        try:
            entry = pwd.getpwnam("postgres")
        except KeyError:
            pytest.skip("PostgreSQL does not run as root, and there is no user 'postgres': not tested against one")
        user = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    folder = Path(tempfile.mkdtemp(prefix="ballistics-postgresql-"))
    try:
        if as_root:
            os.chown(folder, entry.pw_uid, entry.pw_gid)
        password = folder / "password"
        password.write_text(f"{PASSWORD}\n")
        password.chmod(0o644)
        data = folder / "data"
        common = {"check": True, "capture_output": True, "cwd": folder, "timeout": 120, **user}
        subprocess.run(
            [_program("initdb"), "-D", data, "-U", "lab", "-A", "scram-sha-256", "--pwfile", password, "-E", "UTF8"],
            **common,
        )
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
        control = [_program("pg_ctl"), "-D", data, "-w", "-l", folder / "log"]
        subprocess.run([*control, "-o", options, "start"], **common)
        try:
            yield port
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], **common)
    finally:
        shutil.rmtree(folder)


def empty_database(port: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str = "library") -> str:
    """Return the URL of an empty database; its password is in the environment of this test."""
    import pg8000.native

    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("BALLISTICS_DATABASES", "")
    with pg8000.native.Connection("lab", "127.0.0.1", "postgres", port, PASSWORD) as connection:
        connection.run(f"DROP DATABASE IF EXISTS {name}")
        connection.run(f"CREATE DATABASE {name}")
    return f"postgresql://lab@127.0.0.1:{port}/{name}"
