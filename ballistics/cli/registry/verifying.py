"""`ballistics registry verify`."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from ballistics.cli.registry.options import DATABASE, FOLDER
from ballistics.cli.terminal import bar

_FAULTS = 1


@click.command(name="verify")
@click.argument("library", type=FOLDER)
@DATABASE
@click.option("--quiet", is_flag=True, help="No progress bar.")
@click.pass_context
def verify_(ctx: click.Context, /, library: Path, database: str | None, quiet: bool) -> None:
    """Hold every record, event, transfer and lead of LIBRARY against its hash and against the signed log.

    Exit code 0: all is as it was recorded; 1: something is not, and is named.
    """
    from ballistics.registry import Registry, verify_registry

    with Registry.open(library, database) as registry, bar(quiet) as progress:
        found = verify_registry(registry, progress)
    for sentence in (*found.faults, *found.notes):
        click.echo(sentence)
    if found.n_faults > len(found.faults):
        click.echo(f"and {found.n_faults - len(found.faults)} more")
    state = "as recorded" if found.clean else "NOT as recorded"
    click.echo(f"{found.firearms} firearms, {found.events} events: {state}")
    ctx.exit(0 if found.clean else _FAULTS)
