"""Commands made from the kinds of records: one to add a record of each kind, one to amend it, one to list them.

The options of a command are the fields of the kind: what a field means is stated once, where it is declared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import Field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from ballistics.cli.laboratory import KEY, LABORATORY, opened, signing_key
from ballistics.cli.library import DATABASE

if TYPE_CHECKING:
    from ballistics.casework import Casebook, Record

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def add_commands(group: click.Group, kinds: Iterable[type[Record]]) -> None:
    """Add the groups ``add``, ``amend`` and ``list`` with a command for each kind."""
    adding = click.RichGroup(name="add", help="Record something new. It is signed, and never overwritten.")
    amending = click.RichGroup(
        name="amend", help="Record another version of a record, with a reason; the earlier ones stay."
    )
    listing = click.RichGroup(name="list", help="List the records of a kind, as they are now.")
    for kind in kinds:
        adding.add_command(_add(kind))
        amending.add_command(_amend(kind))
        # What an examiner of a blind case must not see is shown by `ballistics case show`, which asks for the key.
        if kind.KIND != "information":
            listing.add_command(_list(kind))
    for each in (adding, amending, listing):
        group.add_command(each)


def _add(kind: type[Record]) -> click.Command:
    def run(laboratory: Path, identifier: str, key_file: Path, database: str | None, **given: Any) -> None:
        with opened(laboratory, database) as book:
            key = signing_key(key_file)
            record = kind(id=identifier, **_values(book, kind, given))
            entry = book.record(key, record)
        click.echo(f"{kind.KIND} '{identifier}': entry {entry.number}")

    return _command(kind, run, kind.__doc__ or "", amending=False)


def _amend(kind: type[Record]) -> click.Command:
    def run(laboratory: Path, identifier: str, key_file: Path, database: str | None, reason: str, **given: Any) -> None:
        with opened(laboratory, database) as book:
            key = signing_key(key_file)
            known = book.get(kind, identifier)
            record = replace(known.record, **_values(book, kind, given))
            entry = book.amend(key, record, reason, supersedes=known.entry.number)
        click.echo(f"{kind.KIND} '{identifier}': entry {entry.number} in place of {known.entry.number}")

    text = f"Amend {_article(kind.KIND)} {kind.KIND}: fields that are not given stay as they were."
    amended = _command(kind, run, text, amending=True)
    amended.params.append(click.Option(["--reason"], required=True, help="Why it is amended."))
    return amended


def _list(kind: type[Record]) -> click.Command:
    @click.command(kind.KIND, help=f"List every {kind.KIND}, of a case or of all.")
    @LABORATORY
    @DATABASE
    @click.option("--case", help="Of this case only.")
    @click.option("--history", "identifier", help="All versions of the record with this identifier.")
    def run(laboratory: Path, database: str | None, case: str | None, identifier: str | None) -> None:
        from rich.table import Table

        from ballistics.cli.terminal import console

        with opened(laboratory, database) as book:
            found = book.history(kind, identifier) if identifier is not None else book.all(kind, case)
        shown = [each.name for each in fields(kind) if any(getattr(entry.record, each.name) for entry in found)]
        table = Table(*shown, "entry", "by", "recorded")
        for each in found:
            values = (_shown(getattr(each.record, name)) for name in shown)
            table.add_row(*values, str(each.entry.number), each.by.operator, each.entry.time)
        if found:
            console().print(table)
        else:
            click.echo(f"no {kind.KIND} is recorded")

    return run


def _command(kind: type[Record], run: Callable[..., None], text: str, *, amending: bool) -> click.Command:
    made = click.RichCommand(name=kind.KIND, callback=run, help=text)
    options: list[click.Parameter] = [
        click.Argument(["laboratory"], type=click.Path(exists=True, file_okay=False, path_type=Path)),
        click.Argument(["identifier"]),
    ]
    options += [_option(each, amending) for each in fields(kind) if each.name != "id"]
    made.params = options
    return DATABASE(KEY(made))


def _option(each: Field[Any], amending: bool) -> click.Option:
    declared: Mapping[str, Any] = each.metadata
    name, text = f"--{each.name.replace('_', '-')}", str(declared["help"])
    if declared.get("list"):
        text += f" (a word of the list '{declared['list']}': `ballistics case words`)"
    if type(each.default) is bool:
        return click.Option([f"{name}/--not-{each.name.replace('_', '-')}"], default=None, help=text)
    is_file = _names_files(each)
    kind: Any = _FILE if is_file else float if each.default is None else str
    return click.Option(
        [name],
        type=kind,
        multiple=isinstance(each.default, tuple),
        required=bool(declared.get("needed")) and not amending and each.name != "name",
        help=f"{text}: the file itself, which is kept" if is_file else text,
    )


def _values(book: Casebook, kind: type[Record], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields as the record takes them; files are kept and named by their hash."""
    values = {}
    for each in fields(kind):
        value = given.get(each.name)
        if value is None or value == ():
            continue
        if _names_files(each):
            kept = tuple(book.files.keep(path) for path in (value if isinstance(value, tuple) else (value,)))
            values[each.name] = kept if isinstance(value, tuple) else kept[0]
            if not isinstance(value, tuple) and not given.get("name") and any(f.name == "name" for f in fields(kind)):
                values.setdefault("name", value.name)
        else:
            values[each.name] = value
    return values


def _names_files(each: Field[Any]) -> bool:
    return getattr(each.metadata.get("check"), "__name__", "") == "_sha256"


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(value)
    text = "" if value is None else "yes" if value is True else "" if value is False else str(value)
    return f"{text[:12]}…" if len(text) == 64 and set(text) <= set("0123456789abcdef") else text


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"
