"""`ballistics registry transfers`: licences and deliveries, the annual report, contradictions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from ballistics.cli.registry.options import BY, DATABASE, FILE, FOLDER, KEY, OVERWRITE, recorder, writable, write_table
from ballistics.cli.terminal import console, refuse_output

_INCOMPLETE = 1


@click.group(name="transfers")
def transfers_() -> None:
    """Record transfers of arms, and report them."""


@transfers_.command(name="record")
@click.argument("library", type=FOLDER)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--corrects", type=int, help="Number of the record that the only row of FILE replaces; it is kept.")
@click.option("--encoding", default="utf-8-sig", show_default=True, help="Of a CSV file.")
@click.option("--delimiter", default=",", show_default=True, help="Of a CSV file.")
@BY
@KEY
@DATABASE
@click.pass_context
def record_(
    ctx: click.Context,
    /,
    library: Path,
    file: Path,
    corrects: int | None,
    encoding: str,
    delimiter: str,
    by: str | None,
    key_file: Path | None,
    database: str | None,
) -> None:
    """Record the licences, or the deliveries, of FILE (.csv or .xlsx) in LIBRARY; the same again is recorded once.

    Licences have the columns licence, kind, origin, destination, category, quantity, issued_on, expires_on, and may
    have end_user, authority, goods, broker, end_use, note; deliveries have licence, category, quantity, on, and may
    have reference, note. Exit code 1: a row was refused, and is listed.
    """
    from ballistics.errors import ParameterError
    from ballistics.registry import read_transfers, record_transfer

    rows = list(read_transfers(str(file), encoding, delimiter))
    if corrects is not None and len(rows) != 1:
        raise ParameterError(f"--corrects replaces one record; {file} has {len(rows)} rows")
    refused = 0
    with writable(library, database, key_file) as registry:
        for number, transfer in rows:
            try:
                if isinstance(transfer, str):
                    raise ParameterError(transfer)
                recorded = record_transfer(registry, transfer, recorder(by), corrects)
                click.echo(f"row {number}: number {recorded}, licence {transfer.licence}, {transfer.category}")
            except ParameterError as error:
                refused += 1
                click.echo(f"row {number}: refused: {error}")
    click.echo(f"recorded: {len(rows) - refused}, refused: {refused}")
    if refused:
        ctx.exit(_INCOMPLETE)


@transfers_.command(name="report")
@click.argument("library", type=FOLDER)
@click.argument("year", type=click.IntRange(1900, 2200))
@click.option("--state", default="", help="Who reports; stands on the page.")
@click.option("--all-goods", is_flag=True, help="Also ammunition, parts and components.")
@click.option("--report", type=FILE, help="Write the page: one self-contained HTML file, with charts.")
@click.option("--csv", "csv_path", type=FILE, help="Write the table for spreadsheets.")
@OVERWRITE
@DATABASE
@click.pass_context
def report_(
    ctx: click.Context,
    /,
    library: Path,
    year: int,
    state: str,
    all_goods: bool,
    report: Path | None,
    csv_path: Path | None,
    overwrite: bool,
    database: str | None,
) -> None:
    """Report the transfers of YEAR by category and country, authorised and actual, and what contradicts itself.

    Exit code 1: licences and deliveries contradict each other; the contradictions are listed.
    """
    from rich.table import Table
    from rich.text import Text

    from ballistics.files import write_whole
    from ballistics.registry import REPORT_COLUMNS, Registry, annual_report, recorded_transfers, transfer_findings

    for path in (report, csv_path):
        refuse_output(path, (), overwrite)
    with Registry.open(library, database) as registry:
        recorded = recorded_transfers(registry)
    rows: list[Any] = annual_report(recorded, year, all_goods)
    findings = transfer_findings(recorded)
    if csv_path is not None:
        write_table(csv_path, REPORT_COLUMNS, (row.values() for row in rows))
    if report is not None:
        from ballistics.reports import transfers_report

        write_whole(report, transfers_report(rows, findings, year, state).encode())
    if rows and report is None and csv_path is None:
        table = Table(*REPORT_COLUMNS)
        for row in rows:
            table.add_row(*(Text(str(value)) for value in row.values()))
        console().print(table)
    for finding in findings:
        click.echo(f"{finding.severity}: {finding.message} [{finding.code}]")
    click.echo(f"rows: {len(rows)}, contradictions: {len(findings)}")
    if findings:
        ctx.exit(_INCOMPLETE)
