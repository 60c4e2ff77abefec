"""`ballistics links`: which exhibits of a batch may share a firearm, as a table, a picture, GraphML and a page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

if TYPE_CHECKING:
    from ballistics.pairs import Links

_OUTPUT = click.Path(dir_okay=False, path_type=Path)
_PRINTED = 50


@click.command(name="links")
@click.argument("results", type=click.Path(path_type=Path))
@click.option(
    "--score",
    type=click.Choice(["similarity", "count", "accf", "ccf"]),
    default="similarity",
    show_default=True,
    help="Similarity in nats, congruent cells or segments (smaller of two directions), or the correlation: accf of "
    "impressed, ccf of striated marks.",
)
@click.option(
    "--at-least",
    type=float,
    help="Threshold of a link. Default: 150 nats; for the count 6 cells (Song 2013). Of striae: 60 nats, 8 segments.",
)
@click.option("--csv", "csv_path", type=_OUTPUT, help="Write every pair of every cluster as a table.")
@click.option("--graphml", type=_OUTPUT, help="Write the graph for other programs.")
@click.option("--picture", type=_OUTPUT, help="Draw the graph: .svg or .png.")
@click.option("--report", type=_OUTPUT, help="Write the page: one self-contained HTML file.")
@click.option("--overwrite", is_flag=True, help="Replace outputs that exist.")
@click.option("--quiet", is_flag=True, help="Print nothing.")
def command(
    results: Path,
    score: Any,
    at_least: float | None,
    csv_path: Path | None,
    graphml: Path | None,
    picture: Path | None,
    report: Path | None,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Show the clusters of exhibits in RESULTS (a table of `ballistics batch`) that may share a firearm.

    A link is a pair whose own comparison reaches the threshold. Members of a cluster that hang together only by a chain
    are listed with the weakest link of that chain and with what their own comparison says. Leads, not evidence.
    """
    from ballistics.cli.terminal import refuse_output
    from ballistics.errors import ParameterError
    from ballistics.files import write_whole
    from ballistics.pairs import find_links, links_csv, links_graphml

    for path in (csv_path, graphml, picture, report):
        refuse_output(path, (results,), overwrite)
    if picture is not None and picture.suffix.lower() not in (".svg", ".png"):
        raise ParameterError(f"{picture}: a picture is .svg or .png; end its name so")
    found = find_links(results, score, at_least)
    written = {}
    if csv_path is not None:
        written[csv_path] = links_csv(found)
    if graphml is not None:
        written[graphml] = links_graphml(found)
    if picture is not None:
        written[picture] = _picture(found, picture.suffix.lower())
    if report is not None:
        from ballistics.pairs import linked_marks
        from ballistics.reports import links_report

        written[report] = links_report(found, linked_marks(results, found)).encode("utf-8", "replace")
    for path, content in written.items():
        write_whole(path, content)
    if not quiet:
        _print(found)
        for path in written:
            click.echo(str(path.resolve()))


def _picture(found: Links, ending: str) -> bytes:
    from ballistics.reports import links_figure, png_bytes, svg_bytes

    figure = links_figure(found)
    return svg_bytes(figure) if ending == ".svg" else png_bytes(figure)


def _print(found: Links) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ballistics.reports import headline, link_score_text, others_text

    console = Console()
    if not console.is_terminal:
        console.width = 160
    console.print(Text(headline(found), "bold"))
    console.print(Text(f"A link: at least {found.at_least:g} by {found.score_name} ({found.source})."))
    if "caution" in found.metadata:
        console.print(Text(f"caution: {found.metadata['caution']}", "yellow"))
    if found.clusters:
        table = Table()
        for heading in ("cluster", "exhibits", "weakest link it needs", "pairs not linked"):
            table.add_column(heading, overflow="fold")
        for cluster in found.clusters[:_PRINTED]:
            weak = cluster.weakest
            table.add_row(
                str(cluster.number),
                Text(", ".join(member.name for member in cluster.members)),
                Text(f"{weak.a.name} – {weak.b.name}: {link_score_text(weak.score, found)}"),
                Text(others_text(cluster)),
            )
        console.print(table)
    if len(found.clusters) > _PRINTED:
        console.print(f"{len(found.clusters) - _PRINTED} more clusters: --csv")
    console.print(Text("Leads, not evidence: each link needs an examiner's own comparison."))
