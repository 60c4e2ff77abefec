"""``ballistics printed list``: what a collection of references holds."""

from __future__ import annotations

import json
from pathlib import Path

import rich_click as click

from ballistics.cli.printed.options import references_option


@click.command(name="list")
@references_option("The collection's folder.")
@click.option("--category", help="Only references of this category.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def command(folder: Path, category: str | None, as_json: bool) -> None:
    """List the references of a collection, with their categories."""
    from rich.table import Table
    from rich.text import Text

    from ballistics.cli.terminal import console
    from ballistics.pairs import printable
    from ballistics.printed import PLAIN_WORTH, open_collection
    from ballistics.reports import false_hits_sentence

    collection, taxonomy = open_collection(folder)
    if category is not None:
        taxonomy.check(category)
    rows = [reference for reference in collection.references if category is None or reference.category == category]
    if as_json:
        listed = [
            {
                "name": reference.name,
                "category": reference.category,
                "geometry_hash": reference.keys.exact if reference.keys is not None else None,
                "detail_nats": reference.detail_nats,
                "too_plain": None if reference.detail_nats is None else reference.detail_nats < PLAIN_WORTH,
                "metadata": dict(reference.metadata),
            }
            for reference in rows
        ]
        click.echo(json.dumps(listed, indent=1, ensure_ascii=False))
        return
    table = Table()
    for heading in ("reference", "category", "size, mm", "worth, nats", "file", "geometry hash"):
        table.add_column(heading)
    for reference in rows:
        size = " x ".join(f"{value:.4g}" for value in reference.metadata.get("extent_mm", ()))
        short = reference.keys.exact[:16] if reference.keys is not None else ""
        told = "not measured" if reference.detail_nats is None else f"{reference.detail_nats:.1f}"
        told += ", too plain" if reference.detail_nats is not None and reference.detail_nats < PLAIN_WORTH else ""
        cells = (
            reference.name,
            taxonomy.title(reference.category),
            size,
            told,
            str(reference.metadata.get("file", "")),
            short,
        )
        table.add_row(*(Text(printable(cell)) for cell in cells))
    out = console()
    out.print(table)
    out.print(Text(false_hits_sentence(collection.false_hits)))
    out.print(Text(f"{len(rows)} of {len(collection)} references; taxonomy '{taxonomy.name}', {taxonomy.version}"))
