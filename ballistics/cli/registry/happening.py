"""`ballistics registry event`, `step` and `overdue`."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from ballistics.cli.registry.options import (
    BY,
    DATABASE,
    FILE,
    FOLDER,
    KEY,
    OVERWRITE,
    recorder,
    today,
    writable,
    write_table,
)
from ballistics.cli.terminal import console, refuse_output

_OVERDUE = 1


@click.command(name="event")
@click.argument("library", type=FOLDER)
@click.argument("firearm", type=int)
@click.argument("kind")
@click.option("--on", required=True, help="When: 2024, 2024-05 or 2024-05-17, as precisely as it is known.")
@click.option("--unit", required=True, help="The unit that reports it.")
@click.option("--place", default="", help="Where it happened.")
@click.option("--reference", default="", help="File number of the unit.")
@click.option("--note", default="")
@click.option("--corrects", type=int, help="Number of the event that this one replaces; it stays on record.")
@BY
@KEY
@DATABASE
def event_(
    library: Path,
    firearm: int,
    kind: str,
    on: str,
    unit: str,
    place: str,
    reference: str,
    note: str,
    corrects: int | None,
    by: str | None,
    key_file: Path | None,
    database: str | None,
) -> None:
    """Record that FIREARM was stolen, lost, found, recovered, seized, surrendered, destroyed or transferred (KIND)."""
    from ballistics.registry import Event, clean_text, course

    texts = {"unit": unit, "place": place, "reference": reference, "note": note}
    cleaned = {name: clean_text(text, f"--{name}") for name, text in texts.items()}
    with writable(library, database, key_file) as registry:
        number = registry.report(firearm, Event(kind, on, **cleaned, supersedes=corrects), recorder(by))
        found = course(registry, number)
    click.echo(f"event {number}: firearm {firearm} {kind} {on}")
    if found is not None:
        due = f", by {found.due}" if found.due else ""
        click.echo(f"procedure: {found.state.name}; {found.state.do}{due}")


@click.command(name="step")
@click.argument("library", type=FOLDER)
@click.argument("event", type=int)
@click.argument("state")
@click.option("--on", help="The day, 2024-05-17. Default: today.")
@click.option("--note", default="")
@BY
@KEY
@DATABASE
def step_(
    library: Path,
    event: int,
    state: str,
    on: str | None,
    note: str,
    by: str | None,
    key_file: Path | None,
    database: str | None,
) -> None:
    """Record that the procedure that EVENT began has reached STATE."""
    from ballistics.registry import clean_text, step

    with writable(library, database, key_file) as registry:
        found = step(registry, event, state, on or today(), recorder(by), clean_text(note, "--note"))
    due = f"; next by {found.due}: {found.state.do}" if found.due else ""
    click.echo(f"event {event}: {found.state.name} since {found.since}{due}")


@click.command(name="overdue")
@click.argument("library", type=FOLDER)
@click.option("--on", help="As of this day, 2024-05-17. Default: today.")
@click.option("--reported-since", default="", help="Only reports of this date or later.")
@click.option("--csv", "csv_path", type=FILE, help="Write the list as a table for spreadsheets.")
@OVERWRITE
@DATABASE
@click.pass_context
def overdue_(
    ctx: click.Context,
    /,
    library: Path,
    on: str | None,
    reported_since: str,
    csv_path: Path | None,
    overwrite: bool,
    database: str | None,
) -> None:
    """List the firearms of LIBRARY whose procedure is late, the latest first. Exit code 1 when there are any."""
    from rich.table import Table
    from rich.text import Text

    from ballistics.registry import Registry, checked_date, overdue

    refuse_output(csv_path, (), overwrite)
    day = checked_date(on or today(), "--on")
    if reported_since:
        checked_date(reported_since, "--reported-since")
    with Registry.open(library, database) as registry:
        found = overdue(registry, day, reported_since)
    names = ("event", "firearm", "reported", "on", "unit", "state", "since", "due", "days late", "to do")
    rows = [
        (
            c.event,
            c.firearm,
            c.kind,
            c.reported_on,
            c.unit,
            c.state.name,
            c.since,
            c.due,
            c.days_overdue(day),
            c.state.do,
        )
        for c in found
    ]
    if csv_path is not None:
        write_table(csv_path, names, rows)
    elif rows:
        table = Table(*names)
        for row in rows[:200]:
            table.add_row(*(Text(str(value)) for value in row))
        console().print(table)
    click.echo(f"overdue: {len(rows)}")
    if rows:
        ctx.exit(_OVERDUE)
