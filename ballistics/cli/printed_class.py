"""``ballistics printed class``: train a shape classifier on a laboratory's own references, and ask it."""

from __future__ import annotations

import json
from pathlib import Path

import rich_click as click

_COLUMNS = ("path", "class", "source")


@click.group(name="class")
def command() -> None:
    """Say whether parts are shaped like a handgun, a long gun, a part of one, or an ordinary thing.

    No classifier is part of the package: a laboratory trains one on its own references.
    """


@command.command(name="train")
@click.argument("table", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The classifier (new file)."
)
@click.option("--quiet", is_flag=True, help="No progress bar.")
def train_command(table: Path, out: Path, quiet: bool) -> None:
    """Train on TABLE, a CSV file with the columns path, class and source.

    Paths are relative to the table. Classes: handgun-like, long-gun-like, part-like, ordinary. Source: where a file
    comes from; what is chosen in training is chosen on sources left out, so give at least three. A file of several
    parts is taken as one thing.
    """
    import csv

    from rich.progress import track

    from ballistics.errors import ParameterError
    from ballistics.printed.part import read_parts
    from ballistics.printed.shape_class import CLASSES, train
    from ballistics.printed.shape_class_file import save_classifier
    from ballistics.printed.shape_features import joined, shape_features

    with open(table, encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for number, row in enumerate(rows, 2):
        for column in _COLUMNS:
            if not row.get(column):
                raise ParameterError(f"{table}, line {number}: no '{column}'; the columns are {', '.join(_COLUMNS)}")
        if row["class"] not in CLASSES:
            raise ParameterError(f"{table}, line {number}: no class {row['class']!r}; use {', '.join(CLASSES)}")
    described = []
    for row in track(rows, description="describing", disable=quiet):
        described.append(shape_features(joined(read_parts(table.parent / row["path"]).parts)))
    classifier = train(described, [row["class"] for row in rows], [row["source"] for row in rows])
    save_classifier(classifier, out)
    for name in CLASSES:
        click.echo(f"{name}: {classifier.counts[name]} references of {classifier.sources[name]} sources")
        if classifier.counts[name] and classifier.sources[name] < 2:
            click.echo("  of one source: on other sources it will do worse than its probabilities say")
    click.echo(f"classifier: {out.resolve()}")


@command.command(name="ask")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE…")
@click.option("--classifier", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of lines.")
@click.pass_context
def ask_command(ctx: click.Context, paths: tuple[Path, ...], classifier: Path, as_json: bool) -> None:
    """Say what each part of FILEs is shaped like. A lead for an examiner: resemblance is neither identity nor function.

    A file of several parts is asked about as one thing too. Folders are walked.

    Exit code 0: every file was classified; 1: at least one was refused.
    """
    from dataclasses import asdict

    from ballistics.errors import BallisticsError
    from ballistics.printed.part import read_parts
    from ballistics.printed.shape_class_file import load_classifier
    from ballistics.printed.shape_features import joined, shape_features
    from ballistics.surfaces.inspection import files_in

    trained = load_classifier(classifier)
    rows, refused = [], False
    for path in files_in(paths):
        try:
            parts = read_parts(path).parts
            asked = [(f"part {part.name!r}", part) for part in parts]
            if len(parts) > 1:
                asked.append(("all parts together", joined(parts)))
            answers = [(name, trained.classify(shape_features(part))) for name, part in asked]
        except BallisticsError as error:
            refused = True
            rows.append({"path": str(path), "error": str(error)})
            if not as_json:
                click.echo(f"{path}: refused: {error}")
            continue
        for name, answer in answers:
            rows.append({"path": str(path), "what": name, **asdict(answer)})
            if not as_json:
                shares = ", ".join(f"{key} {value:.2f}" for key, value in answer.probabilities.items())
                note = "; unlike every reference" if answer.unlike_all else ""
                click.echo(f"{path}, {name}: {answer.label} ({shares}{note})")
    if as_json:
        click.echo(json.dumps(rows, indent=1, ensure_ascii=False))
    ctx.exit(int(refused))
