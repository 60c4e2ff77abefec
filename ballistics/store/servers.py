"""Database servers that the user has named: a library's folder alone must not decide to whom a password is sent."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from ballistics.errors import ParameterError, WriteError
from ballistics.files import reason, write_whole

#: URLs separated by blanks; set for this process and those it starts.
VARIABLE = "BALLISTICS_DATABASES"
_LIST = "databases.txt"
_MODES = ("verify-full", "require", "disable")
_OWN = ("sslmode", "sslrootcert")


def list_path() -> Path:
    """Return where the user's own list lies: a URL a line, without passwords."""
    if os.name == "nt":
        base = Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming")
    else:
        base = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return base / "ballistics" / _LIST


def named(url: URL) -> URL | None:
    """Return the URL by which the user has named a server; None when no such server, port and user was named."""
    for own in _known():
        if _place(own) == _place(url):
            return own.set(database=url.database)
    return None


def name_for_now(url: URL) -> None:
    """Take a server as named in this process and those it starts."""
    text = without_password(url)
    known = os.environ.get(VARIABLE, "").split()
    if text not in known:
        os.environ[VARIABLE] = " ".join([text, *known])


def remember(url: URL) -> None:
    """Take a server as named from now on: add it to the user's own list.

    Where the list cannot be written, it is named for this process, and later commands say what to do.
    """
    name_for_now(url)
    text, path = without_password(url), list_path()
    with contextlib.suppress(OSError, UnicodeError, WriteError):
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        if text not in lines:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, "".join(f"{line}\n" for line in [*lines, text]).encode())


def refusal(folder: Path, url: URL) -> ParameterError:
    """Return why a library is not opened: its folder names a server that the user has not."""
    stated = without_password(url).replace("postgresql+pg8000://", "postgresql://")
    return ParameterError(
        f"{folder} keeps its rows on the database server '{url.host or 'of this machine'}', which you have not named: "
        f"nothing was sent to it. If it is yours, give --database {stated}, or add that line to {list_path()}"
    )


def without_password(url: URL) -> str:
    """Return a URL as it may be written down."""
    kept = URL.create(
        url.drivername, url.username, host=url.host, port=url.port, database=url.database, query=url.query
    )
    return kept.render_as_string()


def is_loopback(host: str | None) -> bool:
    """Return whether a server is this machine itself.

    Examples
    --------
    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("db.example")
    (True, True, False)
    """
    if not host or host == "localhost" or host.startswith("/"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def secured(url: URL) -> tuple[URL, dict[str, Any]]:
    """Return a URL without its options of security, and what the driver is to be told of them.

    ``sslmode`` is ``verify-full`` (the default for every server but this machine: encrypted, and the certificate must
    be that of the server), ``require`` (encrypted, whoever answers) or ``disable``; ``sslrootcert`` names a file of
    certificates to trust instead of the system's.

    Raises
    ------
    ParameterError
        For another mode, or certificates that cannot be read.
    """
    mode = _text(url.query, "sslmode") or ("disable" if is_loopback(url.host) else "verify-full")
    certificates = _text(url.query, "sslrootcert")
    if mode not in _MODES:
        raise ParameterError(f"sslmode '{mode}' is none of {', '.join(_MODES)}")
    bare = url.difference_update_query(_OWN)
    if mode == "disable":
        return bare, {}
    try:
        context = ssl.create_default_context(cafile=certificates)
    except OSError as error:
        raise ParameterError(f"the certificates {certificates} cannot be read: {reason(error)}") from error
    if mode == "require":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return bare, {"ssl_context": context}


def _text(query: Mapping[str, Any], name: str) -> str | None:
    value = query.get(name)
    return value if value is None or isinstance(value, str) else str(value[-1])


def _place(url: URL) -> tuple[str, int, str]:
    return (url.host or "").casefold(), url.port or 5432, url.username or ""


def _known() -> Iterator[URL]:
    path = list_path()
    lines = os.environ.get(VARIABLE, "").split()
    try:
        lines += path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    except (OSError, UnicodeError) as error:
        said = reason(error) if isinstance(error, OSError) else str(error)
        raise ParameterError(f"{path}, your list of database servers, cannot be read: {said}") from error
    for line in lines:
        if line.strip() and not line.startswith("#"):
            try:
                yield make_url(line.strip()).set(drivername="postgresql+pg8000")
            except ArgumentError:
                raise ParameterError(
                    f"'{line.strip()}' is not the URL of a database (postgresql://USER@SERVER/DATABASE): mend {path}"
                ) from None
