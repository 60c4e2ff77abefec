"""``ballistics printed measure``: how often do unrelated queries hit a collection?"""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from ballistics.cli.printed.options import references_option


@click.command(name="measure")
@references_option("The collection's folder.")
@click.option(
    "--queries", type=click.IntRange(1), default=100, show_default=True, help="How many; some CPU seconds each."
)
@click.option("--quiet", is_flag=True, help="No progress bar, no closing line.")
def command(folder: Path, queries: int, quiet: bool) -> None:
    """Measure the false-hit rate of a collection again, with more queries or after an older version enrolled it.

    References, and pieces cut off them, are searched among references that are not related to them. The rate is kept
    with the collection and stands on every page about it. `ballistics printed enrol` measures it by itself.
    """
    from ballistics.cli.terminal import bar
    from ballistics.printed import measure_folder
    from ballistics.reports import false_hits_sentence

    with bar(quiet) as progress:
        tell = None if progress is None else lambda done, total: progress("measuring false hits", done, total)
        found = measure_folder(folder, queries, tell)
    if not quiet:
        click.echo(false_hits_sentence(found))
