"""`ballistics registry find`, `show`, `check` and `fields`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import rich_click as click

from ballistics.cli.registry.options import BY, DATABASE, FILE, FOLDER, KEY, OVERWRITE, recorder, writable, write_table
from ballistics.cli.terminal import console, refuse_output

_REPORTED = 1


@click.command(name="find")
@click.argument("library", type=FOLDER)
@click.option("--serial", default="", help="As read: ? is unknown, [38] a 3 or an 8, * any number of characters.")
@click.option("--make", default="", help="In any script and spelling.")
@click.option("--model", default="")
@click.option("--calibre", default="", help="Any name of it.")
@click.option("--limit", type=click.IntRange(1, 1000), default=10, show_default=True, help="Firearms shown.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@DATABASE
def find_(
    library: Path, serial: str, make: str, model: str, calibre: str, limit: int, as_json: bool, database: str | None
) -> None:
    """Find the firearms of LIBRARY that answer a description best, and say why.

    Serials are found also where a character was misread, letters of two scripts or look-alikes were confused, and where
    the register writes the make otherwise. The rank is no probability.
    """
    from dataclasses import asdict

    from ballistics.registry import Question, Registry, reports

    with Registry.open(library, database) as registry:
        answer = registry.find(Question(serial, make, model, calibre), limit)
        happened = registry.events([hit.firearm for hit in answer.hits])
    said = {hit.firearm: [found.words() for found in reports(happened.get(hit.firearm, ()))] for hit in answer.hits}
    if as_json:
        hits = [asdict(hit) | {"reports": said[hit.firearm]} for hit in answer.hits]
        content = {"schema": "ballistics/registry-answer/1", **asdict(answer), "hits": hits}
        click.echo(json.dumps(content, indent=1, ensure_ascii=False))
        return
    from rich.table import Table
    from rich.text import Text

    table = Table("", "firearm", "serial", "make", "model", "calibre", "register", "why", show_lines=True)
    for hit in answer.hits:
        why = Text("\n".join(hit.reasons))
        for words in said[hit.firearm]:
            why.append(f"\n{words}", "red")
        values = (hit.serial, hit.make, hit.model, hit.calibre, f"{hit.source} {hit.source_key}")
        table.add_row(str(hit.rank), str(hit.firearm), *(Text(value or "–") for value in values), why)
    if answer.hits:
        console().print(table)
    click.echo(
        f"ranked: {answer.candidates}" + ("" if answer.complete else "; more fit: say more of the serial, or the make")
    )


@click.command(name="show")
@click.argument("library", type=FOLDER)
@click.argument("firearm", type=int)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@DATABASE
def show_(library: Path, firearm: int, as_json: bool, database: str | None) -> None:
    """Show all that LIBRARY holds about FIREARM: the record, what it said before, every event."""
    from dataclasses import asdict

    from ballistics.registry import Registry, record_fields, reports

    with Registry.open(library, database) as registry:
        record = registry.show(firearm)
    if as_json:
        click.echo(
            json.dumps({"schema": "ballistics/registry-record/1", **asdict(record)}, indent=1, ensure_ascii=False)
        )
        return
    click.echo(f"firearm {record.number}: {record.source} {record.source_key}")
    for name, field in record_fields().items():
        if value := getattr(record.firearm, name):
            click.echo(f"  {field.meaning}: {value}")
    for part in record.firearm.components:
        click.echo(f"  component: {part.kind or 'not named'} {part.serial}, serial {part.condition}")
    for mark in record.firearm.markings:
        click.echo(f"  marking: {mark.text} ({mark.where or 'place not stated'}), {mark.condition}")
    for kept in record.events:
        event = kept.event
        corrected = f", corrected by event {kept.superseded_by}" if kept.superseded_by else ""
        corrects = f", corrects event {event.supersedes}" if event.supersedes else ""
        file = f", file {event.reference}" if event.reference else ""
        click.echo(
            f"  event {kept.number}: {event.kind} {event.on}, {event.unit}{file}{corrects}{corrected} "
            f"(recorded {kept.recorded_on} by {kept.recorded_by})"
        )
    for number, earlier in enumerate(record.earlier, 1):
        click.echo(f"  version {number}: {earlier.content()}")
    for found in reports(record.events):
        click.echo(("OPEN: " if found.is_open else "closed: ") + found.words())


@click.command(name="check")
@click.argument("library", type=FOLDER)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--column", "columns", multiple=True, metavar="FIELD=NAME", help="The list's column of a field: serial=serija."
)
@click.option("--encoding", default="utf-8-sig", show_default=True, help="Of a CSV file.")
@click.option("--delimiter", default=",", show_default=True, help="Of a CSV file.")
@click.option("--csv", "csv_path", type=FILE, help="Write the answers as a table for spreadsheets.")
@click.option("--queue", is_flag=True, help="Add the firearms that are reported to the queue of leads.")
@OVERWRITE
@BY
@KEY
@DATABASE
@click.pass_context
def check_(
    ctx: click.Context,
    /,
    library: Path,
    file: Path,
    columns: tuple[str, ...],
    encoding: str,
    delimiter: str,
    csv_path: Path | None,
    queue: bool,
    overwrite: bool,
    by: str | None,
    key_file: Path | None,
    database: str | None,
) -> None:
    """Say which recovered firearms in FILE are reported stolen or lost in LIBRARY: where, and since when.

    FILE is a .csv or .xlsx with the column serial, and make, model, calibre where known. Exit code 0: none is reported;
    1: at least one is, or could not be checked. A lead: the firearm itself must be examined.
    """
    from ballistics.errors import ParameterError
    from ballistics.registry import CHECK_COLUMNS, check, leads_of_check, queue_leads

    refuse_output(csv_path, (file,), overwrite)
    named: dict[str, Any] = {}
    for column in columns:
        field, sign, name = column.partition("=")
        if not sign or field not in ("serial", "make", "model", "calibre"):
            raise ParameterError(f"--column {column}: write serial=NAME, make=NAME, model=NAME or calibre=NAME")
        named[field] = name
    with writable(library, database, key_file if queue else None) as registry:
        found = list(check(registry, str(file), named, encoding, delimiter))
        if queue:
            queue_leads(registry, leads_of_check(found), recorder(by))
    if csv_path is not None:
        write_table(csv_path, CHECK_COLUMNS, (row.values() for row in found))
    for row in found:
        if row.is_reported and row.hit is not None:
            words = "; ".join(report.words() for report in row.reports)
            click.echo(f"row {row.row}, {row.question.serial}: firearm {row.hit.firearm} ({row.hit.source}), {words}")
            click.echo(f"    {'; '.join(row.hit.reasons)}")
        elif row.refused:
            click.echo(f"row {row.row}: not checked: {row.refused}")
    rows, reported = len({row.row for row in found}), len({row.row for row in found if row.is_reported})
    click.echo(f"rows: {rows}, with a firearm that is reported: {reported}")
    if reported or any(row.refused for row in found):
        ctx.exit(_REPORTED)


@click.command(name="fields")
def fields_() -> None:
    """Show the fields of a record, and where Directive (EU) 2021/555 and INTERPOL ask for them."""
    from rich.table import Table
    from rich.text import Text

    from ballistics.registry import record_fields

    table = Table("field", "meaning", "Directive (EU) 2021/555", "INTERPOL iARMS", "words")
    for field in record_fields().values():
        words = ", ".join(word for word in field.values if word)
        table.add_row(
            *(Text(text or "–") for text in (field.field, field.meaning, field.directive, field.interpol, words))
        )
    console().print(table)
