"""`ballistics compare-heads`: every mark that two scans of whole heads share, in one table and one JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from ballistics.cli.compare import INSUFFICIENT, REGION_HELP
from ballistics.cli.terminal import refuse_output
from ballistics.files import write_whole


@click.command(name="compare-heads")
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@click.option("--json", "json_path", type=click.Path(dir_okay=False, path_type=Path), help="Write all as JSON.")
@click.option("--overwrite", is_flag=True, help="Replace a JSON that exists.")
@click.option(
    "--units",
    type=click.Choice(["micrometres", "millimetres", "as written"]),
    help="Take the numbers of both files as this unit; recorded as a serious finding.",
)
@click.option(
    "--region-a",
    multiple=True,
    metavar="MARK=REGION",
    help=f"Where a mark of A is, e.g. 'ejector=mask.png'; repeatable. REGION is {REGION_HELP}",
)
@click.option("--region-b", multiple=True, metavar="MARK=REGION", help="The same for B.")
@click.pass_context
def command(
    ctx: click.Context,
    a: Path,
    b: Path,
    json_path: Path | None,
    overwrite: bool,
    units: Any,
    region_a: tuple[str, ...],
    region_b: tuple[str, ...],
) -> None:
    """Compare every mark that two scans of whole cartridge-case heads share.

    For a report on one mark: ballistics compare --mark "firing pin" --report FILE. Exit code 0: at least one mark was
    compared. 2: an error. 3: insufficient, no mark could be compared; the table says why.
    """
    from ballistics.impressions import compare_heads
    from ballistics.surfaces import read

    refuse_output(json_path, (a, b), overwrite)
    surfaces = (read(a, units=units), read(b, units=units))
    heads = compare_heads(*surfaces, _regions(surfaces[0], region_a), _regions(surfaces[1], region_b))
    if json_path is not None:
        from ballistics.reports import heads_json

        write_whole(json_path, heads_json(heads, (a.name, b.name), surfaces))
    _print(heads, a.name, b.name)
    if not heads.compared:
        ctx.exit(INSUFFICIENT)


def _regions(surface: Any, given: tuple[str, ...]) -> dict[str, Any]:
    """Return the regions of a head by kind of mark."""
    from ballistics.errors import ParameterError
    from ballistics.surfaces import region_of

    regions = {}
    for text in given:
        kind, equals, region = text.partition("=")
        if not (kind and equals and region):
            raise ParameterError(f"the region {text!r} must be MARK=REGION, e.g. 'firing pin=mask.png'")
        regions[kind] = region_of(surface, region)
    return regions


def _print(heads: Any, name_a: str, name_b: str) -> None:
    """Print one line for each mark, and what the numbers are not."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ballistics.reports import counts_sentence, similarity_sentence

    console = Console()
    if not console.is_terminal:
        console.width = 120
    console.print(Text(f"A: {name_a}\nB: {name_b}"))
    table = Table("mark", "result", "correlation", show_lines=True)
    for kind, result in heads.comparisons.items():
        stated = result.insufficient is None
        # Rules of one kind only, such as the clusters of firing-pin impressions, stand beside the headline.
        lines = [f"SERIOUS: {f.message} [{f.code}]" for f in result.findings if f.severity == "serious"]
        lines += [similarity_sentence(result)] if stated else []
        lines.append(counts_sentence(result))
        if stated and "clusters" in result.rules:
            lines.append(counts_sentence(result, "clusters"))
        table.add_row(kind, Text("\n".join(lines)), f"{result.accf:.3f}" if stated else "–")
    console.print(table)
    console.print(
        Text(
            "Scores of different marks have no common scale and are not added up. A score is not a probability and not "
            "an opinion."
        )
    )
