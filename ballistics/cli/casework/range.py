"""`ballistics range`: test fires, from the firearm to the scan of a reference cartridge case."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from ballistics.casework import KINDS
from ballistics.cli.casework.record_commands import add_commands
from ballistics.cli.laboratory import LABORATORY, opened
from ballistics.cli.library import DATABASE


@click.group(name="range")
def command() -> None:
    """Keep test fires: firearm, session with its safety checklist, shots, and the scans of what they left."""


add_commands(command, [KINDS[name] for name in ("firearm", "session", "shot", "scan")])


@command.command(name="select")
@LABORATORY
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--calibre", help="Firearms of this calibre, by any of its names.")
@click.option("--instrument", help="Scans of this class of instrument: confocal, photometric stereo …")
@click.option("--mark", default="breech face", show_default=True, help="Scans of this mark.")
@click.option("--since", help="Sessions since this date, 2026-11-30.")
@DATABASE
def select(
    laboratory: Path,
    out: Path,
    calibre: str | None,
    instrument: str | None,
    mark: str,
    since: str | None,
    database: str | None,
) -> None:
    """Copy the scans of test fires to the folder OUT, with their truth table, for `ballistics reference build`."""
    from ballistics.front import select_test_fires, write_scan_set

    with opened(laboratory, database) as book:
        fires = select_test_fires(book, mark, calibre, instrument, since)
        table = write_scan_set(book, fires, out)
    firearms = len({fire.firearm for fire in fires})
    click.echo(f"{len(fires)} scans of {firearms} firearms: {table.resolve()}")


@command.command(name="reference")
@LABORATORY
@click.option("--calibre", required=True, help="Firearms of this calibre, by any of its names.")
@click.option("--instrument", required=True, help="Scans of this class of instrument: confocal, photometric stereo …")
@click.option("--mark", default="breech face", show_default=True, help="Scans of this mark; 'bullet': lands.")
@click.option("--since", help="Sessions since this date, 2026-11-30.")
@click.option("--name", help="What the population is called. Default: the folder's name, calibre and instrument.")
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The population, one JSON file."
)
@click.option("--workers", type=click.IntRange(1), help="Processes. Default: one for each processor.")
@click.option("--overwrite", is_flag=True, help="Replace a population that exists.")
@click.option("--quiet", is_flag=True, help="No progress bar, no closing lines.")
@DATABASE
@click.pass_context
def reference(
    ctx: click.Context,
    /,
    laboratory: Path,
    calibre: str,
    instrument: str,
    mark: str,
    since: str | None,
    name: str | None,
    out: Path,
    workers: int | None,
    overwrite: bool,
    quiet: bool,
    database: str | None,
) -> None:
    """Build a reference population from all recorded test fires of a calibre on a class of instrument.

    Its pairs name the firearms as recorded and the scans by the hashes of their records; its source names the log, and
    the entry up to which it was read. A stopped run goes on where it was when the same command is given again.
    """
    import tempfile

    from ballistics.cli.reference import build
    from ballistics.front import select_test_fires, write_scan_set

    with opened(laboratory, database) as book, tempfile.TemporaryDirectory(prefix="ballistics-") as folder:
        head, identifier, own = book.log.head(), book.library.identifier, book.library.folder.resolve().name
        fires = select_test_fires(book, mark, calibre, instrument, since)
        table = write_scan_set(book, fires, Path(folder) / "scans")
        ctx.invoke(
            build,
            scans_dir=table.parent,
            truth_csv=table,
            out=out,
            mark=mark,
            name=name or f"{own}: test fires, {calibre}, {instrument}",
            source=f"test fires recorded in library {identifier}, log to entry {head.number}, {head.hash}"
            + (f", sessions since {since}" if since else ""),
            units=(),
            region=(),
            calibre=None,
            ammunition=None,
            instrument=None,
            settings=(),
            work=None,
            workers=workers,
            overwrite=overwrite,
            quiet=quiet,
        )
