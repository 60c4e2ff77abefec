"""``ballistics printed batch``: a seized disk searched in a collection; it can be stopped and goes on."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from ballistics.cli.printed.options import references_option, unit_option

_INCOMPLETE = 1
_SHOWN = 20


@click.command(name="batch")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FOLDER…")
@references_option()
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The table: .parquet or .csv."
)
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a contact sheet with a picture of each geometry: one self-contained HTML file.",
)
@unit_option()
@click.option(
    "--work",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for finished work; a stopped run goes on from it. Default: NAME.work beside the table.",
)
@click.option("--workers", type=click.IntRange(1), help="Processes of this machine. Default: one for each processor.")
@click.option("--overwrite", is_flag=True, help="Replace a table and a page that exist.")
@click.option("--quiet", is_flag=True, help="No progress bar, no closing lines.")
@click.pass_context
def command(
    ctx: click.Context,
    paths: tuple[Path, ...],
    folder: Path,
    out: Path,
    report: Path | None,
    unit: str | None,
    work: Path | None,
    workers: int | None,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Search every file below FOLDERs, hidden ones too, in a collection, and write one table.

    A file has a row for each of its hits, and one row if it has none. Rows state the file's geometry and its copies
    among the files (same file, same geometry, mirrored, scaled), or why it was refused; and where files hold different
    pieces of one reference. Links are not followed. A stopped run goes on where it was when the same command is given
    again; the table is the same, byte for byte, for any number of workers.

    Exit code 0: every mesh was searched; 1: at least one was refused or is an unreadable model, and
    its row says why; 2: an error.
    """
    import os

    from ballistics.cli.terminal import bar, refuse_output
    from ballistics.files import write_whole
    from ballistics.pairs import printable
    from ballistics.printed import REFUSED, UNREADABLE, run_printed_batch
    from ballistics.reports import pieces_sentences, thumbnail_of

    for path in (out, report):
        refuse_output(path, paths, overwrite)
    with bar(quiet) as progress:
        found = run_printed_batch(
            paths,
            folder,
            out,
            thumbnail_of,
            work=work,
            workers=workers or os.cpu_count() or 1,
            unit=unit,
            progress=progress,
        )
    if report is not None:
        from ballistics.reports import contact_sheet

        write_whole(report, contact_sheet(found).encode("utf-8", "replace"))
    counts = found.counts()
    if not quiet:
        refused = [file for file in found.files if file.kept["verdict"] in (REFUSED, UNREADABLE)]
        for file in refused[:_SHOWN]:
            click.echo(printable(f"{file.kept['verdict']}: {file.name}: {file.kept['error']}"))
        if len(refused) > _SHOWN:
            click.echo(f"not read: {len(refused) - _SHOWN} more; the table has a row for each")
        files = [(file.name, int(file.kept["bodies"])) for file in found.files]
        for piece in found.pieces[:_SHOWN]:
            click.echo(printable(pieces_sentences(piece, files, found.taxonomy)[0]))
        if len(found.pieces) > _SHOWN:
            click.echo(f"{len(found.pieces) - _SHOWN} more references are there in pieces; the table has them")
        total = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
        click.echo(f"{len(found.files)} files: {total}: {out.resolve()}")
        if report is not None:
            click.echo(f"report: {report.resolve()}")
        click.echo("A hit is a lead for an examiner, who has to look at both files: no opinion and no evidence.")
    if counts.get(REFUSED) or counts.get(UNREADABLE):
        ctx.exit(_INCOMPLETE)
