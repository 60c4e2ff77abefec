"""`ballistics search`: which marks of a library to look at first for a new scan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from ballistics.cli.compare import REGION_HELP
from ballistics.cli.library import DATABASE, description_options
from ballistics.cli.terminal import MARKS

_OUTPUT = click.Path(dir_okay=False, path_type=Path)
_INSUFFICIENT = 3


@click.command(name="search")
@click.argument("scan", type=click.Path(path_type=Path))
@click.option(
    "--library", "folder", required=True, type=click.Path(file_okay=False, path_type=Path), help="The library's folder."
)
@DATABASE
@click.option("--mark", type=MARKS, default="breech face", show_default=True, help="Mark type to search for.")
@click.option("--top", type=click.IntRange(1), default=20, show_default=True, help="Number of leads.")
@description_options("Only marks of this {} (or for which none is stated); may be given more than once.", multiple=True)
@click.option(
    "--population",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Reference population (`ballistics reference build`): scores are compared with its different-source scores.",
)
@click.option("--report", type=_OUTPUT, help="Write the leads with pictures: one self-contained HTML file.")
@click.option("--csv", "csv_path", type=_OUTPUT, help="Write the leads as a CSV table.")
@click.option("--json", "json_path", type=_OUTPUT, help="Write the leads with hashes and parameters as JSON.")
@click.option("--overwrite", is_flag=True, help="Replace outputs that exist.")
@click.option(
    "--units",
    type=click.Choice(["micrometres", "millimetres", "as written"]),
    help="Take the scan's numbers as this unit; recorded as a serious finding.",
)
@click.option("--region", default="", help=f"Where the mark is: {REGION_HELP}")
@click.option("--quiet", is_flag=True, help="No progress bar, no table; files and exit code only.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    scan: Path,
    folder: Path,
    database: str | None,
    mark: str,
    top: int,
    population: Path | None,
    report: Path | None,
    csv_path: Path | None,
    json_path: Path | None,
    overwrite: bool,
    units: Any,
    region: str,
    quiet: bool,
    **where: tuple[str, ...],
) -> None:
    """Search a library for marks that agree with the mark of SCAN.

    The result is a lead: a list of marks to look at first. It is no opinion on source and no weight of evidence.

    Exit code 0: searched. 2: an error, e.g. a file that cannot be read. 3: the scan is insufficient to be searched for.
    """
    from ballistics.cli.terminal import bar, refuse_output
    from ballistics.evidence import load_reference
    from ballistics.files import write_whole
    from ballistics.library import Reading
    from ballistics.search import Library
    from ballistics.surfaces import readings

    for path in (report, csv_path, json_path):
        refuse_output(path, (scan,), overwrite)
    # The headline score comes first in the file.
    held_against = load_reference(population)[0] if population is not None else None
    admitted = {name: values for name, values in where.items() if values}
    with Library.open(folder, database) as library:
        questioned = Reading(mark, readings([units] if units else [], [region] if region else [])).mark_of(scan)
        with bar(quiet) as progress:
            result = library.search(questioned, scan.name, top, admitted, held_against, progress)
        if report is not None:
            from ballistics.reports import search_report
            from ballistics.search import heights_still_there

            registered = [lead.entry for lead in result.leads if lead.pose is not None]
            there = {entry.id: heights_still_there(library, entry) for entry in registered}
            marks = {number: found for number, found in there.items() if found is not None}
            write_whole(report, search_report(result, questioned, marks).encode("utf-8", "replace"))
    if csv_path is not None or json_path is not None:
        from ballistics.reports import search_csv, search_json

        if csv_path is not None:
            write_whole(csv_path, search_csv(result))
        if json_path is not None:
            write_whole(json_path, search_json(result))
    if not quiet:
        _print(result)
        for what, path in (("report", report), ("CSV", csv_path), ("JSON", json_path)):
            if path is not None:
                click.echo(f"{what}: {path.resolve()}")
    if result.insufficient is not None:
        ctx.exit(_INSUFFICIENT)


def _print(result: Any) -> None:
    """Print the leads, one line for each, and what they are not."""
    from rich.table import Table
    from rich.text import Text

    from ballistics.cli.terminal import console
    from ballistics.library import DESCRIPTION_FIELDS
    from ballistics.methods import method_of
    from ballistics.reports import background_sentence, passed_over_sentences, searched_sentence

    out = console()
    if result.insufficient is not None:
        out.print(Text("INSUFFICIENT", "bold yellow"))
        out.print(Text(f"{result.scan} is not searched for: {result.insufficient}."))
        return
    out.print(Text(searched_sentence(result), "bold"))
    for sentence in passed_over_sentences(result):
        out.print(Text(sentence))
    described = [lead.entry.description for lead in result.leads]
    stated = [name for name in DESCRIPTION_FIELDS if any(getattr(description, name) for description in described)]
    table = Table()
    striated = method_of(result.mark_kind).family == "striated"
    last = ("common length", "shift") if striated else ("common area", "turn")
    for heading in ("rank", "mark", "scan", "similarity", "correlation", *last):
        table.add_column(heading, justify="left" if heading == "scan" else "right")
    if any(lead.count is not None for lead in result.leads):
        table.add_column("segments that agree" if striated else "cells that agree", justify="right")
    if result.background is not None:
        table.add_column("known different-source scores as high", justify="right")
    for name in stated:
        table.add_column(name.replace("_", " "))
    for lead in result.leads:
        table.add_row(*_cells(lead, result), *(Text(getattr(lead.entry.description, name) or "–") for name in stated))
    if result.leads:
        out.print(table)
    out.print(Text(background_sentence(result)))
    out.print(Text("A lead is a mark to look at first: no opinion on source, no weight of evidence.", "bold"))


def _cells(lead: Any, result: Any) -> list[Any]:
    from rich.text import Text

    from ballistics.methods import method_of

    striated = method_of(result.mark_kind).family == "striated"
    cells: list[Any] = [str(lead.rank), str(lead.entry.id), Text(lead.entry.scan)]
    if lead.insufficient is not None:
        cells += [Text(lead.insufficient, "yellow"), "–", "–", "–"]
    else:
        cells += [
            f"{lead.similarity:.1f}" + ("" if lead.prepared_alike else " (prepared otherwise)"),
            "–" if lead.accf is None else f"{lead.accf:.3f}",
            f"{100 * lead.overlap_fraction:.0f} %",
            f"{lead.pose.dx_um:.0f} µm" if striated else f"{lead.pose.theta_deg:.1f}°",
        ]
    if any(listed.count is not None for listed in result.leads):
        cells.append("–" if lead.count is None else f"{lead.count} of {lead.cells}")
    if result.background is not None:
        cells.append("–" if lead.at_or_above is None else f"{lead.at_or_above} of {result.background.n_different}")
    return cells
