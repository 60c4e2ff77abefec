"""Options that the verbs of the registry share."""

from __future__ import annotations

import getpass
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from ballistics.cli.laboratory import signing_key
from ballistics.errors import ParameterError

if TYPE_CHECKING:
    from ballistics.registry import Registry

FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)
DATABASE = click.option(
    "--database",
    metavar="URL",
    help="The PostgreSQL database of the rows, postgresql://USER@SERVER/NAME, when its server is not on your list.",
)
BY = click.option("--by", default=None, help="Who records it. Default: the name you are logged in by.")
KEY = click.option(
    "--key",
    "key_file",
    envvar="BALLISTICS_KEY",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Your key (`ballistics case key make`), needed where the laboratory keeps a signed log. Default: the file "
    "that the variable BALLISTICS_KEY names.",
)
OVERWRITE = click.option("--overwrite", is_flag=True, help="Replace outputs that exist.")


@contextmanager
def writable(library: Path, database: str | None, key_file: Path | None) -> Iterator[Registry]:
    """Open a registry to write to it; the key is read where the laboratory keeps a signed log.

    Parameters
    ----------
    library : Path
        Folder of the laboratory's library.
    database : str or None
        Address of its database, where it is not in the folder.
    key_file : Path or None
        Of the operator who signs; its passphrase is asked for.
    """
    from ballistics.registry import Registry

    with Registry.open(library, database) as registry:
        with registry.reading() as connection:
            is_signed = registry.signing.has_begun(connection)
        if not is_signed or key_file is None:
            yield registry
            return
        yield Registry(registry.library, signing_key(key_file))


def recorder(by: str | None) -> str:
    """Return who records something."""
    from ballistics.registry import clean_text

    if by:
        return clean_text(by, "--by")
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in some containers
        raise ParameterError("this computer does not say who you are: state it with --by") from None


def today() -> str:
    """Return the day, where this computer is."""
    from datetime import datetime

    return datetime.now().astimezone().date().isoformat()


def write_table(path: Path, names: Sequence[str], rows: Iterable[Iterable[Any]]) -> None:
    """Write a table for spreadsheets, whole or not at all, row by row as they come; `files.write_csv` says how.

    Parameters
    ----------
    path : Path
        A file that does not exist.
    names : sequence of str
        Headings.
    rows : iterable of rows
        Values in the order of the headings.
    """
    from ballistics.files import write_csv, written_whole

    with written_whole(path) as part, open(part, "w", encoding="utf-8-sig", newline="", errors="replace") as file:
        write_csv(file, names, rows)
