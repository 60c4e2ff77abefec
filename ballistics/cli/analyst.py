"""`ballistics analyst`: what casework and the exchange know, in the files that analysts' programs read."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from ballistics.cli.casework.record_commands import LABORATORY, opened
from ballistics.cli.library import DATABASE


@click.command(name="analyst")
@LABORATORY
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--case", "cases", multiple=True, help="Only this case; may be given more than once.")
@click.option("--title", default="", help="Title of the page.")
@click.option(
    "--outlines",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="GeoJSON of borders or coasts that the map of the page shows behind the points.",
)
@click.option("--overwrite", is_flag=True, help="Replace files of an earlier export.")
@DATABASE
def command(
    laboratory: Path,
    folder: Path,
    cases: tuple[str, ...],
    title: str,
    outlines: Path | None,
    overwrite: bool,
    database: str | None,
) -> None:
    """Write what LABORATORY knows of incidents, exhibits and firearms to FOLDER.

    entities.csv, links.csv and events.csv for Analyst's Notebook, graph.graphml, map.geojson, case.jsonld (CASE/UCO),
    and page.html with graph, map and timeline, which loads nothing from any network.
    """
    from ballistics.exchange import (
        case_uco,
        casework_graph,
        chains,
        entities_csv,
        events_csv,
        geojson,
        graphml,
        links_csv,
    )
    from ballistics.files import load_json, write_whole
    from ballistics.reports import analyst_page

    with opened(laboratory, database) as book:
        graph = casework_graph(book, cases)
        standard = case_uco(book, cases)
        name = book.library.folder.resolve().name
    shown = None if outlines is None else load_json(outlines, "GeoJSON")
    page = analyst_page(graph, title or f"Incidents, exhibits and firearms of {name}", shown)
    files = {
        "entities.csv": entities_csv(graph),
        "links.csv": links_csv(graph),
        "events.csv": events_csv(graph),
        "graph.graphml": graphml(graph),
        "map.geojson": geojson(graph),
        "case.jsonld": standard,
        "page.html": page.encode("utf-8", "replace"),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for file, data in files.items():
        write_whole(folder / file, data, overwrite=overwrite)
    click.echo(f"entities: {len(graph.entities)}, links: {len(graph.links)}, events: {len(graph.events)}")
    for chain in chains(graph):
        steps = " → ".join(step.incident.label for step in chain.steps)
        firearms = " / ".join(firearm.label for firearm in chain.firearms) or "no firearm known"
        click.echo(f"chain ({firearms}): {steps}")
    click.echo(f"files: {folder.resolve()}")
