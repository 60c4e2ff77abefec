"""``ballistics printed protocol``: how well are the references of a collection found, and how often are others hit?"""

from __future__ import annotations

import json
from pathlib import Path

import rich_click as click


@click.command(name="protocol")
@click.argument("folder", metavar="COLLECTION", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for protocol.html, protocol.csv and protocol.json.",
)
@click.option(
    "--queries", type=click.IntRange(1), default=20, show_default=True,
    help="Known queries by disguise, and unknown ones; some CPU seconds each.",
)  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=2026, show_default=True, help="Of the queries and disguises.")
@click.option("--overwrite", is_flag=True, help="Replace outputs that exist.")
@click.option("--quiet", is_flag=True, help="No progress bar, no lines.")
def command(folder: Path, out: Path, queries: int, seed: int, overwrite: bool, quiet: bool) -> None:
    """Run the open protocol on COLLECTION: its references, disguised in memory, as known and as unknown queries.

    Known queries are searched in the collection: is the right reference first, is it accepted, is another one?
    Unknown ones are searched where they and their relatives are held out: is anything accepted? Rates stand with exact
    95 % intervals. No mesh is written. A run that was stopped goes on when the same command is given again. See
    docs/protocol-printed.md.
    """
    from ballistics.cli.terminal import bar, make_folder, refuse_output
    from ballistics.files import RowsFile, csv_bytes, write_whole
    from ballistics.printed import PROTOCOL_COLUMNS, open_collection, run_protocol
    from ballistics.reports import protocol_json, protocol_report

    make_folder(out)
    paths = {name: out / f"protocol.{name}" for name in ("html", "csv", "json")}
    for path in paths.values():
        refuse_output(path, (folder,), overwrite)
    collection, _ = open_collection(folder)
    answers = out / "answers.jsonl"
    with bar(quiet) as progress, RowsFile(answers, strict=True) as kept:
        tell = None if progress is None else lambda done, total: progress("disguised queries", done, total)
        found = run_protocol(collection, queries, seed, tell, kept=kept)
    rows = list(found.rows())
    write_whole(paths["csv"], csv_bytes(PROTOCOL_COLUMNS, ([row[name] for name in PROTOCOL_COLUMNS] for row in rows)))
    write_whole(paths["json"], (json.dumps(protocol_json(found), indent=1, ensure_ascii=False) + "\n").encode())
    write_whole(paths["html"], protocol_report(found).encode("utf-8", "replace"))
    answers.unlink(missing_ok=True)
    if not quiet:
        for row in rows:
            if row["disguise"] == "all":
                limits = f"95 % interval {row['lower_95']:.3f} to {row['upper_95']:.3f}"
                click.echo(f"{row['measure']}: {row['count']} of {row['queries']}, {row['rate']:.3f} ({limits})")
