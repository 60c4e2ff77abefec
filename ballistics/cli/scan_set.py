"""What the verbs that work through a whole set of scans share: options, the bar, the scoring."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from ballistics.cli.terminal import BULLET, MARKS, bar

if TYPE_CHECKING:
    from ballistics.studies import ScoredScans

# By pattern where the scans of a set differ.
READING_OPTIONS = (
    click.option(
        "--units",
        multiple=True,
        metavar="[PATTERN=]UNIT",
        help="Take the files' numbers as micrometres, millimetres or 'as written', recorded as a serious finding of "
        "each scan; for some of them: 'K0*.x3p=micrometres'. Repeatable, the last that fits counts.",
    ),
    click.option(
        "--region",
        multiple=True,
        metavar="[PATTERN=]REGION",
        help="Where the mark is: a mask (.png), a polygon (.json), or a label of the mask inside the scan; for some "
        "scans: 'K066*=ring.png'. Repeatable, the last that fits counts.",
    ),
)


def reading_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say how scans are read."""
    for option in reversed(READING_OPTIONS):
        command = option(command)
    return command


#: Other parameters than the tested ones.
settings_option = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="Another parameter than the tested one, e.g. cells.cell_um=400; recorded, and no likelihood ratio is given "
    "from a reference of other parameters. May be given several times.",
)


def named_settings(settings: tuple[str, ...]) -> dict[str, str]:
    """Return the settings by name; a name that is given twice is an error."""
    named: dict[str, str] = {}
    for text in settings:
        name, equals, value = text.partition("=")
        if not equals or name in named:
            raise click.BadParameter(
                f"'{text}' gives a parameter twice" if equals else f"'{text}' is not NAME=VALUE", param_hint="--set"
            )
        named[name] = value
    return named


_OPTIONS = (
    click.argument("scans_dir", type=click.Path(exists=True, file_okay=False, path_type=Path)),
    click.argument("truth_csv", type=click.Path(exists=True, dir_okay=False, path_type=Path)),
    click.option(
        "--mark",
        type=click.Choice([*MARKS.choices, BULLET]),
        default="breech face",
        show_default=True,
        help="Mark type to compare; 'bullet': all lands of whole bullets.",
    ),
    click.option("--name", help="What the set is called. Default: the folder's name."),
    click.option("--source", default="", help="Where the scans come from: study, laboratory, licence."),
    click.option("--calibre", help="Of all scans for which the table states none."),
    click.option("--ammunition", help="The same for the ammunition."),
    click.option("--instrument", help="The same for the class of instrument; a file that names it goes first."),
    *READING_OPTIONS,
    settings_option,
    click.option(
        "--work",
        type=click.Path(file_okay=False, path_type=Path),
        help="Folder for finished work; a stopped run goes on from it. Default: beside the result.",
    ),
    click.option("--workers", type=click.IntRange(1), help="Processes. Default: one for each processor."),
    click.option("--overwrite", is_flag=True, help="Replace results that exist."),
    click.option("--quiet", is_flag=True, help="No progress bar, no closing lines."),
)


def scan_set_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the arguments and options of a set of scans to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def score_set(options: dict[str, Any], work: Path, fewest_firearms: int, need_labels: tuple[str, ...] = ()) -> Any:
    """Read the table, refuse what cannot give an answer, then prepare and compare everything.

    Parameters
    ----------
    options : dict
        Values of the options that commands on sets of scans share.
    work : Path
        Where unfinished work is kept, unless an option says so.
    fewest_firearms : int
        With fewer in the table nothing is begun.
    need_labels : tuple of str
        Labels that every scan must have; the instrument may also be named by its file.

    Returns
    -------
    ScoredScans

    Raises
    ------
    ParameterError
        When the table cannot give an answer.
    """
    from ballistics.errors import ParameterError
    from ballistics.studies import (
        LABELS,
        NOT_STATED,
        check_lands,
        read_truth,
        refuse_hopeless,
        score_all_pairs,
        scored_bullets,
        with_labels,
    )
    from ballistics.surfaces import named_by_file, readings

    given = {label: options[label] for label in LABELS if options[label]}
    truths = with_labels(read_truth(options["truth_csv"]), given)
    whole_bullets = options["mark"] == BULLET
    if whole_bullets:
        check_lands(truths)
    refuse_hopeless(truths, fewest_firearms)
    said = readings(options["units"], options["region"])
    for label in need_labels:
        silent = [truth for truth in truths if truth.labels.get(label, NOT_STATED) == NOT_STATED]
        without = [
            truth.scan
            for truth in silent
            if label != "instrument" or not named_by_file(options["scans_dir"] / truth.scan)
        ]
        if without:
            raise ParameterError(
                f"no {label} is stated for {without[0]} ({len(without)} scans): add the column '{label}' or --{label}; "
                "without it no case could be weighed by these scans"
            )
    with bar(options["quiet"]) as progress:
        scored = score_all_pairs(
            options["scans_dir"],
            truths,
            options["work"] or work,
            "land engraved area" if whole_bullets else options["mark"],
            said,
            options["workers"] or os.cpu_count() or 1,
            progress,
            settings=tuple(sorted(named_settings(options["settings"]).items())),
        )
    return scored_bullets(scored) if whole_bullets else scored


def set_name(options: dict[str, Any]) -> str:
    """Return what the set is called."""
    return str(options["name"] or options["scans_dir"].resolve().name)


def print_left_out(scored: ScoredScans) -> None:
    """Print which scans take part in nothing, and how many pairs gave no score."""
    for scan in scored.scans:
        if scan.left_out:
            click.echo(f"left out: {scan.truth.scan} {scan.left_out}")
    without = sum(bool(pair.without_score) for pair in scored.pairs)
    if without:
        click.echo(f"insufficient: {without} of {len(scored.pairs)} pairs gave no score")
