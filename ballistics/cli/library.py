"""`ballistics library`: make a library, fill it, look after it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from ballistics.cli.scan_set import named_settings, reading_options, settings_option
from ballistics.cli.terminal import MARKS, bar, console
from ballistics.library import DESCRIPTION_FIELDS

if TYPE_CHECKING:
    from ballistics.library import DescribedScan, Enrolment, Integrity

_FOLDER = click.Path(file_okay=False, path_type=Path)
_QUIET = click.option("--quiet", is_flag=True, help="No progress bar, no closing lines.")
_INCOMPLETE = 1
DATABASE = click.option(
    "--database",
    metavar="URL",
    help="The PostgreSQL database of the rows, postgresql://USER@SERVER/NAME, when its server is not on your list: the "
    "password (PGPASSWORD) is sent only to servers that you have named.",
)


def description_options(text: str, multiple: bool) -> Callable[..., Any]:
    """Return a decorator that adds one option for each field of a description."""

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        for name in reversed(DESCRIPTION_FIELDS):
            option = click.option(
                f"--{name.replace('_', '-')}", name, multiple=multiple, help=text.format(name.replace("_", " "))
            )
            command = option(command)
        return command

    return add


@click.group(name="library")
def command() -> None:
    """Keep marks and templates in a library that can be searched."""


@command.command(name="create")
@click.argument("library", type=_FOLDER)
@click.option(
    "--database",
    metavar="URL",
    help="Keep the rows in an empty PostgreSQL database, postgresql://USER@SERVER/NAME, instead of SQLite; the "
    "password is read from PGPASSWORD.",
)
def create(library: Path, database: str | None) -> None:
    """Make an empty library in the folder LIBRARY.

    SQLite needs a local disk. When several computers write to one library, keep its rows in PostgreSQL and the folder
    on a share that all of them see.
    """
    from ballistics.search import Library

    with Library.create(library, database) as made:
        click.echo(f"library: {made.folder.resolve()}")


@command.command(name="enrol")
@click.argument("library", type=_FOLDER)
@DATABASE
@click.argument("scans", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--mark", type=MARKS, default="breech face", show_default=True, help="Mark type to enrol.")
@click.option(
    "--data",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="CSV table with the column scan and any of: units, region, " + ", ".join(DESCRIPTION_FIELDS) + ".",
)
@description_options("The {} of all scans for which the table states none.", multiple=False)
@reading_options
@settings_option
@click.option("--workers", type=click.IntRange(1), help="Processes that prepare. Default: one for each processor.")
@click.option("--again", is_flag=True, help="Take back scans that were removed.")
@click.option("--json", "json_path", type=click.Path(dir_okay=False, path_type=Path), help="Write what became of each.")
@click.option("--overwrite", is_flag=True, help="Replace a JSON file that exists.")
@_QUIET
@click.pass_context
def enrol(
    ctx: click.Context,
    /,
    library: Path,
    database: str | None,
    scans: tuple[Path, ...],
    mark: str,
    data: Path | None,
    units: tuple[str, ...],
    region: tuple[str, ...],
    settings: tuple[str, ...],
    workers: int | None,
    again: bool,
    json_path: Path | None,
    overwrite: bool,
    quiet: bool,
    **given: str | None,
) -> None:
    """Prepare SCANS (files, or folders of them) and add their marks to LIBRARY.

    Of striated marks --set changes numbers of the preparation, e.g. preparation.shoulders.reach_um=40; they are
    recorded with each mark. A scan that is there already is not read again; one that was prepared by an older method,
    or with other numbers, is replaced. A stopped run goes on when the same command is given again. Exit code 0: the
    library holds every scan; 1: at least one is refused or insufficient, and listed.
    """
    import os

    from ballistics.cli.terminal import refuse_output
    from ballistics.files import write_whole
    from ballistics.library import Description, Reading, enrol_scans
    from ballistics.search import Library
    from ballistics.surfaces import readings

    refuse_output(json_path, scans, overwrite)
    general = Description(**{name: value or "" for name, value in given.items()})
    described, rows = _described(scans, data, general, quiet)
    said = readings(units, region, {str(scan.path): scan.reading for scan in described})
    said.refuse_unused(str(scan.path) for scan in described)
    reading = Reading(mark, said, tuple(sorted(named_settings(settings).items())))
    with Library.open(library, database) as opened, bar(quiet) as progress:
        several = min(workers or os.cpu_count() or 1, max(1, len(described)))
        for row in enrol_scans(opened, described, reading, several, again, progress):
            rows.append(row)
        identifier = opened.identifier
    if json_path is not None:
        write_whole(json_path, _enrolment_json(identifier, rows))
    if not quiet:
        _print_enrolments(rows)
    if any(row.mark_id is None for row in rows):
        ctx.exit(_INCOMPLETE)


def _described(
    scans: tuple[Path, ...], data: Path | None, general: Any, quiet: bool
) -> tuple[list[DescribedScan], list[Enrolment]]:
    """Bring files and table together; what stands only in the table is a row of its own."""
    from ballistics.library import DescribedScan, match_descriptions, read_descriptions

    table: dict[str, Any] = {}
    if data is not None:
        table, ignored = read_descriptions(data)
        if ignored and not quiet:
            click.echo(f"columns of {data.name} that are not read: {', '.join(ignored)}", err=True)
    matched, absent = match_descriptions(scans, table, data)
    described = [DescribedScan(path, general.updated(row.description), row.reading) for path, row in matched]
    return described, absent


def _enrolment_json(identifier: str, rows: list[Enrolment]) -> bytes:
    from dataclasses import asdict

    content = {"schema": "ballistics/enrolment/1", "library": identifier, "scans": [asdict(row) for row in rows]}
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()


def _print_enrolments(rows: list[Enrolment]) -> None:
    from collections import Counter

    from rich.table import Table
    from rich.text import Text

    shown = [row for row in rows if row.reason]
    if shown:
        table = Table()
        for heading in ("scan", "outcome", "why"):
            table.add_column(heading, overflow="fold")
        colours = {"refused": "red", "insufficient": "yellow"}
        for row in shown:
            table.add_row(Text(row.scan), Text(row.outcome, colours.get(row.outcome, "")), Text(row.reason))
        console().print(table)
    serious = sum(any(finding.startswith("serious") for finding in row.findings) for row in rows)
    counts = Counter(row.outcome for row in rows)
    click.echo(", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())) or "no scan was found")
    if serious:
        click.echo(f"with serious findings: {serious}; `ballistics inspect` says which")


@command.command(name="list")
@click.argument("library", type=_FOLDER)
@DATABASE
@description_options("Only marks of this {} (or for which none is stated); may be given more than once.", multiple=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def list_(library: Path, database: str | None, as_json: bool, **where: tuple[str, ...]) -> None:
    """List the marks of LIBRARY, and the records of those that were removed."""
    from dataclasses import asdict

    from ballistics.search import Library

    with Library.open(library, database) as opened:
        contents = opened.contents({name: values for name, values in where.items() if values})
        identifier = opened.identifier
    if as_json:
        content = {"schema": "ballistics/library-contents/1", "library": identifier, **asdict(contents)}
        click.echo(json.dumps(content, indent=1, ensure_ascii=False))
        return
    from rich.table import Table
    from rich.text import Text

    # A column that says nothing about any mark is left out.
    stated = [name for name in DESCRIPTION_FIELDS if any(getattr(mark.description, name) for mark in contents.marks)]
    table = Table("number", "scan", "mark", *(name.replace("_", " ") for name in stated))
    for mark in contents.marks:
        described = [Text(getattr(mark.description, name) or "–") for name in stated]
        table.add_row(str(mark.id), Text(mark.scan), mark.mark_kind, *described)
    if contents.marks:
        console().print(table)
    click.echo(f"marks: {len(contents.marks)}")
    for gone in contents.removals:
        click.echo(f"removed: {gone.mark_id} {gone.scan}, by {gone.removed_by} on {gone.removed_on}: {gone.reason}")


@command.command(name="remove")
@click.argument("library", type=_FOLDER)
@DATABASE
@click.argument("number", type=int)
@click.option("--by", "removed_by", required=True, help="Who removes it.")
@click.option("--reason", required=True, help="Why, e.g. the decision that orders it.")
@click.option("--on", "removed_on", help="When, as it is to be recorded. Default: today.")
def remove(
    library: Path, database: str | None, number: int, removed_by: str, reason: str, removed_on: str | None
) -> None:
    """Remove mark NUMBER of LIBRARY for good: its heights and template are deleted, a record of the removal stays."""
    from datetime import datetime

    from ballistics.search import Library

    with Library.open(library, database) as opened:
        gone = opened.remove(number, removed_by, removed_on or datetime.now().astimezone().date().isoformat(), reason)
    click.echo(f"removed: {gone.mark_id} {gone.scan}, by {gone.removed_by} on {gone.removed_on}: {gone.reason}")


@command.command(name="verify")
@click.argument("library", type=_FOLDER)
@DATABASE
@click.option("--tidy", is_flag=True, help="Delete files that belong to no mark.")
@_QUIET
@click.pass_context
def verify(ctx: click.Context, library: Path, database: str | None, tidy: bool, quiet: bool) -> None:
    """Check every row, array and template of LIBRARY; others may use it meanwhile.

    Exit code 0: every mark is as it was enrolled; 1: at least one is not, and listed.
    """
    from ballistics.search import Library

    with Library.open(library, database) as opened, bar(quiet) as progress:
        found = opened.verify(tidy, progress)
    for fault in found.faults:
        click.echo(f"{'library' if fault.mark_id is None else f'mark {fault.mark_id}'}: {fault.what}")
    if not quiet:
        for leftover in found.leftovers:
            click.echo(f"{'deleted' if tidy else 'belongs to no mark (--tidy deletes it)'}: {leftover}")
        for caution in found.cautions:
            click.echo(caution)
        click.echo(f"marks checked: {found.marks}, {_state(found)}")
    if not found.clean:
        ctx.exit(_INCOMPLETE)


@command.command(name="renew")
@click.argument("library", type=_FOLDER)
@DATABASE
@_QUIET
def renew(library: Path, database: str | None, quiet: bool) -> None:
    """Make the templates of LIBRARY anew where an update of the program changed them; no scan is needed."""
    from ballistics.search import Library

    with Library.open(library, database) as opened, bar(quiet) as progress:
        made = opened.renew_templates(progress)
    if not quiet:
        click.echo(f"templates made: {made}")


@command.command(name="backup")
@click.argument("library", type=_FOLDER)
@DATABASE
@click.argument("to", type=_FOLDER)
@_QUIET
@click.pass_context
def backup(ctx: click.Context, library: Path, database: str | None, to: Path, quiet: bool) -> None:
    """Copy LIBRARY to the folder TO while it is in use, and check the copy.

    TO is empty, or an earlier backup, to which only what is new is copied. The copy is a library: open it to restore.
    """
    from ballistics.search import Library

    with Library.open(library, database) as opened, bar(quiet) as progress:
        found = opened.backup(to, progress)
    for fault in found.faults:
        click.echo(f"{'library' if fault.mark_id is None else f'mark {fault.mark_id}'}: {fault.what}")
    if not quiet:
        click.echo(f"backup: {to.resolve()}, marks: {found.marks}, {_state(found)}")
    if not found.clean:
        ctx.exit(_INCOMPLETE)


def _state(found: Integrity) -> str:
    return "all as enrolled" if found.clean else f"faults: {len(found.faults)}"
