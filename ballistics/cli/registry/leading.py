"""`ballistics registry leads`: the queue of leads, who took which, and how they came out."""

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


@click.group(name="leads")
def leads_() -> None:
    """Keep leads in one queue: where to look, how soon, who does, and what came of it."""


@leads_.command(name="list")
@click.argument("library", type=FOLDER)
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(["open", "taken", "confirmed", "refuted"]),
    help="Only these; may be given more than once. Default: open and taken.",
)
@click.option("--csv", "csv_path", type=FILE, help="Write the list as a table for spreadsheets.")
@OVERWRITE
@DATABASE
def list_(library: Path, states: tuple[str, ...], csv_path: Path | None, overwrite: bool, database: str | None) -> None:
    """List the leads of LIBRARY, those to look at first first. A lead makes no statement on source."""
    from rich.table import Table
    from rich.text import Text

    from ballistics.registry import Registry, queued_leads

    refuse_output(csv_path, (), overwrite)
    with Registry.open(library, database) as registry:
        found = queued_leads(registry, states or ("open", "taken"))
    names = ("number", "class", "from", "to", "how soon", "basis", "next", "state", "taken by", "last note")
    rows = []
    for queued in found:
        lead, note = queued.lead, queued.steps[-1][3] if queued.steps else ""
        said = (lead.lead_class, lead.subject, lead.target, lead.strength, lead.basis, lead.what_next)
        rows.append((queued.number, *said, queued.state, queued.taken_by, note))
    if csv_path is not None:
        write_table(csv_path, names, rows)
    elif rows:
        table = Table(*names, show_lines=True)
        for row in rows[:200]:
            table.add_row(*(Text(str(value)) for value in row))
        console().print(table)
    click.echo(f"leads: {len(rows)}")


@leads_.command(name="add")
@click.argument("library", type=FOLDER)
@click.option("--class", "lead_class", required=True, help="library search, printed part, registry, shared incident …")
@click.option("--from", "subject", required=True, help="What was searched for: an exhibit, a file, a firearm.")
@click.option("--to", "target", required=True, help="What it leads to.")
@click.option("--strength", default="look at next", show_default=True, help="How soon to look.")
@click.option("--basis", default="", help="What it rests on.")
@BY
@KEY
@DATABASE
def add_(
    library: Path,
    lead_class: str,
    subject: str,
    target: str,
    strength: str,
    basis: str,
    by: str | None,
    key_file: Path | None,
    database: str | None,
) -> None:
    """Add a lead to the queue; one from the same to the same is there once."""
    from ballistics.registry import Lead, clean_text, queue_leads

    texts = (clean_text(subject, "--from"), clean_text(target, "--to"), strength, clean_text(basis, "--basis"))
    lead = Lead(lead_class, *texts)
    with writable(library, database, key_file) as registry:
        (number,) = queue_leads(registry, [lead], recorder(by))
    click.echo(f"lead {number}: {lead.what_next}")


@leads_.command(name="take-in")
@click.argument("library", type=FOLDER)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--from", "subject", default="", help="The exhibit. Default: the name of the scan, or of each file.")
@click.option("--most", type=click.IntRange(1, 1000), default=5, show_default=True, help="Leads of a library search.")
@BY
@KEY
@DATABASE
def take_in_(
    library: Path, file: Path, subject: str, most: int, by: str | None, key_file: Path | None, database: str | None
) -> None:
    """Add the leads of FILE, the JSON of `ballistics search` or `ballistics printed identify`, to the queue."""
    from ballistics.registry import clean_text, leads_of_file, queue_leads

    found = leads_of_file(file, clean_text(subject, "--from"), most)
    with writable(library, database, key_file) as registry:
        numbers = queue_leads(registry, found, recorder(by))
    for number, lead in zip(numbers, found, strict=True):
        click.echo(f"lead {number}: {lead.subject} → {lead.target}, {lead.strength}")
    click.echo(f"leads: {len(found)}")


@leads_.command(name="move")
@click.argument("library", type=FOLDER)
@click.argument("number", type=int)
@click.argument("state", type=click.Choice(["taken", "confirmed", "refuted", "open"]))
@click.option("--on", help="The day, 2024-05-17. Default: today.")
@click.option("--note", default="", help="For an outcome: what it rests on, such as the number of the report.")
@BY
@KEY
@DATABASE
def move_(
    library: Path,
    number: int,
    state: str,
    on: str | None,
    note: str,
    by: str | None,
    key_file: Path | None,
    database: str | None,
) -> None:
    """Record that lead NUMBER was taken, confirmed, refuted, or opened again."""
    from ballistics.registry import clean_text, move_lead

    with writable(library, database, key_file) as registry:
        queued = move_lead(registry, number, state, on or today(), recorder(by), clean_text(note, "--note"))
    click.echo(f"lead {number}: {queued.state}" + (f", taken by {queued.taken_by}" if queued.taken_by else ""))


@leads_.command(name="share")
@click.argument("library", type=FOLDER)
@DATABASE
def share_(library: Path, database: str | None) -> None:
    """Show which share of the leads of LIBRARY was confirmed, by class and by how soon they were to be looked at."""
    from rich.table import Table

    from ballistics.registry import Registry, lead_shares, queued_leads

    with Registry.open(library, database) as registry:
        found = lead_shares(queued_leads(registry))
    table = Table("class", "how soon", "confirmed", "refuted", "undecided", "share confirmed", "95 % interval")
    for row in found:
        share = "–" if row.share is None else f"{row.share:.2f}"
        span = "–" if row.low is None or row.high is None else f"{row.low:.2f}–{row.high:.2f}"
        table.add_row(
            row.lead_class, row.strength, str(row.confirmed), str(row.refuted), str(row.undecided), share, span
        )
    console().print(table)
