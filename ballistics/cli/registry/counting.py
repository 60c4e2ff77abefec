"""`ballistics registry statistics`: events of a time in the columns of the Focal Points."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from ballistics.cli.registry.options import DATABASE, FILE, FOLDER, OVERWRITE, write_table
from ballistics.cli.terminal import refuse_output


@click.command(name="statistics")
@click.argument("library", type=FOLDER)
@click.option("--since", required=True, help="First date: a day, a month or a year.")
@click.option("--until", required=True, help="Last date.")
@click.option("--csv", "csv_path", type=FILE, help="Write one table of all counts.")
@click.option("--excel", type=FILE, help="Write a workbook (.xlsx), a sheet for each table.")
@OVERWRITE
@DATABASE
def statistics_(
    library: Path,
    since: str,
    until: str,
    csv_path: Path | None,
    excel: Path | None,
    overwrite: bool,
    database: str | None,
) -> None:
    """Count what happened to firearms by type, calibre, event, jurisdiction and 3D-printed category."""
    from ballistics.errors import ParameterError
    from ballistics.registry import Registry, focal_point_statistics, write_statistics

    for path in (csv_path, excel):
        refuse_output(path, (), overwrite)
    if excel is not None and excel.suffix.lower() != ".xlsx":
        raise ParameterError(f"{excel}: a workbook's name ends in .xlsx")
    with Registry.open(library, database) as registry:
        found = focal_point_statistics(registry, since, until)
    if csv_path is not None:
        write_table(csv_path, ("table", "value", "event", "number"), found.rows())
    if excel is not None:
        write_statistics(excel, found)
    for table in found.tables:
        for value, counts in table.rows[:10] if csv_path is None and excel is None else ():
            click.echo(f"{table.headings[0]}: {value}: {counts[-1]}")
    click.echo(
        f"events: {found.count}" + (f", of which perhaps outside: {found.not_certain}" * bool(found.not_certain))
    )
