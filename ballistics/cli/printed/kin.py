"""``ballistics printed kin``: which references of a collection are revisions or parts of one another?"""

from __future__ import annotations

import json
from pathlib import Path

import rich_click as click

_OUTPUT = click.Path(dir_okay=False, path_type=Path)
_PRINTED = 40


@click.command(name="kin")
@click.argument("folder", metavar="COLLECTION", type=click.Path(file_okay=False, path_type=Path))
@click.option("--csv", "csv_path", type=_OUTPUT, help="Write every kinship as a table.")
@click.option("--report", type=_OUTPUT, help="Write the families with pictures: one self-contained HTML file.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of lines.")
@click.option("--overwrite", is_flag=True, help="Replace outputs that exist.")
@click.option("--quiet", is_flag=True, help="No progress bar, no lines.")
def command(
    folder: Path, csv_path: Path | None, report: Path | None, as_json: bool, overwrite: bool, quiet: bool
) -> None:
    """Find which references of COLLECTION share shape: copies, mirror images, revisions, parts of one another.

    Families are drawn with the shared share of the surface, and each two with the places that are changed. An order is
    stated where dates in the files, or dates and versions in the names, tell it. About a CPU second for each reference.
    Leads, not evidence.
    """
    from ballistics.cli.terminal import bar, refuse_output
    from ballistics.drawing import counted
    from ballistics.files import csv_bytes, write_whole
    from ballistics.pairs import printable
    from ballistics.printed import KIN_COLUMNS, kin_of, open_collection
    from ballistics.reports import kin_report

    for path in (csv_path, report):
        refuse_output(path, (folder,), overwrite)
    collection, _ = open_collection(folder)
    with bar(quiet or as_json) as progress:
        tell = None if progress is None else lambda done, total: progress("looking for kin", done, total)
        found = kin_of(collection, tell=tell)
    rows = list(found.rows())
    if csv_path is not None:
        write_whole(csv_path, csv_bytes(KIN_COLUMNS, ([row[name] for name in KIN_COLUMNS] for row in rows)))
    if report is not None:
        write_whole(report, kin_report(found, collection).encode("utf-8", "replace"))
    if as_json:
        click.echo(json.dumps({"references": len(collection), "kinships": rows}, indent=1, ensure_ascii=False))
    elif not quiet:
        families = counted(len(found.families), "family", "families")
        click.echo(f"{families} among {len(collection)} references: leads, not evidence")
        for row in rows[:_PRINTED]:
            names = f"{printable(row['a'])} {'->' if row['a_is_earlier_by'] else '-'} {printable(row['b'])}"
            click.echo(f"  family {row['family']}: {names}: {row['kind']}, {row['shared']:.0%} shared")
        if len(rows) > _PRINTED:
            click.echo(f"  and {len(rows) - _PRINTED} more; --csv writes all")
