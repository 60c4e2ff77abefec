"""`ballistics selftest`: the lab's installation qualification."""

from __future__ import annotations

import rich_click as click


@click.command(name="selftest")
@click.pass_context
def command(ctx: click.Context) -> None:
    """Compile everything, run known answers, print versions, processor and hashes.

    Exit code 0: every answer is right; 1: at least one is wrong, and this installation must not be used.
    """
    from rich.console import Console
    from rich.table import Table

    from ballistics.selftest import environment, run

    console = Console()
    table = Table(title="known answers")
    for column in ("", "answer", "found", "expected", "±", "from"):
        table.add_column(column)
    failed = 0
    with console.status("compiling and computing"):
        for check in run():
            failed += not check.passed
            table.add_row(
                "[green]right[/]" if check.passed else "[red]WRONG[/]",
                check.name,
                f"{check.found:.6g}",
                f"{check.expected:.6g}",
                f"{check.tolerance:g}",
                check.origin,
            )
    console.print(table)
    here = environment()
    for name, version in here.versions.items():
        console.print(f"{name} {version}", highlight=False)
    console.print(f"processor: {here.machine}\nsystem: {here.system}", highlight=False)
    console.print(f"source SHA-256: {here.source_sha256}", highlight=False, soft_wrap=True)
    ctx.exit(1 if failed else 0)
