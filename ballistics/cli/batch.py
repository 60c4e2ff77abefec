"""`ballistics batch`: everything against everything, as one table; it can be stopped and goes on."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from ballistics.cli.scan_set import named_settings, reading_options, settings_option
from ballistics.cli.terminal import MARKS

_PATH = click.Path(path_type=Path)
_INCOMPLETE = 1
_SHOWN = 10


@click.command(name="batch")
@click.argument("scans", nargs=-1, required=True, type=_PATH)
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The table: .parquet or .csv."
)
@click.option(
    "--reference",
    multiple=True,
    type=_PATH,
    help="Compare each of SCANS with each of these (files or folders; repeatable) instead of all pairs.",
)
@click.option(
    "--library",
    type=click.Path(file_okay=False, path_type=Path),
    help="Compare each of SCANS with every mark of this library instead.",
)
@click.option("--database", metavar="URL", help="The PostgreSQL database of that library, as for `ballistics library`.")
@click.option("--mark", type=MARKS, default="breech face", show_default=True, help="Mark type to compare.")
@reading_options
@settings_option
@click.option(
    "--work",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for finished work; a stopped run goes on from it. Default: NAME.work beside the table.",
)
@click.option("--workers", type=click.IntRange(1), help="Processes of this machine. Default: one for each processor.")
@click.option("--scheduler", metavar="URL", help="Compare on the workers of this Dask scheduler, e.g. tcp://HOST:8786.")
@click.option("--overwrite", is_flag=True, help="Replace a table that exists.")
@click.option("--quiet", is_flag=True, help="No progress bar, no closing lines.")
@click.pass_context
def command(
    ctx: click.Context,
    scans: tuple[Path, ...],
    out: Path,
    reference: tuple[Path, ...],
    library: Path | None,
    database: str | None,
    mark: str,
    units: tuple[str, ...],
    region: tuple[str, ...],
    settings: tuple[str, ...],
    work: Path | None,
    workers: int | None,
    scheduler: str | None,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Compare all pairs of SCANS (files, or folders of them) and write one table.

    A row for each pair, with every rule's counts, the correlation, the pose, or why there is none; a row for each file
    that could not be read. A stopped run goes on where it was when the same command is given again. The table is the
    same, byte for byte, for any number of workers and machines.

    Exit code 0: every file took part; 1: at least one could not, and is listed; 2: an error.
    """
    import os

    from ballistics.cli.terminal import bar, refuse_output
    from ballistics.pairs import Method, run_batch
    from ballistics.surfaces import readings

    refuse_output(out, (*scans, *reference), overwrite)
    if database is not None:
        from ballistics.store import database_url, servers

        # Also in the processes that compare.
        servers.name_for_now(database_url(database))
    method = Method(mark, readings(units, region), tuple(sorted(named_settings(settings).items())))
    method.parameters()  # a name or value that is none is refused before any work
    run = None
    if scheduler is not None:
        from ballistics.pairs import on_cluster

        run = on_cluster(scheduler, method.settings)
    with bar(quiet) as progress:
        summary = run_batch(
            scans,
            out,
            reference or None,
            library,
            method,
            work,
            workers or os.cpu_count() or 1,
            run,
            progress,
        )
    if not quiet:
        for name, reason in summary.left_out[:_SHOWN]:
            click.echo(f"left out: {name} {reason}")
        if len(summary.left_out) > _SHOWN:
            click.echo(f"left out: {len(summary.left_out) - _SHOWN} more; the table has a row for each")
        if summary.made_again:
            click.echo(
                f"kept rows that were altered or damaged, or of an earlier version: {summary.made_again}, made again"
            )
        click.echo(
            f"{summary.pairs} pairs, of which {summary.insufficient} insufficient and {summary.failed} failed: "
            f"{out.resolve()}"
        )
    if summary.left_out or summary.failed:
        ctx.exit(_INCOMPLETE)
