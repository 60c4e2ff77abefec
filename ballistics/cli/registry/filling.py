"""`ballistics registry init`, `import` and `simulate`."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from ballistics.cli.registry.options import BY, DATABASE, FILE, FOLDER, KEY, OVERWRITE, recorder, writable, write_table
from ballistics.cli.terminal import bar, make_folder, refuse_output

_INCOMPLETE = 1


@click.command(name="init")
@click.argument("library", type=FOLDER)
@DATABASE
def init_(library: Path, database: str | None) -> None:
    """Begin a registry in LIBRARY; where there is no library, an empty one is made."""
    from ballistics.registry import Registry

    with Registry.create(library, database):
        click.echo(f"registry: {library.resolve()}")


@click.command(name="import")
@click.argument("library", type=FOLDER)
@click.argument("source")
@click.option("--mapping", type=FILE, required=True, help="YAML file: their columns, codes and dates in our fields.")
@click.option("--dry-run", is_flag=True, help="Write nothing; say what would become of each row.")
@click.option("--refused", type=FILE, help="Write the rows that are refused, with the reason, as CSV.")
@OVERWRITE
@BY
@KEY
@DATABASE
@click.option("--quiet", is_flag=True, help="No progress bar, no closing lines.")
@click.pass_context
def import_(
    ctx: click.Context,
    /,
    library: Path,
    source: str,
    mapping: Path,
    dry_run: bool,
    refused: Path | None,
    overwrite: bool,
    by: str | None,
    key_file: Path | None,
    database: str | None,
    quiet: bool,
) -> None:
    """Import SOURCE into LIBRARY: a .csv or .xlsx file, or the URL of a database whose view the mapping names.

    Records are known by the mapping's source and their number there: given again, the same import writes nothing; a
    record that says something else is changed, and what it said before is kept. An import that was stopped goes on when
    it is given again. Exit code 0: every row was taken; 1: some were refused.
    """
    from ballistics.registry import REFUSAL_COLUMNS, Import, read_mapping

    refuse_output(refused, (Path(source), mapping), overwrite)
    with writable(library, database, None if dry_run else key_file) as registry, bar(quiet) as progress:
        work = Import(registry, read_mapping(mapping), recorder(by), dry_run)
        rows = ((row.row, row.column, row.value, row.reason) for row in work.refusals(source, progress))
        if refused is None:
            for number, row in enumerate(rows):
                if number < 20 and not quiet:
                    click.echo(f"row {row[0]}: {row[3]}")
        else:
            write_table(refused, REFUSAL_COLUMNS, rows)
    if not quiet:
        counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(work.counts.items()) if count)
        click.echo(f"{'would be: ' if dry_run else ''}{counts or 'no row was found'}")
    if work.counts["refused"]:
        ctx.exit(_INCOMPLETE)


@click.command(name="simulate")
@click.argument("folder", type=FOLDER)
@click.option("--firearms", type=click.IntRange(1, 10_000_000), default=1000, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
def simulate_(folder: Path, firearms: int, seed: int) -> None:
    """Write a made-up register (register.csv) and its mapping (mapping.yaml) to FOLDER, for trying out."""
    from ballistics.registry import write_register

    make_folder(folder)
    for path in write_register(folder, firearms, seed):
        click.echo(str(path))
