"""`ballistics range`: test fires, from the firearm to the scan of a reference cartridge case."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from ballistics.casework import KINDS
from ballistics.cli.casework.record_commands import LABORATORY, add_commands, opened
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
