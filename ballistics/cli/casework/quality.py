"""`ballistics quality`: what assessors ask for, from the records that exist anyway."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from ballistics.casework import KINDS
from ballistics.cli.casework.record_commands import add_commands
from ballistics.cli.laboratory import LABORATORY, opened
from ballistics.cli.library import DATABASE

_MISSING = 1


@click.group(name="quality")
def command() -> None:
    """Keep instruments, calibrations, authorisations, validations, proficiency tests; hold them against standards."""


_KINDS = ("instrument", "calibration", "competence", "validation", "proficiency", "nonconformity", "settings")
add_commands(command, [KINDS[name] for name in _KINDS])


@command.command(name="gap")
@LABORATORY
@click.option("--on", help="The day of the question, 2026-11-30. Default: today.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the table as CSV too.")
@DATABASE
@click.pass_context
def gap(ctx: click.Context, /, laboratory: Path, on: str | None, out: Path | None, database: str | None) -> None:
    """Print requirement, record, met or missing.

    The requirements are in our own words, with clause numbers; put a file requirements.json of the same form into the
    folder of the laboratory to edit them. Exit code 0: all are met; 1: something is missing.
    """
    from rich.table import Table

    from ballistics.casework import quality_gap
    from ballistics.cli.terminal import console, refuse_output
    from ballistics.files import csv_bytes, write_whole
    from ballistics.records import now

    refuse_output(out, (), False)
    with opened(laboratory, database) as book:
        answers = quality_gap(book, (on or now())[:10])
    table = Table("standard", "clause", "requires", "records", "")
    rows = []
    for each in answers:
        of = each.requirement
        rows.append((of.standard, of.clause, of.requires, each.records, "met" if each.met else "missing"))
        table.add_row(*rows[-1][:4], "met" if each.met else "MISSING\n" + "\n".join(each.missing[:3]))
    console().print(table)
    if out is not None:
        missing = ("; ".join(each.missing) for each in answers)
        lines = [(*row, text) for row, text in zip(rows, missing, strict=True)]
        names = ("standard", "clause", "requires", "records", "state", "missing")
        write_whole(out, csv_bytes(names, lines, spreadsheet=True))
    lacking = sum(not each.met for each in answers)
    click.echo(f"{len(answers) - lacking} of {len(answers)} requirements met")
    ctx.exit(_MISSING if lacking else 0)
