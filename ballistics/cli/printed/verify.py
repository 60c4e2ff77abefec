"""``ballistics printed verify``: is a collection as it was enrolled?"""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from ballistics.cli.printed.options import references_option

_ALTERED = 1


@click.command(name="verify")
@references_option("The collection's folder.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of lines.")
@click.option("--quiet", is_flag=True, help="No progress bar, no closing line.")
@click.pass_context
def command(ctx: click.Context, folder: Path, as_json: bool, quiet: bool) -> None:
    """Check every row of every array of a collection, its index, its list and its taxonomy.

    Exit code 0: everything is as it was enrolled; 1: something is not, and is listed; 2: an error.
    """
    from ballistics.cli.terminal import bar
    from ballistics.pairs import printable
    from ballistics.printed import integrity_json, verify_collection

    with bar(quiet or as_json) as progress:
        tell = None if progress is None else lambda done, total: progress("checking references", done, total)
        found = verify_collection(folder, tell)
    if as_json:
        click.echo(integrity_json(found))
    else:
        for fault in found.faults:
            reference = f"'{fault.reference}', " if fault.reference else ""
            click.echo(printable(f"{reference}{fault.file}: {fault.what}"))
        if not quiet:
            for note in found.notes:
                click.echo(printable(note))
            state = "all as enrolled" if found.clean else f"faults: {len(found.faults)}"
            click.echo(f"references checked: {found.references}, {state}")
    if not found.clean:
        ctx.exit(_ALTERED)
