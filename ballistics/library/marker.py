"""The file that says that a folder is a library, which one, and where its rows are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ballistics.errors import CorruptFileError, ReadError, UnsupportedFormatError
from ballistics.files import is_temporary, parse_json, reason, write_whole

SCHEMA, VERSION = "ballistics/library", 1
_MARKER = "library.json"
_MOST_BYTES = 1 << 20


def write_marker(folder: Path, identifier: str, database: str) -> None:
    """Write the file that says that a folder is a library, last and whole.

    Parameters
    ----------
    folder : Path
        Of the library; it exists.
    identifier : str
        By which backups and searches know the library.
    database : str
        Where its rows are: `ballistics.library.tables.SQLITE`, or the address of a server without its password.

    Raises
    ------
    WriteError
        When it cannot be written.
    """
    content = {"schema": SCHEMA, "version": VERSION, "id": identifier, "database": database}
    write_whole(folder / _MARKER, (json.dumps(content, indent=1) + "\n").encode())


def holds_nothing(folder: Path) -> bool:
    """Return whether a folder is empty, or holds only what a killed process left of its own marker."""
    return all(is_temporary(path.name, _MARKER) for path in folder.iterdir())


def read_marker(folder: Path) -> dict[str, str]:
    """Read the file that says that a folder is a library; errors as of `Library.open`."""
    path = folder / _MARKER
    try:
        with open(path, "rb") as file:
            data = file.read(_MOST_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        raise ReadError(f"{folder} is not a library; `ballistics library create` makes one") from None
    except OSError as error:
        raise ReadError(f"{path} cannot be read: {reason(error)}") from error
    content = parse_json(data, str(path), "the description of a library")
    if not isinstance(content, dict):
        raise CorruptFileError(f"{path} is not the description of a library")
    check_version(folder, content.get("schema"), content.get("version"))
    if not all(isinstance(content.get(name), str) for name in ("id", "database")):
        raise CorruptFileError(f"{path} is not the description of a library")
    return content


def check_version(folder: Path, schema: Any, version: Any) -> None:
    """Refuse what is no library, or one that a later version wrote.

    Parameters
    ----------
    folder : Path
        For the message.
    schema, version : object
        What the file or the database says, not checked yet.

    Raises
    ------
    CorruptFileError
        When it says that it is something else.
    UnsupportedFormatError
        When a later version of the program wrote it.
    """
    if schema != SCHEMA or not str(version).isdecimal() or int(version) < 1:
        raise CorruptFileError(f"{folder} is not a library: it says '{schema}', version '{version}'")
    if int(version) > VERSION:
        raise UnsupportedFormatError(
            f"{folder} was written by a later version of this program (library version {version}, this one knows "
            f"{VERSION}): update the program"
        )
