"""``ballistics printed class``: train a shape classifier on a laboratory's own references, and ask it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

if TYPE_CHECKING:
    from ballistics.printed import ShapeClassifier, ShapeFeatures, ShapeReference

_FEW_SOURCES = 3
_SHOWN = 20


@click.group(name="class")
def command() -> None:
    """Say whether parts are shaped like a handgun, a long gun, a part of one, or an ordinary thing.

    No classifier is part of the package: a laboratory trains one on its own references.
    """


@command.command(name="train")
@click.argument("table", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The classifier (new file, .npz)."
)
@click.option("--quiet", is_flag=True, help="No progress bar, no closing lines.")
def train_command(table: Path, out: Path, quiet: bool) -> None:
    """Train on TABLE, a CSV file with the columns path, class and source.

    Paths are relative to the table. Classes: handgun-like, long-gun-like, part-like, ordinary. Source: where a file
    comes from; what is chosen in training is chosen on sources left out, so give at least three. A file of several
    parts is taken as one thing.

    Exit code 0: trained; 2: an error, e.g. a reference that cannot be read, and nothing was written.
    """
    from ballistics.printed import read_shape_references, refuse_existing, save_classifier, train

    refuse_existing(out)
    rows = read_shape_references(table)
    described = _described(table, rows, quiet)
    classifier = train(described, [row.label for row in rows], [row.source for row in rows])
    save_classifier(classifier, out)
    if not quiet:
        _print_classifier(classifier, len({row.source for row in rows}))
        click.echo(f"classifier: {out.resolve()}")


def _described(table: Path, rows: tuple[ShapeReference, ...], quiet: bool) -> list[ShapeFeatures]:
    """Describe every reference, or say which could not be read: all of them, so that one run shows all."""
    from ballistics.cli.terminal import bar
    from ballistics.errors import BallisticsError, ReadError
    from ballistics.pairs import printable
    from ballistics.printed import joined, read_parts, shape_features

    described: list[ShapeFeatures] = []
    wrong: list[str] = []
    with bar(quiet) as progress:
        for number, row in enumerate(rows):
            if progress is not None:
                progress("describing references", number, len(rows))
            try:
                described.append(shape_features(joined(read_parts(row.path).parts)))
            except BallisticsError as error:
                wrong.append(printable(f"line {row.line}: {error}"))
    if wrong:
        shown = [*wrong[:_SHOWN], *([f"{len(wrong) - _SHOWN} more"] if len(wrong) > _SHOWN else [])]
        raise ReadError(
            f"{table}: {len(wrong)} of {len(rows)} references cannot be read; "
            "mend the table or leave them out:\n  " + "\n  ".join(shown)
        )
    return described


def _print_classifier(classifier: ShapeClassifier, sources: int) -> None:
    """Say what it was trained on, and where that is too little."""
    from ballistics.printed import CLASSES

    for name in CLASSES:
        count, own = classifier.counts[name], classifier.sources[name]
        click.echo(f"{name}: {count} reference{'s' * (count != 1)} of {own} source{'s' * (own != 1)}")
        if own == 1 < sources:
            click.echo("  of one source: on other sources it will do worse than its probabilities say")
    if sources < _FEW_SOURCES:
        click.echo(
            f"{sources} source{'s' * (sources != 1)} in all: too few to try on a source left out what was chosen; on "
            "other sources it will do worse than its probabilities say"
        )
    if not classifier.least_likeness:
        click.echo("nothing will be called unlike every reference: that level is learned between sources")


@command.command(name="ask")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE…")
@click.option(
    "--classifier",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The laboratory's own (`ballistics printed class train`).",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of lines.")
@click.pass_context
def ask_command(ctx: click.Context, paths: tuple[Path, ...], classifier: Path, as_json: bool) -> None:
    """Say what each part of FILEs is shaped like. A lead for an examiner: resemblance is neither identity nor function.

    A file of several parts is asked about as one thing too. Folders are walked.

    Exit code 0: every file was classified; 1: at least one was refused; 2: an error.
    """
    from dataclasses import asdict

    from ballistics.errors import BallisticsError
    from ballistics.pairs import printable, scan_files
    from ballistics.printed import joined, load_classifier, read_parts, shape_features

    trained = load_classifier(classifier)
    rows, refused = [], False
    for file, path in scan_files(paths):
        try:
            parts = read_parts(path).parts
            asked = [(f"part {part.name!r}", part) for part in parts]
            if len(parts) > 1:
                asked.append(("all parts together", joined(parts)))
            answers = [(name, trained.classify(shape_features(part))) for name, part in asked]
        except BallisticsError as error:
            refused = True
            reason = str(error).removeprefix(f"{path}: ")
            rows.append({"name": file, "error": f"{type(error).__name__}: {reason}"})
            if not as_json:
                click.echo(printable(f"{file}: refused: {reason}"))
            continue
        for name, answer in answers:
            rows.append({"name": file, "what": name, **asdict(answer)})
            if not as_json:
                shares = ", ".join(f"{key} {value:.2f}" for key, value in answer.probabilities.items())
                note = "; unlike every reference" if answer.unlike_all else ""
                click.echo(printable(f"{file}, {name}: {answer.label} ({shares}{note})"))
    if as_json:
        text = json.dumps(rows, indent=1, ensure_ascii=False)
        click.echo(text.encode("utf-8", "replace").decode("utf-8"))
    else:
        click.echo("A resemblance is a lead for an examiner: it is neither identity nor function.")
    ctx.exit(int(refused))
