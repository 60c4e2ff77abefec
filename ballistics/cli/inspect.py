"""``ballistics inspect``: which files of a folder of anything can be read, and why not."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import rich_click as click


@click.command(name="inspect")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.option(
    "--units",
    type=click.Choice(["micrometres", "millimetres", "as written"]),
    help="Take the files' numbers as this unit; recorded as a serious finding.",
)
@click.option("--spacing-um", type=click.FloatRange(min=0, min_open=True), help="Pixel size in µm of 2D images.")
@click.pass_context
def command(ctx: click.Context, paths: tuple[Path, ...], as_json: bool, units: Any, spacing_um: float | None) -> None:
    """Say which files can be read, and what is odd about them.

    Folders are walked. Exit code 0: every file was read without a serious finding; 1: at least one
    has a serious finding or was refused.
    """
    from ballistics.surfaces import Inspection, files_in, inspect_file, scan_tables_in

    files = list(files_in(paths))
    rows: list[Inspection] = []
    if as_json:
        rows = [inspect_file(path, units=units, spacing_um=spacing_um) for path in files]
        click.echo(json.dumps([_plain(row) for row in rows], indent=1, ensure_ascii=False))
    else:
        from rich.console import Console
        from rich.progress import track

        progress = Console(stderr=True)
        for path in track(files, "reading", console=progress, transient=True, disable=not progress.is_terminal):
            rows.append(inspect_file(path, units=units, spacing_um=spacing_um))
        _print_table(rows)
        for path in scan_tables_in(paths):
            click.echo(f"left out: {path}, a table of scans")
    ctx.exit(int(any(row.verdict == "refused" or _serious(row) for row in rows)))


def _serious(row: Any) -> bool:
    return any(finding.severity == "serious" for finding in row.findings)


def _plain(row: Any) -> dict[str, Any]:
    """Return a row as JSON can hold it."""
    plain = asdict(row)
    plain["path"] = str(row.path)
    if row.spacing_um is not None:
        plain["spacing_um"] = [s if math.isfinite(s) else None for s in row.spacing_um]
    return plain


def _print_table(rows: list[Any]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    colours = {"readable": "green", "readable with findings": "yellow", "refused": "red"}
    console = Console()
    if not console.is_terminal:
        console.width = 200  # a pipe has no width; a log should not be folded to 80
    table = Table(show_lines=False)
    table.add_column("file", overflow="fold", max_width=48)
    table.add_column("verdict", no_wrap=True)
    table.add_column("what", max_width=34)
    table.add_column("findings (SERIOUS in capitals) or reason")
    for row in rows:
        # Text, not markup: a file name or a message may hold square brackets.
        table.add_row(Text(str(row.path)), Text(row.verdict, colours[row.verdict]), Text(_what(row)), Text(_why(row)))
    console.print(table)
    counts = {verdict: sum(row.verdict == verdict for row in rows) for verdict in colours}
    console.print(", ".join(f"{count} {verdict}" for verdict, count in counts.items()))
    if counts["readable"] < len(rows):
        console.print("Whole messages: --json")


def _what(row: Any) -> str:
    """Return format, kind, size and spacing in a few words."""
    if row.shape is None:
        return ""
    steps = " x ".join(dict.fromkeys(f"{s:.4g}" for s in row.spacing_um if math.isfinite(s)))
    return f"{row.format} {row.kind} {row.shape[0]} x {row.shape[1]}" + (f", {steps} µm" if steps else "")


def _why(row: Any) -> str:
    """Return the codes of the findings, or the first sentence of a refusal."""
    if row.verdict == "refused":
        return f"{row.error}: {row.reason.split('. ')[0]}"
    return ", ".join(f.code.upper() if f.severity == "serious" else f.code for f in row.findings)
