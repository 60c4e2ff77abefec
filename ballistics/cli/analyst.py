"""`ballistics analyst`: what casework and the exchange know, in the files that analysts' programs read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from ballistics.cli.laboratory import LABORATORY, opened
from ballistics.cli.library import DATABASE
from ballistics.cli.terminal import make_folder, refuse_output

if TYPE_CHECKING:
    from ballistics.casework import Casebook
    from ballistics.exchange import AnalystGraph
    from ballistics.registry import Registry


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
@click.option(
    "--places",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="CSV with the columns place, latitude_deg, longitude_deg: where places without coordinates are.",
)
@click.option(
    "--happened-since",
    default="",
    help="Firearms of the registry to which something happened since: 2026, 2026-05 or 2026-05-17. Default: only those "
    "that leads name.",
)
@click.option("--overwrite", is_flag=True, help="Replace files of an earlier export.")
@DATABASE
def command(
    laboratory: Path,
    folder: Path,
    cases: tuple[str, ...],
    title: str,
    outlines: Path | None,
    places: Path | None,
    happened_since: str,
    overwrite: bool,
    database: str | None,
) -> None:
    """Write what LABORATORY knows of incidents, exhibits, firearms and leads to FOLDER.

    entities.csv, links.csv and events.csv for Analyst's Notebook, graph.graphml, map.geojson, case.jsonld (CASE/UCO),
    and page.html with graph, map and timeline, which loads nothing from any network. Of a laboratory that keeps a
    registry also statistics.csv and statistics.xlsx, in the columns of the Focal Points. With --case, leads and
    firearms of the registry that lead to nothing of the cases are left out.
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
        located,
        read_places,
    )
    from ballistics.files import csv_bytes, load_json, write_whole
    from ballistics.registry import Registry, focal_point_statistics, write_statistics, years_of_events
    from ballistics.reports import analyst_page

    statistics = None
    with opened(laboratory, database) as book:
        graph = casework_graph(book, cases)
        standard = case_uco(book, cases)
        name = book.library.folder.resolve().name
        registry = Registry.of(book.library)
        if registry is not None:
            graph = _with_registry(graph, book, registry, happened_since, bool(cases))
            years = years_of_events(registry)
            statistics = None if years is None else focal_point_statistics(registry, *years)
        elif happened_since:
            raise click.UsageError(f"--happened-since asks for a registry, and {laboratory} keeps none")
    if places is not None:
        graph = located(graph, read_places(places))
    shown = None if outlines is None else load_json(outlines, "GeoJSON")
    page = analyst_page(graph, title or f"Incidents, exhibits and firearms of {name}", shown, statistics)
    files = {
        "entities.csv": entities_csv(graph),
        "links.csv": links_csv(graph),
        "events.csv": events_csv(graph),
        "graph.graphml": graphml(graph),
        "map.geojson": geojson(graph),
        "case.jsonld": standard,
        "page.html": page.encode("utf-8", "replace"),
    }
    if statistics is not None:
        files["statistics.csv"] = csv_bytes(("table", "value", "event", "number"), statistics.rows(), spreadsheet=True)
    make_folder(folder)
    for file in (*files, *(("statistics.xlsx",) if statistics is not None else ())):
        refuse_output(folder / file, (), overwrite)
    for file, data in files.items():
        write_whole(folder / file, data, overwrite=overwrite)
    if statistics is not None:
        write_statistics(folder / "statistics.xlsx", statistics)
    click.echo(f"entities: {len(graph.entities)}, links: {len(graph.links)}, events: {len(graph.events)}")
    for chain in chains(graph):
        steps = " → ".join(step.incident.label for step in chain.steps)
        firearms = " / ".join(firearm.label for firearm in chain.firearms) or "no firearm known"
        click.echo(f"chain ({firearms}): {steps}")
    click.echo(f"files: {folder.resolve()}")


def _with_registry(
    graph: AnalystGraph, book: Casebook, registry: Registry, happened_since: str, only_known: bool
) -> AnalystGraph:
    """Return a graph with the leads of the queue, and the firearms that they name or to which something happened."""
    from ballistics.exchange import exhibit_names, joined, leads_graph, registry_graph
    from ballistics.registry import firearm_of_lead, queued_leads

    queued = queued_leads(registry)
    short, names = book.library.identifier[:8], exhibit_names(book)
    if only_known:
        # Of chosen cases: the leads that begin or end there, and the firearms that these lead to.
        kept = {link.id for link in leads_graph(queued, graph, short, names, {}, only_known=True).links}
        queued = [each for each in queued if f"{short}/lead/{each.number}" in kept]
    happened = registry.happened_since(happened_since) if happened_since and not only_known else []
    led_to = [number for each in queued if (number := firearm_of_lead(each.lead)) is not None]
    records = registry.records(sorted({*happened, *led_to}))
    known = joined([graph, registry_graph(records, short, graph)])
    entities = {record.number: f"{short}/firearm/{record.source}/{record.source_key}" for record in records}
    return joined([known, leads_graph(queued, known, short, names, entities)])
