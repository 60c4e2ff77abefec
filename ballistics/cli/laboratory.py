"""The laboratory that a command works in, and the key that it signs with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

if TYPE_CHECKING:
    from ballistics.casework import Casebook
    from ballistics.records import SigningKey

PASSPHRASE_VARIABLE = "BALLISTICS_PASSPHRASE"
LABORATORY = click.argument("laboratory", type=click.Path(exists=True, file_okay=False, path_type=Path))
KEY = click.option(
    "--key",
    "key_file",
    required=True,
    envvar="BALLISTICS_KEY",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Your key (`ballistics case key make`). Default: the file that the variable BALLISTICS_KEY names. The "
    f"passphrase is asked for, or read from the variable {PASSPHRASE_VARIABLE}.",
)


def opened(laboratory: Path, database: str | None) -> Casebook:
    """Open the casebook of a laboratory; say so where its log is not the one that this user has seen before."""
    from ballistics.casework import Casebook
    from ballistics.errors import ParameterError

    book = Casebook.open(laboratory, database)
    try:
        told = book.remember()
    except ParameterError:  # there is no log yet, which the command itself says where it needs one
        told = None
    if told is not None:
        click.echo(f"WARNING: {told}", err=True)
    return book


def signing_key(path: Path) -> SigningKey:
    """Read a key; its passphrase is asked for without showing it, unless the environment holds it."""
    from ballistics.records import read_key

    return read_key(path, passphrase("Passphrase of the key"))


def passphrase(prompt: str, *, confirm: bool = False) -> str:
    """Return the passphrase that the environment holds, or the user types."""
    import os

    held = os.environ.get(PASSPHRASE_VARIABLE)
    return held if held is not None else click.prompt(prompt, hide_input=True, confirmation_prompt=confirm, err=True)
