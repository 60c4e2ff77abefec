"""``ballistics printed enrol``: a laboratory's own references, kept as signatures."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import rich_click as click

from ballistics.cli.printed.options import references_option, unit_option

_INCOMPLETE = 1
_SHOWN = 200


@click.command(name="enrol")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE…")
@references_option("The collection's folder; made when it does not exist.")
@click.option("--name", help="Of the reference; for one file only. Default: the file's name.")
@click.option("--category", default="", help="Category of all FILEs: an identifier of the taxonomy.")
@click.option(
    "--taxonomy",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The laboratory's own categories (JSON), from now on those of this collection.",
)
@unit_option()
@click.option(
    "--false-hits",
    "queries",
    type=click.IntRange(0),
    help="Unrelated queries by which the false-hit rate of the collection is measured, some CPU seconds each; 0: not "
    "now. Default: 100, when the collection is new or has grown by a quarter since.",
)
@click.option("--quiet", is_flag=True, help="No progress bar; only what went wrong.")
@click.pass_context
def command(
    ctx: click.Context,
    paths: tuple[Path, ...],
    folder: Path,
    name: str | None,
    category: str,
    taxonomy: Path | None,
    unit: str | None,
    queries: int | None,
    quiet: bool,
) -> None:
    """Enrol every part of FILEs (or of folders, walked) as a reference.

    Signatures, names and facts are kept, never a mesh: collections can be exchanged. What is enrolled already is
    passed over, so a stopped run goes on when the same command is given again. Each collection has its own
    taxonomy.json.

    Two things are measured: how much each body says beyond plain bodies (its worth), and how often unrelated queries
    hit the collection. The queries are references, and pieces of them, searched among references that are not related
    to them.

    Exit code 0: every file was enrolled or is no mesh; 1: at least one was refused, and is listed; 2: an error.
    """
    from ballistics.cli.terminal import bar, console
    from ballistics.pairs import printable, scan_files
    from ballistics.printed import enrol_files

    counts: Counter[str] = Counter()
    files = scan_files(paths, (folder,))
    with bar(quiet) as progress:

        def tell(done: int, total: int) -> None:
            if progress is not None:
                progress("enrolling files", done, total)

        def waiting() -> None:
            if not quiet:
                click.echo(f"another process is enrolling into {folder}: waiting until it has finished", err=True)

        rows = enrol_files(
            files, folder, name=name, category=category, taxonomy=taxonomy, unit=unit, tell=tell, waiting=waiting
        )
        for row in rows:
            counts[row.outcome] += 1
            wrong = row.outcome == "refused"
            if wrong or (not quiet and sum(counts.values()) <= _SHOWN):
                reference = f" as '{row.name}'" if row.name else ""
                note = f": {row.note}" if row.note else ""
                line = printable(f"{row.file}: {row.outcome}{reference}{note}")
                console().print(line, markup=False, highlight=False, soft_wrap=True)
    if not quiet:
        total = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))
        click.echo(f"{total}: {folder.resolve()}")
    _measure(folder, queries, bool(counts["enrolled"]), quiet)
    if counts["refused"]:
        ctx.exit(_INCOMPLETE)


def _measure(folder: Path, queries: int | None, is_changed: bool, quiet: bool) -> None:
    """Measure the false-hit rate of what was enrolled, when it is asked for or due."""
    from ballistics.cli.terminal import bar
    from ballistics.printed import QUERIES, is_measured, measure_folder, open_collection
    from ballistics.reports import false_hits_sentence

    if queries == 0 or (queries is None and (not is_changed or is_measured(open_collection(folder)[0]))):
        return
    with bar(quiet) as progress:
        tell = None if progress is None else lambda done, total: progress("measuring false hits", done, total)
        found = measure_folder(folder, queries or QUERIES, tell)
    if not quiet:
        click.echo(false_hits_sentence(found))
